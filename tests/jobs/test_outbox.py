"""The outbox itself: leases, fences, tries, lanes, and what is said when a job fails."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from shop.kernel import clock
from shop.kernel.db import database, perform, reading, transaction
from shop.models.platform import Job, JobState
from shop.platform import outbox
from tests.support.plans import plan_of, statements

pytestmark = pytest.mark.usefixtures("app")

Handle = Callable[..., None]


@pytest.fixture(autouse=True)
def _only_own_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kinds of jobs registered in a test are gone after it."""
    monkeypatch.setattr(outbox, "HANDLERS", dict(outbox.HANDLERS))
    monkeypatch.setattr(outbox, "PERIODIC", dict(outbox.PERIODIC))


def enqueue(kind: str = "test.work", **arguments: Any) -> int:
    key = f"{kind}:{arguments}"
    with transaction() as session:
        outbox.enqueue(session, kind, dedupe_key=key, **arguments)
    return reading().scalars(sa.select(Job.id).where(Job.dedupe_key == key)).one()


def job(job_id: int) -> Job:
    database.session.rollback()
    return reading().get_one(Job, job_id)


def pass_over(by: timedelta) -> None:
    clock.move(clock.shift() + by)


def run_until_still(rounds: int = 40) -> None:
    """Run what is due, again and again, with enough time between for every pause."""
    for _ in range(rounds):
        outbox.run_due()
        pass_over(outbox.LONGEST_PAUSE)


# --- the lease and its fence ---


def test_a_job_under_way_is_nobody_elses_until_its_lease_is_over() -> None:
    outbox.job("test.work", lane=outbox.SOON)(lambda: None)
    job_id = enqueue()
    assert perform(outbox.claim) == [(job_id, 1)]
    assert perform(outbox.claim) == []
    assert outbox.lanes_due(reading()) == []
    pass_over(outbox.LEASE + timedelta(seconds=1))
    assert outbox.lanes_due(reading()) == [outbox.SOON]
    assert perform(outbox.claim) == [(job_id, 2)], "the next fencing number"


def test_a_worker_that_was_too_slow_writes_nothing_over_its_successor() -> None:
    successor: list[tuple[int, int]] = []

    @outbox.job("test.work", lane=outbox.SOON)
    def slow() -> None:
        pass_over(outbox.LEASE + timedelta(seconds=1))
        successor.extend(perform(outbox.claim))

    job_id = enqueue()
    (claimed,) = perform(outbox.claim)
    outbox.run(*claimed)
    now = job(job_id)
    assert successor == [(job_id, 2)]
    assert (now.state, now.fence, now.finished_at) == (JobState.RUNNING, 2, None)
    assert now.lease_until is not None


@pytest.mark.parametrize("way", ["fails", "asks again", "waits for a partner"])
def test_nor_when_it_fails_or_waits(way: str) -> None:
    @outbox.job("test.work", lane=outbox.SOON)
    def slow() -> None:
        pass_over(outbox.LEASE + timedelta(seconds=1))
        perform(outbox.claim)
        raise {"fails": OSError(), "asks again": outbox.TryLater(timedelta(0)), "waits for a partner": outbox.Outage("x")}[way]

    job_id = enqueue()
    outbox.run(*perform(outbox.claim)[0])
    assert (job(job_id).state, job(job_id).fence) == (JobState.RUNNING, 2)


# --- tries ---


def test_a_job_that_fails_each_time_is_given_up_after_its_tries() -> None:
    runs: list[int] = []

    @outbox.job("test.work", tries=4, lane=outbox.SOON)
    def fail() -> None:
        runs.append(1)
        raise OSError()

    job_id = enqueue()
    run_until_still(10)
    assert (len(runs), job(job_id).state) == (4, JobState.DEAD)


def test_a_job_that_kills_its_worker_each_time_is_given_up_after_its_tries() -> None:
    runs: list[int] = []
    outbox.job("test.work", tries=3, lane=outbox.SOON)(lambda: runs.append(1))
    job_id = enqueue()
    for _ in range(3):
        assert perform(outbox.claim), "claimed by a worker that dies before anything is written"
        pass_over(outbox.LEASE + timedelta(seconds=1))
    outbox.run_due()
    given_up = job(job_id)
    assert (runs, given_up.state) == ([], JobState.DEAD)
    assert "The worker ended" in (given_up.last_error or "")


