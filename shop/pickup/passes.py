"""Issuing, extending and closing passes. One visit, one code: a person has one live pass per point, and every arrival joins it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock, ids
from shop.kernel.db import insert_once, operation, refuse, take
from shop.kernel.errors import Busy, NotFound
from shop.kernel.rows import one_as
from shop.kernel.statements import table
from shop.models.pickup import LIVE_PASSES, Collectable, CollectableState, Pass, PassState, PickupPoint
from shop.pickup.permissions import PickupPermission
from shop.pickup.tags import Done
from shop.platform import audit
from shop.platform.actor import JOB, Actor
from shop.platform.belonging import belonging_to
from shop.platform.own import refuse_own

PASSES = table(Pass)

refuse("uq_passes_live_person", Busy)  # one was issued in the same moment, where nobody could see it yet: trying again finds it

KEPT_DAYS = 3
"""Goods wait until the point closes on the third day after they came."""

CODE_RESTS = timedelta(days=30)
"""A code is not given out again at the same point for this long, so that an old message never opens somebody else's goods."""

TRIES = 50


@dataclass(frozen=True, slots=True)
class Issued:
    """A live pass."""

    id: int
    ref: str
    code: str
    valid_until: datetime


def kept_until(moment: datetime, closes: time) -> datetime:
    """Until when goods wait that arrived at a moment: closing time, some days later."""
    return clock.at(clock.local(moment).date() + timedelta(days=KEPT_DAYS), closes)


@operation
def issue(session: Session, user_id: int, point_id: int) -> Issued:
    """The person's live pass at a point, good for goods that come in now; a new one if there is none.

    The pass stays locked until the transaction ends, so that nobody closes it while goods are being put on it.
    """
    moment = clock.now()
    closes = session.execute(sa.select(PickupPoint.closes).where(PickupPoint.id == point_id)).scalar_one_or_none()
    if closes is None:
        raise NotFound()
    until = kept_until(moment, closes)
    mine = (PASSES.c.user_id == user_id, PASSES.c.pickup_point_id == point_id, PASSES.c.state == PassState.LIVE)
    later = sa.case((PASSES.c.valid_until < until, until), else_=PASSES.c.valid_until)
    extend_mine = sa.update(PASSES).where(*mine).values(valid_until=later)
    for _ in range(TRIES):
        live = session.execute(extend_mine.returning(PASSES.c.id, PASSES.c.ref, PASSES.c.code, PASSES.c.valid_until)).one_or_none()
        if live is not None:
            return one_as(Issued, live)
        code = ids.digits(6)
        if _was_used(session, point_id, code, moment):
            continue
        ref = ids.dated_reference("V", moment)
        made = insert_once(
            session, Pass, ref=ref, user_id=user_id, community_id=belonging_to("pickup_point", point_id), pickup_point_id=point_id,
            code=code, state=PassState.LIVE, issued_at=moment, valid_until=until, used_at=None,
        )
        if made is not None:
            return Issued(made, ref, code, until)
    raise Busy()


@operation
def hold(session: Session, user_ids: Collection[int], point_id: int) -> None:
    """Lock the live passes of these people at a point by id, before their orders, as the counter does."""
    live = sa.select(PASSES.c.id).where(
        PASSES.c.user_id.in_(user_ids), PASSES.c.pickup_point_id == point_id, PASSES.c.state == PassState.LIVE
    )
    session.execute(live.order_by(PASSES.c.id).with_for_update(key_share=True))


def _was_used(session: Session, point_id: int, code: str, moment: datetime) -> bool:
    recent = sa.select(PASSES.c.id).where(
        PASSES.c.pickup_point_id == point_id, PASSES.c.code == code, PASSES.c.issued_at > moment - CODE_RESTS
    )
    return session.execute(recent.limit(1)).first() is not None


@operation
def close_if_empty(session: Session, pass_id: int) -> bool:
    """A pass is used once nothing waits on it any more; whether that is so now."""
    return take(session, _empty(PASSES.c.id == pass_id).values(state=PassState.USED, used_at=clock.now()))


