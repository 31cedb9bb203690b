"""`flask jobs run | list | retry`: the worker and what a person needs to look after it."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import click
import sqlalchemy as sa
from flask import Flask, current_app
from flask.cli import AppGroup
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from shop.kernel import clock
from shop.kernel.db import cause_of, close_connections, perform, reading, refuse_fault
from shop.kernel.errors import Busy, ShopError, Unavailable
from shop.models.platform import Job, JobState
from shop.platform import figures, logs, outbox, parameters
from shop.platform.actor import COMMAND

group = AppGroup("jobs", help="Background work.")

IDLE_SECONDS = 0.2
PAUSE_SECONDS = 1.0
# Longer than any partner is waited for; whoever started the worker gives it ten seconds more (deploy/systemd, compose.yaml).
STOP_WITHIN_SECONDS = 30.0
# More than all lanes of a city's partners together; threads are made only as they are needed.
MOST_THREADS = 96


@group.command("run")
@click.option("--once", is_flag=True, help="Run what is due now, in every lane, then stop.")
def run(once: bool) -> None:
    """Run jobs until told to stop, each lane with threads of its own.

    A job under way is finished first, or given back when it takes longer than half a minute; a killed worker's jobs are taken over
    by others when their leases are over.
    """
    if once:
        perform(outbox.start_periodic)
        click.echo(f"{outbox.run_due()} jobs run")
        return
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    logs.serve()
    figures.count_together(app.config)
    worker = Worker(app)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop())
    lanes = ", ".join(f"{lane} {count}" for lane, count in outbox.ABREAST.items())
    logs.ANNOUNCEMENTS.info("worker ready: %s, each partner %s", lanes, outbox.ABREAST_PER_PARTNER)
    if not worker.serve():
        os._exit(0)  # threads cannot be stopped; what they were at has been given back
    close_connections()


class Worker:
    """Looks for due jobs lane by lane and gives each to a thread, as many per lane as it has room for."""

    def __init__(self, app: Flask, stop_within: float = STOP_WITHIN_SECONDS) -> None:
        self.app = app
        self.stop_within = stop_within
        self.stopping = threading.Event()
        self.changed = threading.Event()  # a thread is free again, or it is time to stop
        self.lock = threading.Lock()
        self.busy: Counter[str] = Counter()
        self.under_way: dict[int, int] = {}  # fencing numbers by id of job
        self.asked: dict[str, int] = {}

    def stop(self) -> None:
        self.stopping.set()
        self.changed.set()

    def serve(self) -> bool:
        """Work until told to stop; then finish what is under way. False when some of it took too long and was given back."""
        pool = ThreadPoolExecutor(MOST_THREADS)
        while not self.stopping.is_set():
            self.changed.clear()
            try:
                started = self.look(pool)
            except Exception as error:
                report(self.app, error, "the worker could not look for jobs")
                self.stopping.wait(PAUSE_SECONDS)
                continue
            if not started:
                self.changed.wait(IDLE_SECONDS)
        return self.finish(pool)

    def finish(self, pool: ThreadPoolExecutor) -> bool:
        """Claim nothing more, wait for what is under way, and give back what takes too long; whether all of it was finished."""
        end = time.monotonic() + self.stop_within
        while self.under_way and time.monotonic() < end:
            self.changed.wait(IDLE_SECONDS)
            self.changed.clear()
        if not self.under_way:
            pool.shutdown()
            return True
        pool.shutdown(wait=False)
        with self.app.app_context():
            try:
                perform(outbox.give_back, dict(self.under_way))
            except Exception as error:
                report(self.app, error, "jobs under way could not be given back; their leases will run out")
        return False

    def look(self, pool: ThreadPoolExecutor) -> int:
        """Start what is due and has room; how many jobs."""
        started = 0
        with self.app.app_context():
            if (rounds := outbox.rounds()) != self.asked:
                perform(outbox.start_periodic)
                self.asked = rounds
            for lane in outbox.lanes_due(reading()):
                if self.stopping.is_set():
                    break
                room = min(outbox.abreast(lane) - self.busy[lane], MOST_THREADS - self.busy.total())
                for job_id, fence in perform(outbox.claim, room, lane) if room > 0 else []:
                    self.count(lane, 1)
                    self.under_way[job_id] = fence
                    pool.submit(self.work, lane, job_id, fence)
                    started += 1
        return started

    def count(self, lane: str, change: int) -> None:
        with self.lock:
            self.busy[lane] += change

    def work(self, lane: str, job_id: int, fence: int) -> None:
        """Run one claimed job in a thread of the pool."""
        try:
            with self.app.app_context():
                outbox.run(job_id, fence)
        except Exception as error:
            report(self.app, error, f"the outcome of job {job_id} could not be written; its lease will run out")
        finally:
            self.under_way.pop(job_id, None)
            self.count(lane, -1)
            self.changed.set()


def report(app: Flask, error: Exception, what: str) -> None:
    """A defect with everything known about it; a database that is away, busy or full in one line."""
    try:
        if isinstance(error, DBAPIError | PoolExhausted):
            refuse_fault(error)
    except (Busy, Unavailable) as trouble:
        error = trouble
    if isinstance(error, Busy | Unavailable):
        app.logger.warning("%s: database %s: %s", what, error.code, cause_of(error))
    else:
        app.logger.error("%s", what, exc_info=error)


@group.command("list")
@click.option("--state", type=click.Choice([state.value for state in JobState]), help="Only jobs in this state.")
def list_(state: str | None) -> None:
    """Jobs, newest first."""
    wanted = sa.select(Job).order_by(Job.id.desc()).limit(50)
    if state:
        wanted = wanted.where(Job.state == JobState(state))
    for row in reading().scalars(wanted):
        error = (row.last_error or "").strip().splitlines()[-1:] or [""]
        due = clock.local(row.run_at)
        click.echo(
            f"{row.id:>8}  {row.state.value:<8} {row.lane:<20} {row.kind:<28} tries {row.attempts}  due {due:%m-%d %H:%M:%S}  {error[0]}"
        )


@group.command("retry")
@click.argument("job_id", type=parameters.ID)
def retry(job_id: int) -> None:
    """Put a dead job back into the queue."""
    try:
        perform(outbox.retry, COMMAND, job_id, "")
    except ShopError as error:
        raise click.ClickException(f"job {job_id} is not dead") from error
    click.echo("queued")