def test_periodic_work_is_taken_over_from_killed_workers_but_not_tried_again_after_a_failure() -> None:
    runs: list[int] = []

    @outbox.periodic("test.round", timedelta(days=1), lane=outbox.SOON)
    def fail() -> None:
        runs.append(1)
        raise OSError()

    job_id = enqueue("test.round")
    for _ in range(outbox.TAKEN_OVER):
        assert perform(outbox.claim)
        pass_over(outbox.LEASE + timedelta(seconds=1))
    run_until_still(3)
    assert (runs, job(job_id).state) == ([1], JobState.DEAD)


def test_periodic_work_that_kills_every_worker_is_given_up_as_well() -> None:
    runs: list[int] = []
    outbox.periodic("test.round", timedelta(days=1), lane=outbox.SOON)(lambda: runs.append(1))
    job_id = enqueue("test.round")
    for _ in range(1 + outbox.TAKEN_OVER):
        assert perform(outbox.claim)
        pass_over(outbox.LEASE + timedelta(seconds=1))
    outbox.run_due()
    assert (runs, job(job_id).state) == ([], JobState.DEAD)


def test_an_outage_never_uses_up_the_tries_and_is_asked_about_less_and_less_often() -> None:
    moments = []

    @outbox.job("test.work", tries=2, lane=outbox.SOON)
    def wait() -> None:
        moments.append(clock.now())
        if moments[-1] - moments[0] < timedelta(hours=3):
            raise outbox.Outage("partner sms does not answer")

    job_id = enqueue()
    while job(job_id).state is not JobState.DONE:
        outbox.run_due()
        pass_over(max(job(job_id).run_at - clock.now(), timedelta(0)) + timedelta(milliseconds=1))
    pauses = [later - sooner for sooner, later in pairwise(moments)]
    assert pauses[0] < timedelta(seconds=10)
    assert timedelta(minutes=7) < pauses[-1] < outbox.LONGEST_PAUSE + timedelta(seconds=5)


# --- what is said ---


def test_what_fails_is_logged_with_its_try_and_without_what_it_was_about(caplog: pytest.LogCaptureFixture) -> None:
    @outbox.job("test.work", tries=2, lane=outbox.SOON)
    def fail(phone: str) -> None:
        raise ValueError(f"cannot reach {phone}")

    job_id = enqueue(phone="13800000001")
    with caplog.at_level(logging.WARNING, "shop.outbox"):
        run_until_still(4)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", f"job {job_id} test.work failed at try 1 of 2: ValueError"),
        ("ERROR", f"job {job_id} test.work gave up at try 2 of 2: ValueError"),
    ]


def test_a_job_that_ended_its_worker_is_logged_when_it_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    outbox.job("test.work", tries=1, lane=outbox.SOON)(lambda: None)
    job_id = enqueue()
    perform(outbox.claim)
    pass_over(outbox.LEASE + timedelta(seconds=1))
    with caplog.at_level(logging.WARNING, "shop.outbox"):
        outbox.run_due()
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("ERROR", f"job {job_id} test.work gave up: its worker ended 1 times while it ran")
    ]


# --- lanes ---


def test_a_lane_is_told_by_the_kind_of_a_job_or_from_its_arguments() -> None:
    outbox.job("test.urgent", lane=outbox.NOW)(lambda: None)
    outbox.job("test.partner", lane=lambda *, name, **_others: outbox.partner(name))(lambda **_: None)
    outbox.job("test.work", lane=outbox.SOON)(lambda: None)
    found = {job(enqueue("test.urgent")).lane, job(enqueue("test.partner", name="water", number=3)).lane, job(enqueue()).lane}
    assert found == {"now", "partner:water", "soon"}


def test_lanes_with_work_are_named_the_urgent_first_and_a_claim_keeps_to_its_lane() -> None:
    for lane in (outbox.BULK, outbox.partner("gas"), outbox.SOON, outbox.partner("water"), outbox.NOW):
        outbox.job(f"test.{lane}", lane=lane)(lambda: None)
        enqueue(f"test.{lane}")
    with transaction() as session:  # nothing to do in this one yet
        outbox.job("test.later", lane=outbox.partner("heat"))(lambda: None)
        outbox.enqueue(session, "test.later", dedupe_key="later", run_at=clock.now() + timedelta(hours=1))
    assert outbox.lanes_due(reading()) == ["now", "soon", "partner:gas", "partner:water", "bulk"]
    (claimed,) = perform(outbox.claim, 10, "partner:water")
    assert job(claimed[0]).kind == "test.partner:water"
    assert outbox.lanes_due(reading()) == ["now", "soon", "partner:gas", "bulk"]


