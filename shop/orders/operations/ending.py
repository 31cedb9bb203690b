"""How an order ends when nobody ends it: it never came, nobody collected it, or all is well and the time for claims is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.db import operation, take
from shop.kernel.errors import NotFound
from shop.kernel.money import Money
from shop.kernel.statements import table
from shop.models.orders import SubOrder, SubOrderState
from shop.orders.errors import WrongState
from shop.orders.operations.closing import close_if_done, wanted_of
from shop.orders.operations.fulfilling import release
from shop.orders.operations.refunding import give_back
from shop.orders.operations.step import Part, Step, open_step_of, open_steps_of
from shop.orders.permissions import OrderPermission
from shop.orders.rules import COMES_FROM, works_for
from shop.orders.tags import Done
from shop.pickup import operations as pickup
from shop.platform import audit, notices
from shop.platform.actor import Actor
from shop.stock import operations as stock
from shop.stock.queries import UNPACKED

SUB_ORDERS = table(SubOrder)


@operation
def not_delivered(session: Session, actor: Actor, step: Step, part: Part, reason: str) -> Money:
    """A part that should be at its point never came: all that is left of its money goes back, and its buyer is told. The amount.

    Goods are not put back into stock: nobody knows where they are. What of unpacked ones a count had missed is not missing any more.
    Raises `WrongState` when it is at the point or has ended.
    """
    _end(session, part, SubOrderState.SHORT)
    if part.left:
        give_back(session, step, part, part.left, f"sub_order:{part.id}:short", reason)
    audit.record(session, actor, Done.SUB_ORDER_NOT_DELIVERED, "sub_order", part.id, amount=part.left.fen, reason=reason)
    notices.post(
        session, part.user_id, "orders.not_delivered", dedupe_key=f"sub_order:{part.id}:not_delivered", link=f"/orders/{step.number}",
        number=part.number, amount=str(part.left),
    )
    pickup.free_slots(session, [part.cycle_id])
    if part.state in UNPACKED:
        stock.not_there(session, actor, wanted_of(session, [part]))
    close_if_done(session, [step.purchase_id])
    return part.left


@operation
def not_collected(session: Session, actor: Actor, step: Step, part: Part, back: Money, reason: str) -> None:
    """What lay ready was not collected: `back` of its money goes back to the buyer, the rest to its shop as if it had been collected.

    Raises `WrongState` when it was collected after all, `RefundTooLarge` for more than is left.
    """
    if part.state is not SubOrderState.READY:
        raise WrongState()
    if back:
        give_back(session, step, part, back, f"sub_order:{part.id}:not_collected", reason)
    _end(session, part, SubOrderState.NOT_COLLECTED)
    release(session, [replace(part, state=SubOrderState.NOT_COLLECTED, refunded_total=part.refunded_total + back)])
    audit.record(session, actor, Done.SUB_ORDER_NOT_COLLECTED, "sub_order", part.id, amount=back.fen, reason=reason)
    kind = "orders.not_collected_back" if back else "orders.not_collected"
    notices.post(
        session, part.user_id, kind, dedupe_key=f"sub_order:{part.id}:not_collected", link=f"/orders/{step.number}", number=part.number,
        amount=str(back),
    )
    close_if_done(session, [step.purchase_id])


@operation
def returned(session: Session, actor: Actor, sub_order_id: int) -> bool:
    """What nobody collected is back at its shop. False when that was said before; raises `NotFound`, `WrongState`."""
    _step, part = open_step_of(session, sub_order_id)
    if not works_for(actor, part.merchant_id, OrderPermission.RETURN_RECEIVE):
        raise NotFound()
    if part.state is SubOrderState.RETURNED:
        return False
    if part.state is not SubOrderState.NOT_COLLECTED:
        raise WrongState()
    back = sa.update(SUB_ORDERS).where(SUB_ORDERS.c.id == part.id, SUB_ORDERS.c.state == SubOrderState.NOT_COLLECTED)
    if not take(session, back.values(state=SubOrderState.RETURNED, returned_at=clock.now())):
        raise WrongState()
    audit.record(session, actor, Done.SUB_ORDER_RETURNED, "sub_order", part.id)
    return True


@operation
def complete(session: Session, actor: Actor, sub_order_ids: Sequence[int]) -> int:
    """The time for claims is over: collected orders are completed; how many. Those that are not collected (any more) stay as they are."""
    _steps, parts = open_steps_of(session, sub_order_ids)
    collected = [part.id for part in parts if part.state is SubOrderState.COLLECTED]
    moved = session.execute(
        sa.update(SUB_ORDERS)
        .where(SUB_ORDERS.c.id.in_(collected), SUB_ORDERS.c.state.in_(COMES_FROM[SubOrderState.COMPLETED]))
        .values(state=SubOrderState.COMPLETED, completed_at=clock.now())
        .returning(SUB_ORDERS.c.id)
    ).all()
    audit.record_each(session, actor, Done.SUB_ORDER_COMPLETED, "sub_order", sorted(row.id for row in moved))
    return len(moved)


def _end(session: Session, part: Part, state: SubOrderState) -> None:
    """Compare-and-set into an end state."""
    there = sa.update(SUB_ORDERS).where(SUB_ORDERS.c.id == part.id, SUB_ORDERS.c.state.in_(COMES_FROM[state]))
    if not take(session, there.values(state=state, ended_at=clock.now())):
        raise WrongState()
