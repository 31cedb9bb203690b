"""Words about bills: a running biller, saved accounts, paying, and driving the jobs until nothing is left to do."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask

from shop.bills import operations, queries
from shop.bills.gateway import HttpBiller
from shop.bills.operations import Wish
from shop.bills.queries import AccountView
from shop.kernel import clock, ids
from shop.kernel.db import database, perform, reading, transaction
from shop.kernel.money import Money
from shop.models.accounts import User
from shop.models.bills import AmountRule, BillAttempt, Biller, BillerFlow, BillPayment
from shop.platform import outbox
from shop.wallet.rules import Proof
from simulators.biller.app import running_biller
from simulators.biller.channel import Channel
from tests.support.factories import actor_of

CSV = Path(__file__).resolve().parents[2] / "simulators" / "biller" / "billers.csv"


def save_billers(**changes: dict[str, Any]) -> None:
    """The twelve billers of the simulator; `changes` by code (with underscores) set other values."""
    with CSV.open(encoding="utf-8") as file, transaction() as session:
        for position, row in enumerate(csv.DictReader(file)):
            facts = {
                "code": row["code"], "name_zh": row["name_zh"], "name_en": row["name_en"], "category": row["category"], "mode": row["mode"],
                "flow": BillerFlow(row["flow"]), "account_pattern": row["account_pattern"], "amount_rule": AmountRule(row["amount_rule"]),
                "channel": row["channel"], "late_fee_bps_per_day": int(row["late_fee_bp_per_day"]), "position": position,
            }
            session.add(Biller(**{**facts, **changes.get(row["code"].replace("-", "_"), {})}))


@contextmanager
def billers_running(app: Flask, *, timeout_seconds: float = 8, settle_seconds: float = 60, **settings: Any) -> Iterator[Channel]:
    """The billers in the database and their simulator behind the app's gateway; its own books through the channel."""
    save_billers()
    before = app.extensions["biller"]
    with running_biller(speed="fast", **settings) as address:
        app.extensions["biller"] = HttpBiller(address, "demo-biller-key", timeout_seconds, timedelta(seconds=settle_seconds))
        try:
            yield Channel(address)
        finally:
            app.extensions["biller"] = before


def add(user: User, biller: str, account_no: str) -> AccountView:
    """Save an account and let the biller answer."""
    made = perform(operations.save_account, actor_of(user), biller, account_no)
    outbox.run_due()
    return account(user, made.ref)


def account(user: User, ref: str) -> AccountView:
    """A saved account as it is now."""
    database.session.rollback()
    return queries.get_account(reading(), actor_of(user), ref)


def pay(user: User, view: AccountView, *, periods: int | None = None, amount: int | None = None, **wishes: Any) -> BillPayment:
    """Pay what is due (or the oldest `periods`), or buy for `amount` fen, the PIN having been shown."""
    bills = view.due[:periods] if amount is None else ()
    wish = {
        "seen_total": Money(amount) if amount is not None else Money.total(bill.total for bill in bills), "request_key": ids.secret(),
        "account_ref": view.account.ref, "bill_refs": tuple(bill.ref for bill in bills), "amount": Money(amount) if amount else None,
        **wishes,
    }  # fmt: skip
    return perform(operations.pay, actor_of(user), Wish(**wish), Proof(user.id))


def payment(ref: str) -> BillPayment:
    """A payment as it is now."""
    database.session.rollback()
    return reading().scalars(sa.select(BillPayment).where(BillPayment.ref == ref).execution_options(populate_existing=True)).one()


def tries(ref: str) -> list[tuple[str, str]]:
    """Kind and outcome of every call about a payment, oldest first."""
    found = reading().scalars(sa.select(BillAttempt).where(BillAttempt.bill_payment_id == payment(ref).id).order_by(BillAttempt.number))
    return [(known.kind.value, known.outcome.value if known.outcome else "") for known in found]


def let_pass(seconds: float) -> None:
    """Move the clock on and run what is due then."""
    clock.move(clock.shift() + timedelta(seconds=seconds))
    outbox.run_due()


def until_settled(*, hours: float = 3, really_wait: float = 0.25) -> None:
    """Move the clock from one due job to the next, a little real time for the biller in between, until no job is left in that time."""
    end = clock.now() + timedelta(hours=hours)
    for _round in range(2_000):
        outbox.run_due()
        database.session.rollback()
        from_now = sa.select(sa.func.min(outbox.Job.run_at)).where(outbox.Job.state == outbox.JobState.QUEUED)
        next_at = reading().scalar(from_now)
        if next_at is None or next_at > end:
            return
        time.sleep(really_wait)
        clock.move(clock.shift() + max(next_at - clock.now(), timedelta(0)) + timedelta(milliseconds=1))
    raise AssertionError("never settled")
