"""A worker that is told to stop claims nothing more, finishes what is under way, and gives back what takes too long."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from shop.cli.jobs import Worker
from shop.kernel import clock
from shop.kernel.db import database, perform, reading, transaction
from shop.models.platform import Job, JobState
from shop.platform import outbox


@pytest.fixture(autouse=True)
def _only_own_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "HANDLERS", {})
    monkeypatch.setattr(outbox, "PERIODIC", {})


def enqueue(kind: str, **arguments: Any) -> int:
    """Ask for a job, also of a kind that only the release that asks knows."""
    key = f"{kind}:{arguments}"
    with pytest.MonkeyPatch.context() as patched, transaction() as session:
        patched.setattr(outbox, "HANDLERS", {kind: outbox.Registered(lambda: None, 12, outbox.SOON)})
        outbox.enqueue(session, kind, dedupe_key=key, **arguments)
    return reading().scalars(sa.select(Job.id).where(Job.dedupe_key == key)).one()


def job(job_id: int) -> Job:
    database.session.rollback()
    return reading().get_one(Job, job_id)


class Running:
    """A worker in a thread, at a job that goes on until it is let go."""

    def __init__(self, app: Flask, stop_within: float) -> None:
        self.begun, self.let_go = threading.Event(), threading.Event()
        self.started: list[int] = []
        self.outcome: list[bool] = []

        @outbox.job("test.slow", lane=outbox.SOON)
        def slow(number: int) -> None:
            self.started.append(number)
            self.begun.set()
            assert self.let_go.wait(20)

        database.session.rollback()
        self.worker = Worker(app, stop_within)
        self.thread = threading.Thread(target=lambda: self.outcome.append(self.worker.serve()))

    def __enter__(self) -> Running:
        self.thread.start()
        assert self.begun.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self.worker.stop()
        self.let_go.set()
        self.thread.join(20)


def test_what_is_under_way_is_finished_and_nothing_new_is_begun(app: Flask) -> None:
    first = enqueue("test.slow", number=1)
    with Running(app, stop_within=10) as running:
        running.worker.stop()
        time.sleep(0.3)
        second = enqueue("test.slow", number=2)
        time.sleep(0.6)
        assert running.thread.is_alive(), "it waits for what is under way"
        running.let_go.set()
        running.thread.join(10)
    assert running.outcome == [True]
    assert running.started == [1]
    assert (job(first).state, job(second).state) == (JobState.DONE, JobState.QUEUED)


def test_what_takes_too_long_is_given_back_and_done_by_the_next_at_once(app: Flask) -> None:
    number = enqueue("test.slow", number=1)
    with Running(app, stop_within=0.5) as running:
        running.worker.stop()
        running.thread.join(10)
        assert running.outcome == [False]
        given = job(number)
        assert (given.state, given.attempts, given.lease_until) == (JobState.QUEUED, 0, None)
        fence_of_the_first = given.fence - 1
        running.let_go.set()
        ((claimed, fence),) = perform(outbox.claim)
        assert claimed == number
        assert not perform(outbox.finish, number, fence_of_the_first, {"state": JobState.DEAD}), "what the first says now is not heard"
        assert outbox.run(number, fence)
    assert job(number).state is JobState.DONE


def test_only_what_is_still_ones_own_is_given_back(app: Flask) -> None:
    outbox.job("test.slow", lane=outbox.SOON)(lambda number: None)
    number = enqueue("test.slow", number=1)
    ((_, fence),) = perform(outbox.claim)
    assert perform(outbox.give_back, {number: fence - 1}) == 0
    assert job(number).state is JobState.RUNNING
    assert perform(outbox.give_back, {number: fence}) == 1
    assert perform(outbox.give_back, {number: fence}) == 0


def test_a_job_of_a_newer_release_waits_for_its_worker(app: Flask) -> None:
    number = enqueue("test.of_tomorrow")
    outbox.run_due()
    assert job(number).state is JobState.QUEUED
    clock.move(clock.shift() + timedelta(seconds=20))
    outbox.job("test.of_tomorrow", lane=outbox.SOON)(lambda: None)
    assert outbox.run_due() == 1
    assert job(number).state is JobState.DONE


def test_a_job_that_nobody_ever_knows_is_given_up(app: Flask) -> None:
    number = enqueue("test.of_nowhere")
    clock.move(clock.shift() + timedelta(hours=2))
    outbox.run_due()
    assert job(number).state is JobState.DEAD
    assert "LookupError" in str(job(number).last_error)