@operation
def close_uncollected(session: Session, pass_id: int) -> bool:
    """The last that waited on a pass was not collected: it is closed, and does not say that it was used; whether that is so now."""
    return take(session, _empty(PASSES.c.id == pass_id).values(state=PassState.USED))


@operation
def close_empty(session: Session, before: datetime, limit: int = 500) -> int:
    """Close passes that ran out before a moment and on which nothing waits, at most `limit`; how many."""
    ran_out = sa.select(PASSES.c.id).where(sa.text(f"passes.{LIVE_PASSES.text}"), PASSES.c.valid_until < before)
    chosen = ran_out.where(~_waits()).order_by(PASSES.c.valid_until).limit(limit)
    empty = _empty(sa.and_(PASSES.c.id.in_(chosen), PASSES.c.valid_until < before))  # whoever brings goods has moved it on
    closed = session.execute(empty.values(state=PassState.USED).returning(PASSES.c.id)).scalars().all()
    audit.record_each(session, JOB, Done.PASS_CLOSED, "pass", sorted(closed))
    return len(closed)


def _waits() -> sa.ColumnElement[bool]:
    return sa.exists().where(Collectable.pass_id == PASSES.c.id, Collectable.state == CollectableState.WAITING)


def _empty(which: sa.ColumnElement[bool]) -> sa.Update:
    return sa.update(PASSES).where(which, PASSES.c.state == PassState.LIVE, ~_waits())


@operation
def reopen(session: Session, pass_id: int) -> int:
    """Goods wait on a used pass again; the pass they wait on: the person's live one at that point if there is a newer. Raises `NotFound`.

    Live and used passes are locked, so that nobody closes what goods are put on.
    """
    found = session.execute(
        sa.select(PASSES.c.id, PASSES.c.user_id, PASSES.c.pickup_point_id, PASSES.c.state).where(PASSES.c.id == pass_id).with_for_update()
    ).one_or_none()
    if found is None or found.state is PassState.REVOKED:
        raise NotFound()
    if found.state is PassState.LIVE:
        return pass_id
    mine = (PASSES.c.user_id == found.user_id, PASSES.c.pickup_point_id == found.pickup_point_id, PASSES.c.state == PassState.LIVE)
    newer: int | None = session.scalar(sa.select(PASSES.c.id).where(*mine).with_for_update())
    if newer is not None:
        return newer
    session.execute(sa.update(PASSES).where(PASSES.c.id == pass_id).values(state=PassState.LIVE, used_at=None))
    return pass_id


@operation
def extend(session: Session, actor: Actor, ref: str) -> datetime:
    """A keeper lets a live pass run until the next closing time; the time. A pass that runs longer anyway stays as it is.

    Raises `NotFound` for a pass of another point, or one that is used or revoked; `OwnDeed` for one's own.
    """
    found = session.execute(
        sa.select(PASSES.c.id, PASSES.c.user_id, PASSES.c.valid_until, PickupPoint.closes)
        .join(PickupPoint, PickupPoint.id == PASSES.c.pickup_point_id)
        .where(PASSES.c.ref == ref, PASSES.c.state == PassState.LIVE)
        .where(PASSES.c.pickup_point_id.in_(actor.points(PickupPermission.PASS_EXTEND)))
        .with_for_update(of=PASSES)
    ).one_or_none()
    if found is None:
        raise NotFound()
    refuse_own(actor, found.user_id)
    until = next_closing(clock.now(), found.closes)
    if found.valid_until >= until:
        return cast(datetime, found.valid_until)
    session.execute(sa.update(PASSES).where(PASSES.c.id == found.id).values(valid_until=until))
    audit.record(session, actor, Done.PASS_EXTENDED, "pass", found.id, until=until.isoformat())
    return until


def next_closing(moment: datetime, closes: time) -> datetime:
    """Today's closing time, or tomorrow's when it is past."""
    today = clock.local(moment).date()
    closing = clock.at(today, closes)
    return closing if moment < closing else clock.at(today + timedelta(days=1), closes)
