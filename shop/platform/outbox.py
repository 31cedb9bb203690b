"""Work to do after the commit that asked for it.

`enqueue` writes a job in the caller's transaction; workers take jobs under a lease with a fencing number and run the
registered handler. A handler takes ids, opens its own transactions, and may run more than once: it must be idempotent.
Jobs run in lanes with threads of their own, so that slow work keeps only its own kind waiting.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock, discretion, work
from shop.kernel.columns import CITY
from shop.kernel.crash import crashpoint
from shop.kernel.db import finish_reading, insert_once, operation, perform, reading, take
from shop.kernel.errors import NotFound, ShopError, sentence
from shop.models.platform import UNFINISHED, Job, JobState
from shop.platform import audit, figures, pauses
from shop.platform.actor import Actor
from shop.platform.belonging import belonging_to
from shop.platform.tags import Done

log = logging.getLogger("shop.outbox")
tries_log = logging.getLogger("shop.jobs")

Handler = Callable[..., None]
Lane = str | Callable[..., str]
"""A lane, or how to tell it from a job's arguments, which are given as keywords."""

# Lanes, and how many jobs of each one worker runs side by side; each partner has a lane of its own besides.
NOW, SOON, BULK = "now", "soon", "bulk"
ABREAST = {NOW: 4, SOON: 3, BULK: 2}
ABREAST_PER_PARTNER = 3

# No handler may run longer than this: then another worker takes the job over.
LEASE = timedelta(minutes=2)
LONGEST_PAUSE = timedelta(minutes=10)
UNKNOWN_KIND_WAITS, UNKNOWN_KIND_ASKED = timedelta(hours=1), timedelta(seconds=15)
"""For how long a job is kept that this release does not know, and how often it is looked at: a newer release asked for it and does
it as soon as its worker is there."""

TAKEN_OVER = 3
"""How often a round of periodic work is taken over from a worker that ended under it, a restart being no fault of the round."""


@dataclass(frozen=True)
class Registered:
    """A handler, how often it is tried, and where."""

    handler: Handler
    tries: int
    lane: Lane
    is_message: bool = False

    def lane_of(self, arguments: dict[str, Any]) -> str:
        return self.lane if isinstance(self.lane, str) else self.lane(**arguments)


HANDLERS: dict[str, Registered] = {}
PERIODIC: dict[str, timedelta] = {}


class TryLater(Exception):
    """A handler asks to be run again after `delay`; not a failure and not counted as one."""

    def __init__(self, delay: timedelta) -> None:
        self.delay = delay
        super().__init__(f"again in {delay}")


class Outage(Exception):
    """A handler says that a partner does not answer. Not the job's fault, so it is never given up for it.

    It runs again at pauses that grow with its age, at most ten minutes; when it is too late the handler just returns.
    The message stays on the job until it is done: name the partner and the kind of failure, nobody's data.
    """


def partner(name: str) -> str:
    """The lane of the jobs that ask one partner."""
    return f"partner:{name}"


def abreast(lane: str) -> int:
    """How many jobs of a lane one worker runs side by side."""
    return ABREAST.get(lane, ABREAST_PER_PARTNER)


def job(kind: str, *, lane: Lane, tries: int = 12, is_message: bool = False) -> Callable[[Handler], Handler]:
    """Register the handler of a kind of job; called with the job's arguments as keywords. Its feature says in which lane it runs.

    `is_message`: it tells a person something, once, and asks nobody whether that was done. Of those in a backup none is sent after a
    restore; those asked for since are, although sending is paused. Every other handler asks first, or its partner knows a repetition.
    """

    def register(handler: Handler) -> Handler:
        HANDLERS[kind] = Registered(handler, tries, lane, is_message)
        return handler

    return register


def periodic(kind: str, every: timedelta, *, lane: str) -> Callable[[Handler], Handler]:
    """Register work that workers start by themselves, once per interval however many workers there are.

    One round that fails is not tried again, the next one is near; one whose worker was killed is taken over a few times.
    """

    def register(handler: Handler) -> Handler:
        HANDLERS[kind] = Registered(handler, tries=1, lane=lane)
        PERIODIC[kind] = every
        return handler

    return register


