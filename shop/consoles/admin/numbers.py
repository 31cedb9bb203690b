"""The numbers people know things by: what stands on a receipt or a label, for the rows of the audit trail and back."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.consoles.admin.queries import Deed
from shop.models.catalog import Variant
from shop.models.orders import OrderLine, Purchase, SubOrder
from shop.models.payments import Payment, Refund
from shop.models.pickup import Batch

Subjects = dict[str, tuple[int, ...]]
"""Ids by what kind of thing they are of, as the trail calls it."""

PRINTED = re.compile(r"[LT][0-9]{6}-[0-9A-Z-]{4,20}", re.ASCII)

NUMBERS: dict[str, Any] = {
    "purchase": sa.select(Purchase.id, Purchase.number),
    "sub_order": sa.select(SubOrder.id, SubOrder.number),
    "order_line": sa.select(OrderLine.id, SubOrder.number).join(SubOrder, SubOrder.id == OrderLine.sub_order_id),
    "batch": sa.select(Batch.id, Batch.code),
    "payment": sa.select(Payment.id, Payment.ref),
    "refund": sa.select(Refund.id, Refund.ref),
    "variant": sa.select(Variant.id, Variant.code),
}


def is_printed(text: str) -> bool:
    """Whether that may be the number of an order, of one shop's part of it, or of a delivery."""
    return PRINTED.fullmatch(text) is not None


def numbers_of(session: Session, deeds: Iterable[Deed]) -> dict[tuple[str, int], str]:
    """What the things of these deeds are called, by kind and id. One query; things without a number of their own are left out."""
    ids: dict[str, set[int]] = {}
    for deed in deeds:
        if deed.subject_type in NUMBERS:
            ids.setdefault(deed.subject_type, set()).add(deed.subject_id)
    if not ids:
        return {}
    found = [
        NUMBERS[kind].where(NUMBERS[kind].selected_columns[0].in_(sorted(wanted))).add_columns(sa.literal(kind))
        for kind, wanted in sorted(ids.items())
    ]
    return {(row[2], row[0]): row[1] for row in session.execute(sa.union_all(*found))}


def subjects_named(session: Session, number: str) -> Subjects:
    """All that the trail may tell of an order, of one shop's part of it or of a delivery; empty when there is none of this number."""
    if batches := tuple(session.scalars(sa.select(Batch.id).where(Batch.code == number))):
        return {"batch": batches}
    purchase = session.scalars(sa.select(Purchase.id).where(Purchase.number == number)).one_or_none()
    wanted = SubOrder.number == number if purchase is None else SubOrder.purchase_id == purchase
    parts = tuple(session.scalars(sa.select(SubOrder.id).where(wanted)))
    if not parts:
        return {}
    found: Subjects = {
        "sub_order": parts,
        "order_line": tuple(session.scalars(sa.select(OrderLine.id).where(OrderLine.sub_order_id.in_(parts)))),
        "refund": tuple(session.scalars(sa.select(Refund.id).where(Refund.sub_order_id.in_(parts)))),
    }
    if purchase is not None:
        found["purchase"] = (purchase,)
        found["payment"] = tuple(session.scalars(sa.select(Payment.id).where(Payment.purchase_id == purchase)))
    return found
