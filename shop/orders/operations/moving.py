"""Money came when the delivery had left already: the goods come with the next one, or all of it goes back."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.db import operation
from shop.kernel.errors import ShopError
from shop.kernel.statements import table
from shop.models.orders import OrderLine, SubOrder, SubOrderState
from shop.models.pickup import Cycle
from shop.orders.operations.closing import close_if_done, wanted_of
from shop.orders.operations.refunding import give_back
from shop.orders.operations.step import Part, Step, open_step
from shop.orders.rules import LEFT_BEFORE
from shop.orders.tags import Done
from shop.pickup import operations as pickup
from shop.pickup.queries import CycleFacts, next_cycles
from shop.platform import audit, notices
from shop.platform.actor import JOB
from shop.stock import operations as stock

CYCLES = table(Cycle)
SUB_ORDERS = table(SubOrder)
LINES = table(OrderLine)


@operation
def follow_on(session: Session, purchase_id: int) -> int:
    """Move those parts of a purchase that has just been paid whose delivery has left to their shop's next delivery to the same point;
    how many had missed theirs. The buyer is told, and may cancel until the new cut-off as always.

    Where there is no next delivery with a slot the part is given up: its money and goods go back. It waits for a delivery that is
    leaving just now, so that nothing is paid onto one that has left.
    """
    step = open_step(session, purchase_id)
    cycle_ids = [part.cycle_id for part in step.parts]
    pickup.hold_cycles(session, cycle_ids)
    left = set(session.scalars(sa.select(CYCLES.c.id).where(CYCLES.c.id.in_(cycle_ids), CYCLES.c.closed_at.is_not(None))))
    missed = [part for part in step.parts if part.cycle_id in left and part.state is SubOrderState.PLACED]
    for part in missed:
        following = _join_next(session, part)
        if following is None:
            _give_up(session, step, part)
        else:
            _move(session, step, part, following)
    if missed:
        close_if_done(session, [purchase_id])
    return len(missed)


def _join_next(session: Session, part: Part) -> CycleFacts | None:
    """A slot in the merchant's next delivery to the same point; None when there is none."""
    found = next_cycles(session, part.pickup_point_id, [part.merchant_id]).get(part.merchant_id)
    if found is None:
        return None
    try:
        with session.begin_nested():
            pickup.book_slot(session, found.id)
    except ShopError:  # full, or closed, since it was read
        return None
    return found


def _move(session: Session, step: Step, part: Part, to: CycleFacts) -> None:
    session.execute(sa.update(SUB_ORDERS).where(SUB_ORDERS.c.id == part.id).values(cycle_id=to.id))
    pickup.free_slots(session, [part.cycle_id])
    audit.record(session, JOB, Done.SUB_ORDER_MOVED, "sub_order", part.id, until=to.arrives_at.isoformat())
    notices.post(
        session, part.user_id, "orders.moved", dedupe_key=f"sub_order:{part.id}:moved", link=f"/orders/{step.number}",
        number=step.number, until=to.arrives_at.isoformat(), cancel=to.cut_off_at.isoformat(),
    )


def _give_up(session: Session, step: Step, part: Part) -> None:
    moment = clock.now()
    session.execute(
        sa.update(SUB_ORDERS)
        .where(SUB_ORDERS.c.id == part.id)
        .values(state=SubOrderState.CANCELLED, cancelled_at=moment, declined_at=moment, declined_reason=LEFT_BEFORE)
    )
    if part.left:
        give_back(session, step, part, part.left, f"sub_order:{part.id}:left", LEFT_BEFORE)
    audit.record(session, JOB, Done.SUB_ORDER_CANCELLED, "sub_order", part.id, amount=part.left.fen, reason=LEFT_BEFORE)
    notices.post(
        session, part.user_id, "orders.left", dedupe_key=f"sub_order:{part.id}:left", link=f"/orders/{step.number}",
        number=step.number, amount=str(part.left),
    )
    pickup.free_slots(session, [part.cycle_id])
    stock.return_to_stock(session, JOB, wanted_of(session, [part]))
