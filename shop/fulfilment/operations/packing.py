"""At the merchant: accept, weigh, pack, send off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.fulfilment.errors import NothingLeftToPack, NothingPacked, WeightFarOff
from shop.fulfilment.queries import MERCHANT_ROLES, batch_code
from shop.fulfilment.rules import is_far_off
from shop.kernel import clock
from shop.kernel.db import insert_once, operation, take
from shop.kernel.errors import NotFound
from shop.kernel.money import ZERO, Money
from shop.models.catalog import PricedBy
from shop.models.orders import OrderLine, Purchase, PurchaseState, SubOrder, SubOrderState
from shop.models.pickup import Batch, BatchState, Cycle
from shop.orders import operations as orders
from shop.orders.operations.refunding import lock_payment
from shop.orders.rules import MOST_GRAMS
from shop.platform import audit
from shop.platform.actor import Actor

SUB_ORDERS = cast(sa.Table, SubOrder.__table__)
BATCHES = cast(sa.Table, Batch.__table__)


@dataclass(frozen=True, slots=True)
class Packed:
    """A packed sub-order: what went back to the buyer, and the batch it travels with. `is_new` is False when it was packed before."""

    sub_order_id: int
    refunded: Money
    batch_code: str
    is_new: bool


@operation
def accept_all(session: Session, actor: Actor, cycle_id: int) -> int:
    """Accept every paid order of a delivery that waits for it; the number accepted. Raises `NotFound` for other merchants' deliveries."""
    _own_cycle(session, actor, cycle_id)
    waiting = session.scalars(
        sa.select(SUB_ORDERS.c.id)
        .join(Purchase, Purchase.id == SUB_ORDERS.c.purchase_id)
        .where(SUB_ORDERS.c.cycle_id == cycle_id, SUB_ORDERS.c.state == SubOrderState.PLACED, Purchase.state == PurchaseState.PAID)
        .order_by(SUB_ORDERS.c.id)
    ).all()
    return sum(orders.accept(session, actor, sub_order_id) for sub_order_id in waiting)


@operation
def pack(
    session: Session, actor: Actor, sub_order_id: int, weights: Mapping[int, int] | None = None, sure: Mapping[int, int] | None = None
) -> Packed:  # fmt: skip
    """Accept if need be, write down the weights (grams by line id), give back what weighs less, and put it into its delivery's batch.

    All of it or nothing. Packed before: nothing changes. A weight far from what was ordered is only taken when it is in `sure` as well.
    Raises `NotFound`, `WeightFarOff`, `NothingLeftToPack` and whatever the steps of `shop.orders` raise (`LinesNotWeighed`,
    `AlreadyWeighed`, `WeightOutOfRange`, `WrongState`).
    """
    columns = (SUB_ORDERS.c.merchant_id, SUB_ORDERS.c.cycle_id, SUB_ORDERS.c.purchase_id, SUB_ORDERS.c.state)
    part = session.execute(sa.select(*columns).where(SUB_ORDERS.c.id == sub_order_id)).one_or_none()
    if part is None or part.merchant_id not in actor.merchants(*MERCHANT_ROLES):
        raise NotFound()
    batch = _open_batch(session, part.cycle_id)
    if batch.state is BatchState.PLANNED:
        planned = sa.update(BATCHES).where(BATCHES.c.id == batch.id, BATCHES.c.state == BatchState.PLANNED)
        take(session, planned.values(state=BatchState.PACKING))
    lock_payment(session, part.purchase_id)
    locked = sa.select(SUB_ORDERS.c.state).where(SUB_ORDERS.c.id == sub_order_id).with_for_update(key_share=True)
    state = session.execute(locked).scalar_one()
    if state is SubOrderState.PACKED:
        return Packed(sub_order_id, ZERO, batch.code, is_new=False)
    orders.accept(session, actor, sub_order_id)
    weights = weights or {}
    _look_twice(session, sub_order_id, weights, sure or {})
    given_back = Money.total(orders.weigh_line(session, actor, line_id, weights[line_id]) for line_id in sorted(weights))
    orders.mark_packed(session, actor, sub_order_id)
    money = session.execute(sa.select(SUB_ORDERS.c.total, SUB_ORDERS.c.refunded_total).where(SUB_ORDERS.c.id == sub_order_id)).one()
    if money.total and money.refunded_total >= money.total:
        raise NothingLeftToPack()
    audit.record(session, actor, "sub_order.put_into_batch", "sub_order", sub_order_id, batch=batch.code, refunded=given_back.fen)
    return Packed(sub_order_id, given_back, batch.code, is_new=True)


