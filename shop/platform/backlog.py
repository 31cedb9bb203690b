"""How partners answer and what waits in each lane, for the people who run the shop: four queries, however many there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.models.platform import UNFINISHED, Job, JobState, Partner, PartnerState
from shop.platform import outbox
from shop.platform.features import registry
from shop.platform.language import gettext as _
from shop.platform.partners import Known

SHOWN_AT_MOST = 100
COUNTED_AT_MOST = 100_000


class Breaker(StrEnum):
    """Whether a partner is asked."""

    CLOSED = "closed"  # it is
    HALF = "half"  # the next caller tries whether it answers again
    OPEN = "open"  # it is not


@dataclass(frozen=True, slots=True)
class Lane:
    """What is to be done in a lane now. `oldest` is since when the longest waiting job could have been done."""

    name: str
    words: str
    waiting: int = 0
    running: int = 0
    dead: int = 0
    oldest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """A partner as it answers now. `since` is when its breaker opened, or when it last failed; none when it never did."""

    name: str
    words: str
    breaker: Breaker
    since: datetime | None
    failures: int
    last_failure: str
    next_try_at: datetime | None
    waiting: int
    oldest: datetime | None

    @property
    def is_silent(self) -> bool:
        return self.breaker is not Breaker.CLOSED


@dataclass(frozen=True, slots=True)
class Overview:
    """Lanes with something in them, those that wait longest first; all partners, those in trouble first."""

    lanes: Sequence[Lane]
    partners: Sequence[Standing]


def overview(session: Session) -> Overview:
    """Everything, in the reader's language."""
    known = registry.partners(session)
    lanes = _lanes(session, known)
    return Overview(lanes, _standings(session, known, {lane.name: lane for lane in lanes}))


def lane_words(known: Sequence[Known]) -> dict[str, str]:
    """What lanes are called."""
    own = {outbox.NOW: _("Codes by text message"), outbox.SOON: _("Everyday work"), outbox.BULK: _("Large work, no hurry")}
    return {lane: words for partner in known for lane, words in partner.lanes.items()} | own


def _lanes(session: Session, known: Sequence[Known]) -> list[Lane]:
    """A job that waits for a silent partner counts from when it was asked for, however far away its next try is."""
    moment = clock.now()
    some = sa.select(Job.lane, Job.state, Job.run_at, Job.created_at, Job.last_error).where(UNFINISHED).limit(COUNTED_AT_MOST).subquery()
    is_waiting = sa.and_(some.c.state == JobState.QUEUED, sa.or_(some.c.run_at <= moment, some.c.last_error.is_not(None)))
    since = sa.case((some.c.last_error.is_(None), some.c.run_at), else_=some.c.created_at)
    unfinished = session.execute(
        sa.select(
            some.c.lane,
            sa.func.count().filter(is_waiting).label("waiting"),
            sa.func.count().filter(some.c.state == JobState.RUNNING).label("running"),
            sa.type_coerce(sa.func.min(sa.case((is_waiting, since))), Job.run_at.type).label("oldest"),
        )
        .group_by(some.c.lane)
        .limit(SHOWN_AT_MOST)
    ).all()
    gone = sa.select(Job.lane).where(Job.state == JobState.DEAD).limit(COUNTED_AT_MOST).subquery()
    gave_up = sa.select(gone.c.lane, sa.func.count()).group_by(gone.c.lane).limit(SHOWN_AT_MOST)
    dead: dict[str, int] = {row.lane: row[1] for row in session.execute(gave_up)}
    words = lane_words(known)
    found = {lane: Lane(lane, words.get(lane, lane), dead=count) for lane, count in dead.items()}
    for row in unfinished:
        called = words.get(row.lane, row.lane)
        found[row.lane] = Lane(row.lane, called, row.waiting, row.running, dead.get(row.lane, 0), row.oldest)
    shown = [lane for lane in found.values() if lane.waiting or lane.running or lane.dead]
    return sorted(shown, key=lambda lane: (lane.oldest is None, lane.oldest or moment, lane.name))


def _standings(session: Session, known: Sequence[Known], lanes: Mapping[str, Lane]) -> list[Standing]:
    moment = clock.now()
    rows = {row.name: row for row in session.scalars(sa.select(Partner).order_by(Partner.name).limit(SHOWN_AT_MOST))}
    strangers = [Known(name, name, {outbox.partner(name): name}) for name in rows if name not in {partner.name for partner in known}]
    found = [_standing(partner, rows.get(partner.name), lanes, moment) for partner in [*known, *strangers]]
    order = {Breaker.OPEN: 0, Breaker.HALF: 1, Breaker.CLOSED: 2}
    return sorted(found, key=lambda standing: (order[standing.breaker], -standing.failures))


def _standing(partner: Known, row: Partner | None, lanes: Mapping[str, Lane], moment: datetime) -> Standing:
    own = [lanes[lane] for lane in partner.lanes if lane in lanes]
    waiting, oldest = sum(lane.waiting for lane in own), min((lane.oldest for lane in own if lane.oldest), default=None)
    if row is None:
        return Standing(partner.name, partner.words, Breaker.CLOSED, None, 0, "", None, waiting, oldest)
    breaker = breaker_of(row, moment)
    since = row.opened_at if breaker is not Breaker.CLOSED else row.failed_at if row.failures else None
    return Standing(partner.name, partner.words, breaker, since, row.failures, row.last_error, row.next_probe_at, waiting, oldest)


def breaker_of(row: Partner, moment: datetime) -> Breaker:
    """How a partner's breaker stands at a moment."""
    if row.state is PartnerState.CLOSED:
        return Breaker.CLOSED
    return Breaker.HALF if row.next_probe_at is None or row.next_probe_at <= moment else Breaker.OPEN
