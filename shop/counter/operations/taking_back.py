"""Goods went to the wrong person: for a few minutes a hand-over can be taken back, with everything it did.

Nothing that was written is changed: money is posted back by counter-entries, and the audit trail keeps both deeds. What is no longer
so is undone: the goods wait again, on a pass that opens them, and may leave once more.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.counter import rules
from shop.counter.errors import NothingToTakeBack, TooLateToTakeBack
from shop.counter.operations.finding import HANDOVERS, keep_back
from shop.counter.operations.moving import COLLECTABLES, by_kind
from shop.counter.permissions import CounterPermission
from shop.counter.rules import Reason
from shop.counter.tags import Done
from shop.kernel import clock
from shop.kernel.db import operation
from shop.kernel.errors import NotFound
from shop.kernel.rows import all_as
from shop.models.pickup import CollectableState, HandoverKept, Pass
from shop.pickup import passes
from shop.platform import audit
from shop.platform.actor import Actor
from shop.platform.collecting import Move
from shop.platform.features import registry
from shop.platform.own import refuse_own


class Left(NamedTuple):
    """A thing that left with a hand-over."""

    id: int
    kind: str
    subject_id: int
    number: str


LEFT = tuple(COLLECTABLES.c[name] for name in Left._fields)


@operation
def take_back(session: Session, actor: Actor, client_id: str, reason: str, sub_orders: Collection[str] | None = None) -> int:
    """Take back what left with a hand-over, told by the id its device gave it: all of it, or the numbers named. How many wait again.

    Also what left with a conflict. Told again it does nothing: 0. What is named comes back whole or not at all. Raises `NotFound` for a
    hand-over of another point, `NothingToTakeBack` for a scan that handed nothing over or a number that did not leave with it,
    `TooLateToTakeBack` after `rules.TAKE_BACK_FOR`, `OwnDeed` for who collected it, and what a kind raises when something was built on it
    since.
    """
    points = actor.points(CounterPermission.HAND_OVER_TAKE_BACK)
    found = session.execute(
        sa.select(HANDOVERS.c.id, HANDOVERS.c.reason, HANDOVERS.c.received_at, HANDOVERS.c.pass_id)
        .where(HANDOVERS.c.client_id == client_id, HANDOVERS.c.pickup_point_id.in_(points))
        .with_for_update()
    ).one_or_none()
    if found is None:
        raise NotFound()
    holder_id = session.scalar(sa.select(Pass.user_id).where(Pass.id == found.pass_id))
    refuse_own(actor, holder_id)
    gone, back = _left_and_back(session, found.id)
    if found.reason == Reason.TAKEN_BACK and not back:  # before it was kept what came back
        return 0
    there = {one.number for one in (*gone, *back)}
    meant = there if sub_orders is None else set(sub_orders)
    if not meant or not meant <= there or holder_id is None:
        raise NothingToTakeBack()
    coming = sorted((one for one in gone if one.number in meant), key=lambda one: (one.number, one.id))
    if not coming:
        return 0
    if found.received_at <= clock.now() - rules.TAKE_BACK_FOR:
        raise TooLateToTakeBack()
    pass_id = passes.reopen(session, found.pass_id)
    _put_back(session, found.id, [one.id for one in coming], pass_id)
    keep_back(session, found.id, dict.fromkeys((one.id for one in coming), Reason.TAKEN_BACK))
    if len(coming) == len(gone):
        session.execute(sa.update(HANDOVERS).where(HANDOVERS.c.id == found.id).values(reason=Reason.TAKEN_BACK))
    move = Move(found.id, pass_id, holder_id, len(back))
    for kind, some in by_kind(coming):
        registry.collectables()[kind].on_taken_back(session, actor, [one.subject_id for one in some], move)
    numbers = [one.number for one in coming]
    audit.record(session, actor, Done.PASS_TAKEN_BACK, "pass", pass_id, handover=found.id, sub_orders=numbers, reason=reason)
    return len(numbers)


def _put_back(session: Session, handover_id: int, ids: Collection[int], pass_id: int) -> None:
    """Things wait again on a pass: compare-and-set from collected by this hand-over. Raises `NothingToTakeBack` unless all of them do."""
    gone = sa.update(COLLECTABLES).where(COLLECTABLES.c.id.in_(ids), COLLECTABLES.c.handover_id == handover_id)
    back = gone.values(state=CollectableState.WAITING, left_at=None, handover_id=None, pass_id=pass_id)
    if len(session.execute(back.returning(COLLECTABLES.c.id)).all()) != len(ids):
        raise NothingToTakeBack()


def _left_and_back(session: Session, handover_id: int) -> tuple[list[Left], list[Left]]:
    """What left with a hand-over and is gone, and what came back from it."""
    gone = all_as(Left, session.execute(sa.select(*LEFT).where(COLLECTABLES.c.handover_id == handover_id)))
    kept = sa.select(*LEFT).join(HandoverKept, HandoverKept.collectable_id == COLLECTABLES.c.id)
    back = all_as(Left, session.execute(kept.where(HandoverKept.handover_id == handover_id, HandoverKept.reason == Reason.TAKEN_BACK)))
    return gone, back
