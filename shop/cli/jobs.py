"""`flask jobs run | list | retry`: the worker and what a person needs to look after it."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from typing import Any

import click
import sqlalchemy as sa
from flask import Flask, current_app
from flask.cli import AppGroup

from shop.kernel import clock
from shop.kernel.db import perform, reading, take
from shop.models.platform import Job, JobState
from shop.platform import outbox

group = AppGroup("jobs", help="Background work.")

IDLE_SECONDS = 0.2
PERIODIC_SECONDS = 1.0


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
    workers = [threading.Thread(target=work, args=(app, stop), daemon=True) for _ in range(threads)]
    for worker in workers:
        worker.start()
    click.echo(f"worker ready, {threads} threads")
    while not stop.wait(PERIODIC_SECONDS):
        with contextlib.suppress(Exception), app.app_context():
            perform(outbox.start_periodic)
    for worker in workers:
        worker.join(timeout=30)


def work(app: Flask, stop: threading.Event) -> None:
    """One thread: take a job, run it, again. A database that is away is waited for."""
    while not stop.is_set():
        try:
            with app.app_context():
                claimed = perform(outbox.claim, 1)
                for job_id, fence in claimed:
                    outbox.run(job_id, fence)
        except Exception:
            app.logger.exception("the worker could not take a job")
            time.sleep(1)
            continue
        if not claimed:
            stop.wait(IDLE_SECONDS)


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

    def put_back(session: Any) -> bool:
        dead = sa.update(Job).where(Job.id == job_id, Job.state == JobState.DEAD)
        return take(session, dead.values(state=JobState.QUEUED, run_at=clock.now(), attempts=0, finished_at=None))

    if not perform(put_back):
        raise click.ClickException(f"job {job_id} is not dead")
    click.echo("queued")