def enqueue(
    session: Session, kind: str, *, dedupe_key: str, run_at: datetime | None = None, about: tuple[str, int] | None = None,
    is_round: bool = False, **arguments: Any,
) -> None:  # fmt: skip
    """Ask for a job after this transaction commits. The same `dedupe_key` is one job, however often it is asked for.

    `about` names the thing the job is about, by kind and id: its community is the job's. Without, it is the city's.
    Raises `LookupError` for a kind that nobody registered: it has no lane, and nobody would do it.
    """
    moment = clock.now()
    if (registered := HANDLERS.get(kind)) is None:
        raise LookupError(f"no handler for {kind}")
    insert_once(
        session, Job, kind=kind, community_id=belonging_to(*about) if about else CITY, arguments=arguments, dedupe_key=dedupe_key,
        state=JobState.QUEUED, run_at=run_at or moment, attempts=0, fence=0, lane=registered.lane_of(arguments), created_at=moment,
        is_round=is_round,
    )


def _is_due(moment: datetime) -> sa.ColumnElement[bool]:
    """A job that waits, or whose worker was not heard of until its lease ran out."""
    is_free = sa.or_(Job.state == JobState.QUEUED, sa.and_(Job.state == JobState.RUNNING, Job.lease_until < moment))
    return sa.and_(UNFINISHED, Job.run_at <= moment, is_free, _may_run())


def _may_run() -> sa.ColumnElement[bool]:
    """Everything, or after a restore only messages that somebody asked for since."""
    return sa.or_(~pauses.is_paused(), Job.kind.in_(messages()))


def messages() -> list[str]:
    """The kinds of jobs that tell somebody something."""
    return [kind for kind, registered in HANDLERS.items() if registered.is_message]


