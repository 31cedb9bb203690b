"""One breaker per partner (a biller, the SMS carrier, the card provider), seen alike by every process.

    with partners.asking("biller:water", seconds=8):
        answer = deadlines.session().post(...)

After `FAILURES` failures in a row a partner counts as not answering: whoever asks is told so at once. From time to time
one caller is let through to try; its success closes the breaker for all. Never inside a transaction.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.columns import UtcDateTime
from shop.kernel.db import finish_reading, insert_once, operation, perform, reading, take
from shop.models.platform import UNFINISHED, Job, JobState, Partner, PartnerState
from shop.platform import audit, figures
from shop.platform.actor import Actor
from shop.platform.deadlines import within
from shop.platform.tags import Done

log = logging.getLogger("shop.partners")

FAILURES = 5
# Failures further apart than this are not "in a row".
WINDOW = timedelta(minutes=10)
# How long a partner that does not answer is left alone before one caller tries again.
PAUSE = timedelta(seconds=30)


class NotAnswering(Exception):
    """The partner does not answer at the moment and was not asked: nothing has reached it. Asked again from `until` on."""

    def __init__(self, name: str, until: datetime) -> None:
        self.name, self.until = name, until
        super().__init__(f"{name} does not answer")


@dataclass(frozen=True, slots=True)
class Known:
    """A partner as people know it: what it is called, and the lanes in which work waits for it, each with what that is called."""

    name: str
    words: str
    lanes: Mapping[str, str]


@dataclass
class Call:
    """A call being made. Who makes it may find that it brought nothing, though no exception says so."""

    failure: str = ""

    def failed(self, kind: str) -> None:
        """The partner answered, but not sensibly: its own error, a page of a proxy. `kind` is a word, nobody's data."""
        self.failure = kind


@contextmanager
def asking(name: str, seconds: float, counts: type[Exception] | tuple[type[Exception], ...] = Exception) -> Iterator[Call]:
    """One call to a partner, over within `seconds`; how it ends is counted.

    Exceptions in `counts`, and `failed`, mean that the partner does not answer; any other exception is an answer, if an
    unwelcome one. All go on to the caller. Raises `NotAnswering` before anything is sent.
    """
    was_well = _let_in(name)
    call = Call()
    began = time.perf_counter()
    try:
        with within(seconds):
            yield call
    except Exception as error:
        if isinstance(error, counts):
            call.failed(type(error).__name__)
        _count(name, call.failure, was_well, time.perf_counter() - began)
        raise
    _count(name, call.failure, was_well, time.perf_counter() - began)


SILENT = sa.select(Partner.next_probe_at).where(
    Partner.name == sa.bindparam("partner"), Partner.state == PartnerState.OPEN,
    Partner.next_probe_at > sa.bindparam("moment", type_=UtcDateTime()),
)  # fmt: skip


def silent_until(session: Session, name: str) -> datetime | None:
    """Until when nobody asks a partner that does not answer; None while it answers, or when it is time to try it again."""
    found = session.connection().execute(SILENT, {"partner": name, "moment": clock.now()})
    until: datetime | None = found.scalar_one_or_none()
    return until


def _let_in(name: str) -> bool:
    """Whether the partner has had no failure lately; raises `NotAnswering` while it is left alone."""
    row = reading().execute(sa.select(Partner.state, Partner.failures, Partner.next_probe_at).where(Partner.name == name)).one_or_none()
    finish_reading()
    if row is None:
        return True
    if row.state is PartnerState.OPEN:
        moment = clock.now()
        if row.next_probe_at > moment or not perform(take_probe, name, row.next_probe_at):
            raise NotAnswering(name, max(row.next_probe_at, moment + timedelta(seconds=1)))
        return False
    return bool(row.failures == 0)


def _count(name: str, failure: str, was_well: bool, seconds: float) -> None:
    figures.CALLS.labels(name, "failed" if failure else "answered").observe(seconds)
    if failure:
        if perform(note_failure, name, failure):
            log.error("partner %s does not answer (%s, %s times in a row)", name, failure, FAILURES)
    elif not was_well and perform(note_answer, name):
        log.warning("partner %s answers again", name)


@operation
def take_probe(session: Session, name: str, as_read: datetime) -> bool:
    """Be the one caller that tries a partner again; False when somebody else is. If its end is never told, another may after `PAUSE`."""
    mine = sa.update(Partner).where(Partner.name == name, Partner.state == PartnerState.OPEN, Partner.next_probe_at == as_read)
    return take(session, mine.values(next_probe_at=clock.now() + PAUSE))


@operation
def note_failure(session: Session, name: str, kind: str) -> bool:
    """Count a call that brought no answer; True when this one made the measure full and opened the breaker."""
    moment = clock.now()
    insert_once(session, Partner, name=name, state=PartnerState.CLOSED, failures=0, last_error="")
    this = sa.update(Partner).where(Partner.name == name).execution_options(synchronize_session=False)
    in_a_row = sa.case((Partner.failed_at < moment - WINDOW, 1), else_=Partner.failures + 1)
    session.execute(this.values(failures=in_a_row, failed_at=moment, last_error=kind))
    full = this.where(Partner.state == PartnerState.CLOSED, Partner.failures >= FAILURES)
    if take(session, full.values(state=PartnerState.OPEN, opened_at=moment, next_probe_at=moment + PAUSE)):
        return True
    session.execute(this.where(Partner.state == PartnerState.OPEN).values(next_probe_at=moment + PAUSE))
    return False


@operation
def note_answer(session: Session, name: str) -> bool:
    """The partner answers: what was counted is forgotten; True when its breaker was open."""
    this = sa.update(Partner).where(Partner.name == name).execution_options(synchronize_session=False)
    session.execute(this.values(failures=0))
    closed = {"state": PartnerState.CLOSED, "opened_at": None, "next_probe_at": None}
    return take(session, this.where(Partner.state == PartnerState.OPEN).values(closed))


BROUGHT_FORWARD = 200
"""How many of the jobs that wait for a partner are due at once when a person has it asked again; the others follow at their own pace."""


@operation
def ask_again(session: Session, actor: Actor, name: str, reason: str) -> bool:
    """A person knows that a partner is back: its breaker closes, and what waited longest for it is due now. Written down with the reason.

    One more failure opens the breaker again, so a person who errs costs one call. False, and nothing is changed, when the partner is
    not silent: then it is asked anyway.
    """
    found = session.scalar(sa.select(Partner.id).where(Partner.name == name))
    if found is None:
        return False
    moment = clock.now()
    silent = sa.update(Partner).where(Partner.id == found, Partner.state == PartnerState.OPEN)
    closed = {"state": PartnerState.CLOSED, "opened_at": None, "next_probe_at": None, "failures": FAILURES - 1, "failed_at": moment}
    if not take(session, silent.values(closed)):
        return False
    waiting = (
        sa.select(Job.id)
        .where(UNFINISHED, Job.lane == f"partner:{name}", Job.state == JobState.QUEUED, Job.run_at > moment, Job.last_error.is_not(None))
        .order_by(Job.run_at, Job.id)
        .limit(BROUGHT_FORWARD)
    )
    mine = sa.update(Job).where(Job.id.in_(waiting), Job.state == JobState.QUEUED)
    session.execute(mine.values(run_at=moment).execution_options(synchronize_session=False))
    audit.record(session, actor, Done.PARTNER_ASKED_AGAIN, "partner", found, partner=name, reason=reason)
    return True
