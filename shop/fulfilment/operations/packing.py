"""At the merchant: accept, weigh, pack, send off; and take back what was said by mistake."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.fulfilment.errors import AlreadyArrived, DeliveryChanged, NothingLeftToPack, NothingPacked, StillOpen, WeightFarOff
from shop.fulfilment.queries import TO_PACK, batch_code
from shop.fulfilment.rules import is_far_off
from shop.fulfilment.tags import Done
from shop.kernel import clock
from shop.kernel.db import insert_once, operation, take
from shop.kernel.errors import NotFound
from shop.kernel.money import Money
from shop.kernel.statements import table
from shop.models.catalog import PricedBy
from shop.models.orders import OrderLine, Purchase, PurchaseState, SubOrder, SubOrderState
from shop.models.pickup import Batch, BatchState, Cycle
from shop.orders import operations as orders
from shop.orders.operations.step import open_step, open_steps_of
from shop.orders.permissions import OrderPermission
from shop.orders.rules import MOST_GRAMS
from shop.pickup import operations as pickup
from shop.pickup.rules import is_open
from shop.platform import audit
from shop.platform.actor import Actor
from shop.platform.belonging import belonging_to

SUB_ORDERS = table(SubOrder)
BATCHES = table(Batch)


@dataclass(frozen=True, slots=True)
class Packed:
    """A packed sub-order: what went back to the buyer by this (negative: was taken again), and the batch it travels with. `is_new` is
    False when it was packed before.
    """

    sub_order_id: int
    refunded: Money
    batch_code: str
    is_new: bool


@operation
def accept_all(session: Session, actor: Actor, cycle_id: int) -> int:
    """Accept every paid order of a delivery that waits for it; the number accepted. Raises `NotFound` for other merchants' deliveries."""
    _own_cycle(session, actor, cycle_id, OrderPermission.SHOP_PACK)
    waiting = session.scalars(
        sa.select(SUB_ORDERS.c.id)
        .join(Purchase, Purchase.id == SUB_ORDERS.c.purchase_id)
        .where(SUB_ORDERS.c.cycle_id == cycle_id, SUB_ORDERS.c.state == SubOrderState.PLACED, Purchase.state == PurchaseState.PAID)
        .order_by(SUB_ORDERS.c.id)
    ).all()
    return sum(orders.accept(session, actor, sub_order_id) for sub_order_id in waiting)


@operation
def pack(
    session: Session, actor: Actor, sub_order_id: int, weights: Mapping[int, int] | None = None, sure: Mapping[int, int] | None = None,
    instead: Mapping[int, int] | None = None,
) -> Packed:  # fmt: skip
    """Accept if need be, write down the weights (grams by line id), give back what weighs less, and put it into its delivery's batch.

    All of it or nothing. Packed before: the same weights change nothing, another weight is a correction, until it is sent. A weight
    far from what was ordered is only taken when it is in `sure` as well; a line that somebody weighed differently only with that
    weight in `instead`. Raises `NotFound`, `WeightFarOff`, `NothingLeftToPack` and whatever the steps of `shop.orders` raise
    (`LinesNotWeighed`, `AlreadyWeighed`, `CannotTakeAgain`, `WeightOutOfRange`, `WrongState`).
    """
    columns = (SUB_ORDERS.c.merchant_id, SUB_ORDERS.c.cycle_id, SUB_ORDERS.c.purchase_id)
    part = session.execute(sa.select(*columns).where(SUB_ORDERS.c.id == sub_order_id)).one_or_none()
    if part is None or part.merchant_id not in actor.merchants(OrderPermission.SHOP_PACK):
        raise NotFound()
    batch = _open_batch(session, part.cycle_id)
    if batch.state is BatchState.PLANNED:
        planned = sa.update(BATCHES).where(BATCHES.c.id == batch.id, BATCHES.c.state == BatchState.PLANNED)
        take(session, planned.values(state=BatchState.PACKING))
    is_new = open_step(session, part.purchase_id).part(sub_order_id).state is not SubOrderState.PACKED
    if is_new:
        orders.accept(session, actor, sub_order_id)
    weights, instead = weights or {}, instead or {}
    _look_twice(session, sub_order_id, weights, sure or {})
    each = (orders.weigh_line(session, actor, line_id, grams, instead.get(line_id)) for line_id, grams in sorted(weights.items()))
    given_back = Money.total(each)
    if is_new:
        orders.mark_packed(session, actor, sub_order_id)
    money = session.execute(sa.select(SUB_ORDERS.c.total, SUB_ORDERS.c.refunded_total).where(SUB_ORDERS.c.id == sub_order_id)).one()
    if (is_new or given_back) and money.total and money.refunded_total >= money.total:
        raise NothingLeftToPack()
    if is_new:
        audit.record(session, actor, Done.SUB_ORDER_PUT_INTO_BATCH, "sub_order", sub_order_id, batch=batch.code, refunded=given_back.fen)
    return Packed(sub_order_id, given_back, batch.code, is_new)


