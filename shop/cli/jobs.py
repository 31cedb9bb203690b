"""`flask jobs run | list | retry`: the worker and what a person needs to look after it."""

from __future__ import annotations

import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import click
import sqlalchemy as sa
from flask import Flask, current_app
from flask.cli import AppGroup

from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.kernel.errors import ShopError
from shop.models.platform import Job, JobState
from shop.platform import outbox
from shop.platform.actor import COMMAND

group = AppGroup("jobs", help="Background work.")

IDLE_SECONDS = 0.2
PAUSE_SECONDS = 1.0


@group.command("run")
@click.option("--once", is_flag=True, help="Run what is due now, then stop.")
@click.option("--threads", default=6, show_default=True, help="Jobs worked on side by side.")
def run(once: bool, threads: int) -> None:
    """Run jobs until told to stop. A job under way is finished first; a killed worker's jobs are taken over by others."""
    if once:
        perform(outbox.start_periodic)
        click.echo(f"{outbox.run_due()} jobs run")
        return
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    click.echo(f"worker ready, {threads} threads")
    with ThreadPoolExecutor(threads) as pool:
        serve(app, pool, threading.Semaphore(threads), stop)


def serve(app: Flask, pool: ThreadPoolExecutor, free: threading.Semaphore, stop: threading.Event) -> None:
    """Look for due jobs and hand each to a free thread; wait while nothing is due or the database is away."""
    asked: dict[str, int] = {}
    while not stop.is_set():
        free.acquire()
        try:
            with app.app_context():
                if (rounds := outbox.rounds()) != asked:
                    perform(outbox.start_periodic)
                    asked = rounds
                claimed = perform(outbox.claim, 1) if outbox.has_due(reading()) else []
        except Exception:
            app.logger.exception("the worker could not look for jobs")
            claimed = []
            stop.wait(PAUSE_SECONDS)
        if claimed:
            pool.submit(work, app, free, *claimed[0])
            continue
        free.release()
        stop.wait(IDLE_SECONDS)


def work(app: Flask, free: threading.Semaphore, job_id: int, fence: int) -> None:
    """Run one claimed job in a thread of the pool."""
    try:
        with app.app_context():
            outbox.run(job_id, fence)
    except Exception:
        app.logger.exception("the outcome of job %s could not be written; its lease will run out", job_id)
    finally:
        free.release()


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
        click.echo(f"{row.id:>8}  {row.state.value:<8} {row.kind:<28} tries {row.attempts}  due {due:%m-%d %H:%M:%S}  {error[0]}")


@group.command("retry")
@click.argument("job_id", type=int)
def retry(job_id: int) -> None:
    """Put a dead job back into the queue."""
    try:
        perform(outbox.retry, COMMAND, job_id, "")
    except ShopError as error:
        raise click.ClickException(f"job {job_id} is not dead") from error
    click.echo("queued")
