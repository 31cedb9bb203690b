"""Goods went to the wrong person: for a few minutes a hand-over can be taken back, with everything it did.

Nothing that was written is changed: money is posted back by counter-entries, and the audit trail keeps both deeds. What is no longer
so is undone: the goods wait again, on a pass that opens them, and may leave once more.
"""

from __future__ import annotations

from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.fulfilment import rules
from shop.fulfilment.errors import NothingToTakeBack, TooLateToTakeBack
from shop.fulfilment.rules import Reason
from shop.kernel import clock
from shop.kernel.db import operation, take
from shop.kernel.errors import NotFound
from shop.models.orders import SubOrder
from shop.models.pickup import Handover, HandoverItem, HandoverOutcome, Pass
from shop.orders import operations as orders
from shop.pickup import passes
from shop.platform import audit, notices
from shop.platform.actor import Actor

HANDOVERS = cast(sa.Table, Handover.__table__)
ITEMS = cast(sa.Table, HandoverItem.__table__)


@operation
def take_back(session: Session, actor: Actor, client_id: str, reason: str) -> int:
    """Take a hand-over back, told by the id its device gave it; how many orders wait again. Told again it does nothing: 0.

    All of it or nothing. Raises `NotFound` for a hand-over of another point, `NothingToTakeBack` for a scan that handed nothing over,
    `TooLateToTakeBack` after `rules.TAKE_BACK_FOR`, `CannotTakeBack` when something was built on it since.
    """
    points = actor.points("keeper")
    found = session.execute(
        sa.select(HANDOVERS.c.id, HANDOVERS.c.outcome, HANDOVERS.c.reason, HANDOVERS.c.pass_id)
        .where(HANDOVERS.c.client_id == client_id, HANDOVERS.c.pickup_point_id.in_(points))
        .with_for_update()
    ).one_or_none()
    if found is None:
        raise NotFound()
    if found.reason == Reason.TAKEN_BACK:
        return 0
    if found.outcome is not HandoverOutcome.ACCEPTED or found.pass_id is None:
        raise NothingToTakeBack()
    in_time = sa.update(HANDOVERS).where(
        HANDOVERS.c.id == found.id, HANDOVERS.c.reason.is_(None), HANDOVERS.c.received_at > clock.now() - rules.TAKE_BACK_FOR
    )
    if not take(session, in_time.values(reason=Reason.TAKEN_BACK)):
        raise TooLateToTakeBack()
    pass_id = passes.reopen(session, found.pass_id)
    sub_order_ids = sorted(session.scalars(sa.delete(ITEMS).where(ITEMS.c.handover_id == found.id).returning(ITEMS.c.sub_order_id)))
    orders.take_back(session, actor, sub_order_ids, pass_id)
    numbers = list(session.scalars(sa.select(SubOrder.number).where(SubOrder.id.in_(sub_order_ids)).order_by(SubOrder.number)))
    audit.record(session, actor, "pass.taken_back", "pass", pass_id, handover=found.id, sub_orders=numbers, reason=reason)
    holder = session.execute(sa.select(Pass.user_id, Pass.ref).where(Pass.id == pass_id)).one()
    notices.post(
        session, holder.user_id, "fulfilment.taken_back", dedupe_key=f"handover:{found.id}:taken_back", link=f"/pickup/{holder.ref}",
        orders=len(numbers),
    )
    return len(numbers)