@operation
def claim(session: Session, limit: int = 1, lane: str | None = None) -> list[tuple[int, int]]:
    """Take due jobs of a lane (None: of any), and running ones whose lease has run out; pairs of id and fencing number."""
    moment = clock.now()
    due = (
        sa.select(Job.id)
        .where(_is_due(moment), *([] if lane is None else [Job.lane == lane]))
        .order_by(Job.run_at, Job.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    taken = session.execute(
        sa.update(Job)
        .where(Job.id.in_(sa.select(due.c.id)))
        .values(state=JobState.RUNNING, fence=Job.fence + 1, attempts=Job.attempts + 1, lease_until=moment + LEASE)
        .returning(Job.id, Job.fence)
        .execution_options(synchronize_session=False)
    )
    return [(row.id, row.fence) for row in taken]


@operation
def finish(session: Session, job_id: int, fence: int, values: dict[str, Any]) -> bool:
    """Write a job's end if it is still ours; False when its lease ran out and somebody else has it."""
    mine = sa.update(Job).where(Job.id == job_id, Job.fence == fence, Job.state == JobState.RUNNING)
    return take(session, mine.values({"lease_until": None, **values}))


@operation
def give_back(session: Session, claimed: dict[int, int]) -> int:
    """Put jobs back into the queue whose worker ends under them (fencing numbers by id), so that nobody waits for their leases; how many.

    The try does not count: it is no fault of the job. What this worker may still do for it is fenced off.
    """
    moment, given = clock.now(), 0
    for job_id, fence in sorted(claimed.items()):
        mine = sa.update(Job).where(Job.id == job_id, Job.fence == fence, Job.state == JobState.RUNNING)
        back = {"state": JobState.QUEUED, "lease_until": None, "run_at": moment, "fence": Job.fence + 1, "attempts": Job.attempts - 1}
        given += take(session, mine.values(back))
    return given


def run(job_id: int, fence: int) -> bool:
    """Run one claimed job to its end; True when it was done.

    Each start counts as a try, so a job that kills its worker is given up too. How it went is logged: kind, number, lane, try,
    time, and the class of an error; never what it was about.
    """
    with work.begun("job", number=str(job_id)) as done:
        claimed = reading().get(Job, job_id, populate_existing=True)
        if claimed is None:
            return False
        done.place, lane, tried = claimed.kind, claimed.lane, claimed.attempts
        outcome = _run(claimed, fence)
        _tell(done, lane, tried, outcome)
    return outcome is Outcome.DONE


class Outcome(StrEnum):
    """How one try of a job ended."""

    DONE = "done"
    AGAIN_LATER = "again_later"  # it asked for that itself
    WAITS = "waits"  # a partner does not answer
    FAILED = "failed"  # and is tried again
    GAVE_UP = "gave_up"


def _tell(done: work.Work, lane: str, tried: int, outcome: Outcome) -> None:
    """Count one try that is over, and write it down."""
    kind = done.place if done.place in HANDLERS else "unknown"
    figures.JOBS.labels(kind, lane, outcome.value).observe(seconds := done.seconds)
    if tries_log.isEnabledFor(logging.INFO):
        facts = {
            "kind": kind, "lane": lane, "try": tried, "outcome": outcome.value, "ms": round(seconds * 1000, 1),
            "statements": done.statements, "database_ms": round(done.database_seconds * 1000, 1),
        }  # fmt: skip
        tries_log.info("job", extra={"facts": facts})


def _run(claimed: Job, fence: int) -> Outcome:
    job_id, kind, arguments, attempts = claimed.id, claimed.kind, dict(claimed.arguments), claimed.attempts
    age = clock.now() - claimed.created_at
    registered = HANDLERS.get(kind)
    tries = registered.tries if registered else 1
    if attempts > tries + (TAKEN_OVER if kind in PERIODIC else 0):
        log.error("job %s %s gave up: its worker ended %s times while it ran", job_id, kind, attempts - 1)
        ended = "The worker ended each time while it ran this job, so it is not started again by itself."
        perform(finish, job_id, fence, {"state": JobState.DEAD, "finished_at": clock.now(), "last_error": ended})
        return Outcome.GAVE_UP
    try:
        if registered is None:
            if age < UNKNOWN_KIND_WAITS:
                raise TryLater(UNKNOWN_KIND_ASKED)
            raise LookupError(f"no handler for {kind}")
        registered.handler(**arguments)
    except TryLater as later:
        perform(finish, job_id, fence, {"state": JobState.QUEUED, "run_at": clock.now() + later.delay, "attempts": 0, "last_error": None})
        return Outcome.AGAIN_LATER
    except Outage as outage:
        log.info("job %s %s waits: %s", job_id, kind, outage)
        perform(
            finish, job_id, fence,
            {"state": JobState.QUEUED, "run_at": clock.now() + pause_after(age), "attempts": 0, "last_error": str(outage)},
        )
        return Outcome.WAITS
    except Exception as error:
        is_last = attempts >= tries
        level, outcome = (logging.ERROR, "gave up") if is_last else (logging.WARNING, "failed")
        log.log(level, "job %s %s %s at try %s of %s: %s", job_id, kind, outcome, attempts, tries, type(error).__name__)
        perform(finish, job_id, fence, _after_failure(error, attempts, is_last))
        return Outcome.GAVE_UP if is_last else Outcome.FAILED
    crashpoint("outbox.after_run")
    perform(finish, job_id, fence, {"state": JobState.DONE, "finished_at": clock.now(), "last_error": None})
    return Outcome.DONE


def pause_after(age: timedelta) -> timedelta:
    """How long a job of this age waits before it asks a silent partner again: an eighth of its age, 5 s to 10 minutes."""
    return min(max(age / 8, timedelta(seconds=5)), LONGEST_PAUSE) * random.uniform(0.8, 1.0)


def _after_failure(failure: Exception, attempts: int, is_last: bool) -> dict[str, Any]:
    error = discretion.told(failure, limit=-6)[-4_000:]
    if is_last:
        return {"state": JobState.DEAD, "finished_at": clock.now(), "last_error": error}
    delay = min(2.0**attempts, LONGEST_PAUSE.total_seconds()) * random.uniform(0.5, 1.0)
    return {"state": JobState.QUEUED, "run_at": clock.now() + timedelta(seconds=delay), "last_error": error}


def lanes_due(session: Session) -> list[str]:
    """The lanes with a job that could be claimed, the most urgent first; a look that takes no lock.

    Goes from lane to lane through the index, so it costs the number of lanes, not of jobs.
    """
    first = sa.select(sa.func.min(Job.lane).label("lane")).where(UNFINISHED).cte("lanes", recursive=True)
    after = sa.select(sa.func.min(Job.lane)).where(UNFINISHED, Job.lane > first.c.lane).scalar_subquery()
    lanes = first.union_all(sa.select(after).where(first.c.lane.is_not(None)))
    has_due = sa.select(Job.id).where(Job.lane == lanes.c.lane, _is_due(clock.now())).exists()
    found = session.scalars(sa.select(lanes.c.lane).where(has_due)).all()
    finish_reading()
    return sorted(found, key=lambda lane: ({NOW: 0, SOON: 1, BULK: 3}.get(lane, 2), lane))


def rounds() -> dict[str, int]:
    """The present round of each kind of periodic work."""
    seconds = clock.now().timestamp()
    return {kind: int(seconds // every.total_seconds()) for kind, every in PERIODIC.items()}


@operation
def start_periodic(session: Session) -> None:
    """Ask for the periodic work of the present round; once per round, however many workers ask and however often.

    After a restore there are no rounds until it is resumed: they end orders and send reminders by what was true before.
    """
    if pauses.paused_since(session) is not None:
        return
    for kind, number in rounds().items():
        enqueue(session, kind, dedupe_key=f"{kind}@{number}", is_round=True)


def dead_among(session: Session, keys: Collection[str]) -> set[str]:
    """Which of these dedupe keys are of work that was given up: its subject must not wait for it any more."""
    return set(session.scalars(sa.select(Job.dedupe_key).where(Job.dedupe_key.in_(keys), Job.state == JobState.DEAD)))


class JobNotDead(ShopError):
    """Only a job that gave up is put back; one that waits or runs is looked after already."""

    code, status = "job_not_dead", 409
    message = sentence("This job has not given up, or somebody has put it back already. Nothing was changed.")


@operation
def retry(session: Session, actor: Actor, job_id: int, reason: str) -> str:
    """Put a dead job back into the queue, its tries counted anew, and write down who did and why; its kind.

    Raises `NotFound`, `JobNotDead`. Pressed twice, the second one is told that it is done.
    """
    kind = session.scalar(sa.select(Job.kind).where(Job.id == job_id))
    if kind is None:
        raise NotFound()
    dead = sa.update(Job).where(Job.id == job_id, Job.state == JobState.DEAD)
    if not take(session, dead.values(state=JobState.QUEUED, run_at=clock.now(), attempts=0, finished_at=None)):
        raise JobNotDead()
    audit.record(session, actor, Done.JOB_RETRIED, "job", job_id, kind=kind, reason=reason)
    return kind


@operation
def end_messages(session: Session) -> int:
    """After a restore: what waits to be told to somebody may have been told since the backup, and is not told again. How many."""
    waiting = sa.update(Job).where(UNFINISHED, Job.kind.in_(messages()))
    ended: Any = session.execute(
        waiting.values(state=JobState.DONE, finished_at=clock.now(), lease_until=None, last_error="Restored from a backup: not sent again.")
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    return int(ended.rowcount)


def run_due(limit: int = 1_000) -> int:
    """Run everything that is due now, in this process, until nothing is; the number run."""
    count = 0
    while count < limit and (claimed := perform(claim, 1)):
        for job_id, fence in claimed:
            run(job_id, fence)
            count += 1
    return count
