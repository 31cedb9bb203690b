"""A step on an order: its rows locked in the house's order, and read as they are now.

Whatever moves an order, or gives money of it back, opens a step first. What was read before is only good for finding out which
order is meant.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel.errors import NotFound
from shop.kernel.money import Money
from shop.kernel.rows import all_as
from shop.kernel.statements import table
from shop.models.orders import PaymentMethod, Purchase, PurchaseState, SubOrder, SubOrderState
from shop.models.payments import Payment

PURCHASES = table(Purchase)
SUB_ORDERS = table(SubOrder)
PAYMENTS = table(Payment)


@dataclass(frozen=True, slots=True)
class Part:
    """A sub-order, as far as steps and refunds go."""

    id: int
    number: str
    purchase_id: int
    merchant_id: int
    user_id: int
    pickup_point_id: int
    cycle_id: int
    state: SubOrderState
    fee_total: Money
    total: Money
    supported_total: Money
    refunded_total: Money
    commission_bps: int

    @property
    def left(self) -> Money:
        """What has not been given back."""
        return self.total - self.refunded_total


@dataclass(frozen=True, slots=True)
class Step:
    """A purchase with all its parts by id, locked until the transaction ends. `paid_by` is the payment whose money it has."""

    purchase_id: int
    number: str
    user_id: int
    pickup_point_id: int
    state: PurchaseState
    method: PaymentMethod
    total: Money
    paid_by: int | None
    parts: tuple[Part, ...]

    def part(self, sub_order_id: int) -> Part:
        """One of its parts. Raises `NotFound`."""
        for part in self.parts:
            if part.id == sub_order_id:
                return part
        raise NotFound()


PART = tuple(SUB_ORDERS.c[name] for name in Part.__slots__)
ORDER = [PURCHASES.c[name] for name in ("number", "user_id", "pickup_point_id", "state", "method", "total")]

# Made once: building a statement costs more than running it.
IDS: Any = sa.bindparam("ids", expanding=True)
PURCHASES_OF = sa.select(SUB_ORDERS.c.id, SUB_ORDERS.c.purchase_id).where(SUB_ORDERS.c.id.in_(IDS))
ATTEMPTS = (
    sa.select(PAYMENTS.c.id, PAYMENTS.c.purchase_id, PAYMENTS.c.pays_purchase)
    .where(PAYMENTS.c.purchase_id.in_(IDS))
    .order_by(PAYMENTS.c.id)
    .with_for_update(key_share=True)
)
ORDERS = (
    sa.select(PURCHASES.c.id.label("purchase_id"), *ORDER)
    .where(PURCHASES.c.id.in_(IDS))
    .order_by(PURCHASES.c.id)
    .with_for_update(key_share=True)
)
PARTS = sa.select(*PART).where(SUB_ORDERS.c.purchase_id.in_(IDS)).order_by(SUB_ORDERS.c.id).with_for_update(key_share=True)


def parts_where(session: Session, *conditions: Any) -> list[Part]:
    """Sub-orders by id, not locked."""
    return all_as(Part, session.execute(sa.select(*PART).where(*conditions).order_by(SUB_ORDERS.c.id)))


def part_of(session: Session, sub_order_id: int) -> Part:
    """One sub-order, not locked. Raises `NotFound`."""
    found = parts_where(session, SUB_ORDERS.c.id == sub_order_id)
    if not found:
        raise NotFound()
    return found[0]


def part_numbered(session: Session, number: str) -> Part:
    """One sub-order by the number people know it by, not locked. Raises `NotFound`."""
    found = parts_where(session, SUB_ORDERS.c.number == number)
    if not found:
        raise NotFound()
    return found[0]


def open_step(session: Session, purchase_id: int) -> Step:
    """Lock one order and read it anew. Raises `NotFound`. Opened again in the same transaction it is read again."""
    return open_steps(session, [purchase_id])[purchase_id]


def open_steps(session: Session, purchase_ids: Collection[int]) -> dict[int, Step]:
    """Lock these orders and read them anew, by id: all their payments, then the purchases, then the sub-orders, each by id.

    Whoever locks more (accounts of wallets, slots, stock) does so afterwards, in that order. Raises `NotFound` unless all are there.
    """
    ids, connection = sorted(set(purchase_ids)), session.connection()
    paid_by: dict[int, int] = {}
    for payment_id, purchase_id, pays_purchase in connection.execute(ATTEMPTS, {"ids": ids}):
        if pays_purchase:
            paid_by[purchase_id] = payment_id
    rows = connection.execute(ORDERS, {"ids": ids}).mappings().all()
    if len(rows) != len(ids):
        raise NotFound()
    parts: dict[int, list[Part]] = {purchase_id: [] for purchase_id in ids}
    for part in all_as(Part, connection.execute(PARTS, {"ids": ids})):
        parts[part.purchase_id].append(part)
    return {
        row["purchase_id"]: Step(**row, paid_by=paid_by.get(row["purchase_id"]), parts=tuple(parts[row["purchase_id"]])) for row in rows
    }


def open_step_of(session: Session, sub_order_id: int) -> tuple[Step, Part]:
    """Lock the order a sub-order belongs to; the step, and that part as it is now. Raises `NotFound`."""
    step = open_step(session, part_of(session, sub_order_id).purchase_id)
    return step, step.part(sub_order_id)


def open_steps_of(session: Session, sub_order_ids: Collection[int]) -> tuple[dict[int, Step], list[Part]]:
    """Lock the orders these sub-orders belong to; the steps, and those parts by id as they are now. Raises `NotFound`."""
    wanted = set(sub_order_ids)
    found = session.connection().execute(PURCHASES_OF, {"ids": sorted(wanted)}).all()
    if len(found) != len(wanted):
        raise NotFound()
    steps = open_steps(session, {row.purchase_id for row in found})
    return steps, parts_in(steps, wanted)


def parts_in(steps: Mapping[int, Step], sub_order_ids: Collection[int]) -> list[Part]:
    """Those parts of opened steps, by id. Raises `NotFound` unless all are in one of them."""
    parts = [part for step in steps.values() for part in step.parts if part.id in sub_order_ids]
    if len(parts) != len(set(sub_order_ids)):
        raise NotFound()
    return sorted(parts, key=lambda part: part.id)