@operation
def unpack(session: Session, actor: Actor, sub_order_ids: Collection[int], reason: str = "") -> int:
    """Packed orders are open again, with the weights that were written down; how many. Told again, nothing changes.

    All or nothing: raises `NotFound` for other merchants' orders, `WrongState` for what has left.
    """
    return orders.unpack(session, actor, sorted(set(sub_order_ids)), reason)


def _look_twice(session: Session, sub_order_id: int, weights: Mapping[int, int], sure: Mapping[int, int]) -> None:
    """Refuse weights of other orders, and those that are most likely a slip unless they were said to be right."""
    ordered = OrderLine.unit_grams * (OrderLine.quantity - OrderLine.short_quantity)
    rows = session.execute(sa.select(OrderLine.id, ordered, OrderLine.priced_by).where(OrderLine.sub_order_id == sub_order_id))
    nominal = {line_id: grams if priced_by is PricedBy.WEIGHT else None for line_id, grams, priced_by in rows}
    if not nominal.keys() >= weights.keys():
        raise NotFound()
    for line_id, grams in sorted(weights.items()):
        expected = nominal[line_id]
        if expected and 0 <= grams <= MOST_GRAMS and is_far_off(grams, expected) and sure.get(line_id) != grams:
            raise WeightFarOff(field=f"grams-{line_id}", grams=grams, ordered=expected)


@operation
def hand_to_driver(
    session: Session, actor: Actor, cycle_id: int, *, staying: int | None = None, before_cut_off: bool = False
) -> int:  # fmt: skip
    """Seal the batch of a delivery and send off everything packed; the number of sub-orders that left. From then on nobody joins it.

    What is packed later can be sent after it the same way. `staying` is how many were to stay behind as the person saw it: raises
    `DeliveryChanged` when it is another number by now. Before its cut-off it raises `StillOpen`, unless that is meant
    (`before_cut_off`): then it is closed for new orders at once. Also raises `NothingPacked`, `NotFound`.
    """
    _own_cycle(session, actor, cycle_id, OrderPermission.SHOP_SEND)
    batch = _held_batch(session, cycle_id)
    in_cycle = sa.select(SUB_ORDERS.c.id).where(SUB_ORDERS.c.cycle_id == cycle_id)
    ids = session.scalars(in_cycle.where(SUB_ORDERS.c.state == SubOrderState.PACKED).order_by(SUB_ORDERS.c.id)).all()
    packed = [part.id for part in open_steps_of(session, ids)[1] if part.state is SubOrderState.PACKED] if ids else []
    if not packed:
        if batch.state in (BatchState.PLANNED, BatchState.PACKING):
            raise NothingPacked()
        return 0
    cycle = session.execute(sa.select(Cycle.cut_off_at, Cycle.closed_at).where(Cycle.id == cycle_id)).one()
    if cycle.closed_at is None and is_open(cycle.cut_off_at, clock.now()) and not before_cut_off:
        raise StillOpen()
    pickup.close_cycle(session, cycle_id)
    if staying is not None and staying != _waiting(session, cycle_id):
        raise DeliveryChanged()
    left = orders.mark_in_transit(session, actor, packed)
    not_sent = (BatchState.PLANNED, BatchState.PACKING, BatchState.SEALED)
    on_its_way = sa.update(BATCHES).where(BATCHES.c.id == batch.id, BATCHES.c.state.in_(not_sent))
    take(session, on_its_way.values(state=BatchState.IN_TRANSIT, sealed_at=clock.now()))
    audit.record(session, actor, Done.BATCH_HANDED_TO_DRIVER, "batch", batch.id, sub_orders=left)
    return left


