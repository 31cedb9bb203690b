"""Goods went to the wrong person: for a few minutes a hand-over can be taken back, with everything it did.

Nothing that was written is changed: money is posted back by counter-entries, and the audit trail keeps both deeds. What is no longer
so is undone: the goods wait again, on a pass that opens them, and may leave once more.
"""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.fulfilment import rules
from shop.fulfilment.errors import NothingToTakeBack, TooLateToTakeBack
from shop.fulfilment.operations.finding import facts_of
from shop.fulfilment.rules import Reason
from shop.fulfilment.tags import Done
from shop.kernel import clock
from shop.kernel.db import operation
from shop.kernel.errors import NotFound
from shop.kernel.statements import table
from shop.models.orders import SubOrder
from shop.models.pickup import Handover, HandoverItem, HandoverKept, Pass
from shop.orders import operations as orders
from shop.orders.permissions import OrderPermission
from shop.pickup import passes
from shop.platform import audit, notices
from shop.platform.actor import Actor
from shop.platform.own import refuse_own

HANDOVERS = table(Handover)
ITEMS = table(HandoverItem)
KEPT = table(HandoverKept)


@operation
def take_back(session: Session, actor: Actor, client_id: str, reason: str, sub_orders: Collection[str] | None = None) -> int:
    """Take back what left with a hand-over, told by the id its device gave it: all of it, or the numbers named. How many orders wait again.

    Also what left with a conflict. Told again it does nothing: 0. What is named comes back whole or not at all. Raises `NotFound` for a
    hand-over of another point, `NothingToTakeBack` for a scan that handed nothing over or a number that did not leave with it,
    `TooLateToTakeBack` after `rules.TAKE_BACK_FOR`, `CannotTakeBack` when something was built on it since, `OwnDeed` for who
    collected it.
    """
    points = actor.points(OrderPermission.HAND_OVER_TAKE_BACK)
    found = session.execute(
        sa.select(HANDOVERS.c.id, HANDOVERS.c.reason, HANDOVERS.c.received_at, HANDOVERS.c.pass_id)
        .where(HANDOVERS.c.client_id == client_id, HANDOVERS.c.pickup_point_id.in_(points))
        .with_for_update()
    ).one_or_none()
    if found is None:
        raise NotFound()
    refuse_own(actor, session.scalar(sa.select(Pass.user_id).where(Pass.id == found.pass_id)))
    gone, back = _left_and_back(session, found.id)
    if found.reason == Reason.TAKEN_BACK and not back:  # before it was kept what came back
        return 0
    meant = set(gone) | set(back) if sub_orders is None else set(sub_orders)
    if not meant or not meant <= set(gone) | set(back) or found.pass_id is None:
        raise NothingToTakeBack()
    coming = sorted(gone[number] for number in meant if number in gone)
    if not coming:
        return 0
    if found.received_at <= clock.now() - rules.TAKE_BACK_FOR:
        raise TooLateToTakeBack()
    pass_id = passes.reopen(session, found.pass_id)
    session.execute(sa.delete(ITEMS).where(ITEMS.c.handover_id == found.id, ITEMS.c.sub_order_id.in_(coming)))
    _write_back(session, found.id, coming)
    if len(coming) == len(gone):
        session.execute(sa.update(HANDOVERS).where(HANDOVERS.c.id == found.id).values(reason=Reason.TAKEN_BACK))
    orders.take_back(session, actor, coming, pass_id)
    numbers = sorted(meant & set(gone))
    audit.record(session, actor, Done.PASS_TAKEN_BACK, "pass", pass_id, handover=found.id, sub_orders=numbers, reason=reason)
    holder = session.execute(sa.select(Pass.user_id, Pass.ref).where(Pass.id == pass_id)).one()
    notices.post(
        session, holder.user_id, "fulfilment.taken_back", dedupe_key=f"handover:{found.id}:taken_back:{len(back)}",
        link=f"/pickup/{holder.ref}", orders=rules.whole_orders(numbers),
    )  # fmt: skip
    return len(numbers)


def _left_and_back(session: Session, handover_id: int) -> tuple[dict[str, int], dict[str, int]]:
    """By number, what left with a hand-over and is gone, and what came back from it."""
    items = sa.select(SubOrder.number, SubOrder.id).join(HandoverItem, HandoverItem.sub_order_id == SubOrder.id)
    gone = session.execute(items.where(HandoverItem.handover_id == handover_id)).all()
    kept = sa.select(SubOrder.number, SubOrder.id).join(HandoverKept, HandoverKept.sub_order_id == SubOrder.id)
    back = session.execute(kept.where(HandoverKept.handover_id == handover_id, HandoverKept.reason == Reason.TAKEN_BACK)).all()
    return {row.number: row.id for row in gone}, {row.number: row.id for row in back}


def _write_back(session: Session, handover_id: int, sub_order_ids: list[int]) -> None:
    whose = facts_of(session, handover_id)
    rows = [{"sub_order_id": part_id, "reason": Reason.TAKEN_BACK.value, **whose} for part_id in sub_order_ids]
    session.connection().execute(sa.insert(KEPT), rows)