@pytest.mark.parametrize("register", [lambda: outbox.job("test.work"), lambda: outbox.periodic("test.work", timedelta(days=1))])
def test_a_kind_of_job_without_a_lane_is_not_taken(register: Callable[[], Any]) -> None:
    with pytest.raises(TypeError, match="lane"):
        register()
    assert "test.work" not in outbox.HANDLERS


def test_a_job_that_nobody_registered_is_not_asked_for() -> None:
    with pytest.raises(LookupError, match="nobody"):
        enqueue("test.nobody")
    assert reading().scalar(sa.select(sa.func.count()).select_from(Job)) == 0


# --- what is written down ---


def test_every_try_of_a_job_is_one_line_with_its_lane_and_what_it_cost(caplog: pytest.LogCaptureFixture) -> None:
    @outbox.job("test.work", tries=2, lane=outbox.NOW)
    def work(phone: str) -> None:
        reading().scalar(sa.select(sa.func.count()).select_from(Job))
        if len(phone) > 3:
            raise ConnectionError(phone)

    with caplog.at_level(logging.INFO, "shop.jobs"):
        enqueue(phone="13800000001")
        enqueue(phone="138")
        outbox.run_due()
    facts = [record.facts for record in caplog.records if record.name == "shop.jobs"]
    assert [(one["kind"], one["lane"], one["try"], one["outcome"]) for one in facts] == [
        ("test.work", "now", 1, "failed"), ("test.work", "now", 1, "done"),
    ]  # fmt: skip
    assert all(one["ms"] >= one["database_ms"] > 0 and one["statements"] >= 2 for one in facts)
    assert "13800000001" not in str(facts) + caplog.text


# --- many workers, many jobs ---


def claimed_by_all(app: Flask, claim: Callable[[], list[tuple[int, int]]], workers: int = 4) -> list[tuple[int, int]]:
    """What several workers claim side by side until nothing is left."""
    taken: list[tuple[int, int]] = []
    together = threading.Barrier(workers)

    def work() -> None:
        with app.app_context():
            together.wait()
            while found := claim():
                taken.extend(found)

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return taken


def many(count: int, lane: str = outbox.SOON) -> None:
    moment = clock.now() - timedelta(seconds=1)
    rows = [
        {
            "kind": "test.work", "arguments": {}, "dedupe_key": f"{lane}:{number}", "state": JobState.QUEUED, "run_at": moment,
            "attempts": 0, "fence": 0, "lane": lane, "created_at": moment,
        }
        for number in range(count)
    ]  # fmt: skip
    with transaction() as session:
        session.execute(sa.insert(Job), rows)


def test_workers_side_by_side_take_every_job_once(app: Flask) -> None:
    many(80)
    taken = claimed_by_all(app, lambda: perform(outbox.claim, 3, outbox.SOON))
    assert len(taken) == len({job_id for job_id, _ in taken}) == 80
    assert {fence for _, fence in taken} == {1}


def test_looking_first_and_taking_afterwards_would_take_jobs_twice(app: Flask) -> None:
    """The control: the same race without a claim in one statement."""
    many(1)
    looked = threading.Barrier(4)

    def claim() -> list[tuple[int, int]]:
        found = list(reading().scalars(sa.select(Job.id).where(Job.state == JobState.QUEUED)))
        database.session.rollback()
        looked.wait()
        with transaction() as session:
            for job_id in found:
                session.execute(sa.update(Job).where(Job.id == job_id).values(state=JobState.RUNNING))
        looked.wait()
        return [(job_id, 1) for job_id in found]

    assert len(claimed_by_all(app, claim)) == 4


def test_looking_and_claiming_go_through_the_index_however_many_are_due(engine_name: str) -> None:
    many(1_000)
    many(5, outbox.NOW)
    (looking,) = [text for text in statements(lambda: outbox.lanes_due(reading())) if "FROM jobs" in text]
    (claiming,) = [text for text in statements(lambda: perform(outbox.claim, 1, outbox.NOW)) if "UPDATE jobs" in text]
    for text in (looking, claiming):
        plan = plan_of(text.replace("%%", "%"), engine_name)
        assert "ix_jobs_lane" in plan, plan
        assert "ix_jobs_state_run_at" not in plan, plan  # it would look at all that wait
        assert "SCAN jobs\n" not in plan + "\n", plan
        assert "Seq Scan on jobs" not in plan, plan
