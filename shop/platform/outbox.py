"""Work to do after the commit that asked for it.

`enqueue` writes a job in the caller's transaction; workers take jobs under a lease with a fencing number and run the
registered handler. A handler takes ids, opens its own transactions, and may run more than once: it must be idempotent.
"""

from __future__ import annotations

import random
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.crash import crashpoint
from shop.kernel.db import finish_reading, insert_once, operation, perform, reading, take
from shop.kernel.errors import NotFound, ShopError, sentence
from shop.models.platform import Job, JobState
from shop.platform import audit
from shop.platform.actor import Actor

Handler = Callable[..., None]

# No handler may run longer than this: then another worker takes the job over.
LEASE = timedelta(minutes=2)


@dataclass(frozen=True)
class Registered:
    """A handler and how often it is tried."""

    handler: Handler
    tries: int


HANDLERS: dict[str, Registered] = {}
PERIODIC: dict[str, timedelta] = {}


class TryLater(Exception):
    """A handler asks to be run again after `delay`; not a failure and not counted as one."""

    def __init__(self, delay: timedelta) -> None:
        self.delay = delay
        super().__init__(f"again in {delay}")


def job(kind: str, *, tries: int = 12) -> Callable[[Handler], Handler]:
    """Register the handler of a kind of job; called with the job's arguments as keywords."""

    def register(handler: Handler) -> Handler:
        HANDLERS[kind] = Registered(handler, tries)
        return handler

    return register


def periodic(kind: str, every: timedelta) -> Callable[[Handler], Handler]:
    """Register work that workers start by themselves, once per interval however many workers there are."""

    def register(handler: Handler) -> Handler:
        HANDLERS[kind] = Registered(handler, tries=1)
        PERIODIC[kind] = every
        return handler

    return register


def enqueue(session: Session, kind: str, *, dedupe_key: str, run_at: datetime | None = None, **arguments: Any) -> None:
    """Ask for a job after this transaction commits. The same `dedupe_key` is one job, however often it is asked for."""
    moment = clock.now()
    insert_once(
        session, Job, kind=kind, arguments=arguments, dedupe_key=dedupe_key, state=JobState.QUEUED, run_at=run_at or moment,
        attempts=0, fence=0, created_at=moment,
    )


@operation
def claim(session: Session, limit: int = 1) -> list[tuple[int, int]]:
    """Take due jobs, and running ones whose lease has run out; pairs of id and fencing number."""
    moment = clock.now()
    due = (
        sa.select(Job.id)
        .where(
            Job.run_at <= moment,
            sa.or_(Job.state == JobState.QUEUED, sa.and_(Job.state == JobState.RUNNING, Job.lease_until < moment)),
        )
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


def run(job_id: int, fence: int) -> bool:
    """Run one claimed job to its end; True when it was done."""
    claimed = reading().get(Job, job_id, populate_existing=True)
    if claimed is None:
        return False
    kind, arguments, attempts = claimed.kind, dict(claimed.arguments), claimed.attempts
    registered = HANDLERS.get(kind)
    try:
        if registered is None:
            raise LookupError(f"no handler for {kind}")
        registered.handler(**arguments)
    except TryLater as later:
        perform(finish, job_id, fence, {"state": JobState.QUEUED, "run_at": clock.now() + later.delay, "attempts": 0})
        return False
    except Exception:
        perform(finish, job_id, fence, _after_failure(attempts, registered.tries if registered else 1))
        return False
    crashpoint("outbox.after_run")
    perform(finish, job_id, fence, {"state": JobState.DONE, "finished_at": clock.now(), "last_error": None})
    return True


def _after_failure(attempts: int, tries: int) -> dict[str, Any]:
    error = traceback.format_exc(limit=-6)[-4_000:]
    if attempts >= tries:
        return {"state": JobState.DEAD, "finished_at": clock.now(), "last_error": error}
    delay = min(2.0**attempts, 600) * random.uniform(0.5, 1.0)
    return {"state": JobState.QUEUED, "run_at": clock.now() + timedelta(seconds=delay), "last_error": error}


def has_due(session: Session) -> bool:
    """Whether a job waits that could be claimed; a look that takes no lock."""
    moment = clock.now()
    waiting = sa.or_(Job.state == JobState.QUEUED, sa.and_(Job.state == JobState.RUNNING, Job.lease_until < moment))
    found = session.scalar(sa.select(Job.id).where(Job.run_at <= moment, waiting).limit(1)) is not None
    finish_reading()
    return found


def rounds() -> dict[str, int]:
    """The present round of each kind of periodic work."""
    seconds = clock.now().timestamp()
    return {kind: int(seconds // every.total_seconds()) for kind, every in PERIODIC.items()}


@operation
def start_periodic(session: Session) -> None:
    """Ask for the periodic work of the present round; once per round, however many workers ask and however often."""
    for kind, number in rounds().items():
        enqueue(session, kind, dedupe_key=f"{kind}@{number}")


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
    audit.record(session, actor, "job.retried", "job", job_id, kind=kind, reason=reason)
    return kind


@operation
def prune(session: Session, older_than: timedelta = timedelta(days=7)) -> int:
    """Forget finished periodic work; everything else stays as evidence. The number forgotten."""
    outcome: Any = session.execute(
        sa.delete(Job).where(Job.kind.in_(list(PERIODIC)), Job.state != JobState.QUEUED, Job.finished_at < clock.now() - older_than)
    )
    return int(outcome.rowcount)


def run_due(limit: int = 1_000) -> int:
    """Run everything that is due now, in this process, until nothing is; the number run."""
    count = 0
    while count < limit and (claimed := perform(claim, 1)):
        for job_id, fence in claimed:
            run(job_id, fence)
            count += 1
    return count
