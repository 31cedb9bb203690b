"""What people typed is shown to those whom `Feature.typed` names, and to nobody else: every page and every answer of the API is read."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from shop.kernel import clock
from shop.kernel.db import Base, transaction
from shop.models.accounts import User
from shop.models.bills import BillAccount
from shop.models.bulletin import BulletinVersion
from shop.models.onboarding import Application, ApplicationMessage, Suspension
from shop.models.orders import OrderLine, SubOrder
from shop.models.payments import Refund, RefundProposal
from shop.models.platform import AuditEntry, Notice
from shop.models.reviews import Review, ReviewReport, ReviewState, ReviewVersion
from shop.models.stock import StockLoss
from shop.platform import audit
from shop.platform.actor import COMMAND
from shop.platform.features import registry
from shop.platform.tags import Done
from shop.platform.typed import YOU, Reader
from tests.authorization.asking import Asker
from tests.authorization.city import City
from tests.support.factories import Factories
from tests.support.provider import CardProvider
from tests.support.routes import doors

pytestmark = pytest.mark.one_engine

READS = {"stranger": None, "resident": Reader.BUYER, "owner": Reader.SHOP, "keeper": Reader.POINT, "operator": Reader.STAFF}
"""Clerks see no more than owners, finance and auditors read what operators do: the table of `matrix.txt` says so."""

READABLE = ("text/html", "text/csv", "text/plain", "application/json")
SPOKEN = re.compile(r"quoth-([a-z_]+[.][a-z_]+)-([0-9]+)")


def quoth(column: Any, user_id: int) -> str:
    """Words by which it is known where they were read and whose they are."""
    return f"quoth-{column.class_.__tablename__}.{column.key}-{user_id}"


def type_everywhere() -> None:
    """Every column that people type into holds words of its own; 0 is nobody's."""
    whose: dict[type[Base], sa.Select[Any]] = {
        User: sa.select(User.id, User.id),
        BillAccount: sa.select(BillAccount.id, BillAccount.user_id),
        SubOrder: sa.select(SubOrder.id, SubOrder.user_id),
        OrderLine: sa.select(OrderLine.id, SubOrder.user_id).join(SubOrder, SubOrder.id == OrderLine.sub_order_id),
        Refund: sa.select(Refund.id, SubOrder.user_id).join(SubOrder, SubOrder.id == Refund.sub_order_id),
        RefundProposal: sa.select(RefundProposal.id, SubOrder.user_id).join(SubOrder, SubOrder.id == RefundProposal.sub_order_id),
        Notice: sa.select(Notice.id, Notice.user_id),
        Application: sa.select(Application.id, Application.user_id),
        ApplicationMessage: sa.select(ApplicationMessage.id, Application.user_id).join(
            Application, Application.id == ApplicationMessage.application_id
        ),
        Suspension: sa.select(Suspension.id, sa.literal(0)),
        StockLoss: sa.select(StockLoss.id, sa.literal(0)),
        BulletinVersion: sa.select(BulletinVersion.id, sa.literal(0)),
        Review: (
            sa.select(Review.id, SubOrder.user_id).join(OrderLine, OrderLine.id == Review.line_id)
            .join(SubOrder, SubOrder.id == OrderLine.sub_order_id)
        ),
        ReviewVersion: sa.select(ReviewVersion.id, Review.user_id).join(Review, Review.id == ReviewVersion.review_id),
        ReviewReport: sa.select(ReviewReport.id, ReviewReport.user_id),
    }
    beside: dict[type[Base], dict[str, Any]] = {
        SubOrder: {"declined_at": clock.now()}, OrderLine: {"short_at": clock.now(), "short_quantity": 1},
        Notice: {"kind": "orders.declined"}, Review: {"state": ReviewState.HIDDEN},
    }  # fmt: skip
    texts = {column for column in registry.typed() if column.class_ is not AuditEntry}
    assert {column.class_ for column in texts} == set(whose), "say whose the rows of a new one are"
    with transaction() as session:
        for model, rows in whose.items():
            for row_id, user_id in session.execute(rows).all():
                words: dict[str, Any] = {column.key: quoth(column, user_id) for column in texts if column.class_ is model}
                if model is Notice:
                    words = {"facts": {"shop": "S", "number": "N", "amount": "1", "reason": words["facts"]}}
                session.execute(sa.update(model).where(sa.inspect(model).primary_key[0] == row_id).values(**words, **beside.get(model, {})))
        audit.record(session, COMMAND, Done.JOB_RETRIED, "job", 1, kind="bills.send", reason=quoth(AuditEntry.facts, 0))


def test_nobody_reads_what_is_not_for_them(app: Flask, client: FlaskClient, make: Factories, stripe: CardProvider) -> None:
    """And those who are named find it somewhere: the table promises nothing that is not so."""
    city = City(make)
    type_everywhere()
    asking = Asker(app, client, city, make.category("fruit").slug)
    texts = {f"{column.class_.__tablename__}.{column.key}": text for column, text in registry.typed().items()}
    seen: dict[str, set[Reader | None]] = {column: set() for column in texts}
    for door in doors(app):
        if not door.is_safe or door.rule.startswith("/dev/"):
            continue
        for role, reader in READS.items():
            me = 0 if role == "stranger" else city.people[role].id
            for whose in ("own", "other") if door.places else ("own",):
                answer = asking.ask(door, role, whose)
                said = answer.get_data(as_text=True) if answer.mimetype in READABLE else ""
                answer.close()
                for column, user_id in SPOKEN.findall(said):
                    if int(user_id) == me and (texts[column].by == YOU or reader is not Reader.BUYER):
                        continue  # one's own words, and what staff read as buyers
                    seen[column].add(reader)
    on_record = {column: {Reader.STAFF} for column in ("sub_orders.declined_reason", "order_lines.short_reason")}
    assert {column: readers | on_record.get(column, set()) for column, readers in seen.items()} == {
        column: set(text.readers) for column, text in texts.items()
    }