@operation
def take_back_sending(session: Session, actor: Actor, cycle_id: int, reason: str) -> int:
    """A delivery has not left after all: everything of it is packed as before, and up to its cut-off it can be joined again.

    How many orders are back; told again: 0. Raises `AlreadyArrived` once the point has received any of it, `ReasonMissing`, `NotFound`.
    """
    _own_cycle(session, actor, cycle_id, OrderPermission.SHOP_SEND)
    batch = _held_batch(session, cycle_id)
    if batch.state in (BatchState.ARRIVED, BatchState.CHECKED, BatchState.CLOSED):
        raise AlreadyArrived()
    sent = sa.select(SUB_ORDERS.c.id).where(SUB_ORDERS.c.cycle_id == cycle_id, SUB_ORDERS.c.state == SubOrderState.IN_TRANSIT)
    ids = session.scalars(sent.order_by(SUB_ORDERS.c.id)).all()
    back = orders.bring_back(session, actor, ids, reason)
    on_its_way = sa.update(BATCHES).where(BATCHES.c.id == batch.id, BATCHES.c.state == BatchState.IN_TRANSIT)
    if take(session, on_its_way.values(state=BatchState.PACKING, sealed_at=None)):
        pickup.reopen_cycle(session, cycle_id)
        audit.record(session, actor, Done.BATCH_BROUGHT_BACK, "batch", batch.id, sub_orders=back, reason=reason)
    return back


def _waiting(session: Session, cycle_id: int) -> int:
    """How many paid orders of a delivery are not packed."""
    of_it = (SubOrder.cycle_id == cycle_id, SubOrder.state.in_(TO_PACK), Purchase.state == PurchaseState.PAID)
    unpacked = sa.select(sa.func.count()).select_from(SubOrder).join(Purchase, Purchase.id == SubOrder.purchase_id)
    return session.scalar(unpacked.where(*of_it)) or 0


def _own_cycle(session: Session, actor: Actor, cycle_id: int, permission: OrderPermission) -> None:
    merchant_id = session.scalar(sa.select(Cycle.merchant_id).where(Cycle.id == cycle_id))
    if merchant_id is None or merchant_id not in actor.merchants(permission):
        raise NotFound()


def _open_batch(session: Session, cycle_id: int) -> Any:
    """The batch of a delivery (id, code, state), opened when first needed."""
    batch = sa.select(BATCHES.c.id, BATCHES.c.code, BATCHES.c.state).where(BATCHES.c.cycle_id == cycle_id)
    there = session.execute(batch).one_or_none()
    if there is None:
        open_batch(session, cycle_id)
        there = session.execute(batch).one()
    return there


def _held_batch(session: Session, cycle_id: int) -> Any:
    """The batch of a delivery, locked: it leaves, comes back or arrives once at a time."""
    _open_batch(session, cycle_id)
    held = sa.select(BATCHES.c.id, BATCHES.c.code, BATCHES.c.state).where(BATCHES.c.cycle_id == cycle_id)
    return session.execute(held.with_for_update(key_share=True)).one()


def open_batch(session: Session, cycle_id: int) -> None:
    """Open the batch of a delivery unless it is there."""
    arrives_on = session.execute(sa.select(Cycle.arrives_on).where(Cycle.id == cycle_id)).scalar_one()
    insert_once(
        session, Batch, code=batch_code(arrives_on, cycle_id), community_id=belonging_to("cycle", cycle_id), cycle_id=cycle_id,
        state=BatchState.PLANNED, created_at=clock.now(), sealed_at=None, arrived_at=None, arrived_by_id=None,
    )