def _look_twice(session: Session, sub_order_id: int, weights: Mapping[int, int], sure: Mapping[int, int]) -> None:
    """Refuse weights of other orders, and those that are most likely a slip unless they were said to be right."""
    ordered = OrderLine.unit_grams * OrderLine.quantity
    rows = session.execute(sa.select(OrderLine.id, ordered, OrderLine.priced_by).where(OrderLine.sub_order_id == sub_order_id))
    nominal = {line_id: grams if priced_by is PricedBy.WEIGHT else None for line_id, grams, priced_by in rows}
    if not nominal.keys() >= weights.keys():
        raise NotFound()
    for line_id, grams in sorted(weights.items()):
        expected = nominal[line_id]
        if expected and 0 <= grams <= MOST_GRAMS and is_far_off(grams, expected) and sure.get(line_id) != grams:
            raise WeightFarOff(field=f"grams-{line_id}", grams=grams, ordered=expected)


@operation
def hand_to_driver(session: Session, actor: Actor, cycle_id: int) -> int:
    """Seal the batch of a delivery and send off everything packed; the number of sub-orders that left.

    What is packed later can be sent after it the same way. Raises `NothingPacked`, `NotFound`.
    """
    _own_cycle(session, actor, cycle_id)
    batch = _open_batch(session, cycle_id)
    packed = session.scalars(
        sa.select(SUB_ORDERS.c.id)
        .where(SUB_ORDERS.c.cycle_id == cycle_id, SUB_ORDERS.c.state == SubOrderState.PACKED)
        .order_by(SUB_ORDERS.c.id)
        .with_for_update(key_share=True)
    ).all()
    if not packed:
        if batch.state in (BatchState.PLANNED, BatchState.PACKING):
            raise NothingPacked()
        return 0
    left = orders.mark_in_transit(session, actor, packed)
    not_sent = (BatchState.PLANNED, BatchState.PACKING, BatchState.SEALED)
    on_its_way = sa.update(BATCHES).where(BATCHES.c.id == batch.id, BATCHES.c.state.in_(not_sent))
    take(session, on_its_way.values(state=BatchState.IN_TRANSIT, sealed_at=clock.now()))
    audit.record(session, actor, "batch.handed_to_driver", "batch", batch.id, sub_orders=left)
    return left


def _own_cycle(session: Session, actor: Actor, cycle_id: int) -> None:
    merchant_id = session.scalar(sa.select(Cycle.merchant_id).where(Cycle.id == cycle_id))
    if merchant_id is None or merchant_id not in actor.merchants(*MERCHANT_ROLES):
        raise NotFound()


def _open_batch(session: Session, cycle_id: int) -> Any:
    """The batch of a delivery (id, code, state), opened when first needed."""
    batch = sa.select(BATCHES.c.id, BATCHES.c.code, BATCHES.c.state).where(BATCHES.c.cycle_id == cycle_id)
    there = session.execute(batch).one_or_none()
    if there is None:
        open_batch(session, cycle_id)
        there = session.execute(batch).one()
    return there


def open_batch(session: Session, cycle_id: int) -> None:
    """Open the batch of a delivery unless it is there."""
    arrives_on = session.execute(sa.select(Cycle.arrives_on).where(Cycle.id == cycle_id)).scalar_one()
    insert_once(
        session, Batch, code=batch_code(arrives_on, cycle_id), cycle_id=cycle_id, state=BatchState.PLANNED, created_at=clock.now(),
        sealed_at=None, arrived_at=None, arrived_by_id=None,
    )
