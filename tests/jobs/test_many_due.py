"""However many jobs are due, taking one costs the same."""

from __future__ import annotations

import time

import pytest
import sqlalchemy as sa
from flask import Flask

from shop.kernel.db import database, perform, reading, refresh_statistics, transaction
from shop.platform import outbox

DUE = 100_000
JOBS = 150


@outbox.job("test.of_many", lane=outbox.SOON)
def of_many() -> None:
    """Nothing to do."""


def fill(begin: int, end: int) -> None:
    """So many jobs that have been due for a while."""
    document = "CAST('{}' AS JSONB)" if database.engines[None].dialect.name == "postgresql" else "'{}'"
    columns = "id, kind, arguments, dedupe_key, state, run_at, attempts, fence, lane, created_at"
    values = f"n, 'test.of_many', {document}, 'many:' || n, 'queued', :at, 0, 0, 'soon', :at"
    numbers = "WITH RECURSIVE numbers(n) AS (SELECT CAST(:begin AS BIGINT) UNION ALL SELECT n + 1 FROM numbers WHERE n < :end)"
    at = sa.bindparam("at", outbox.clock.now() - outbox.timedelta(hours=1), type_=outbox.Job.run_at.type)
    with transaction() as session:
        statement = sa.text(f"INSERT INTO jobs ({columns}) {numbers} SELECT {values} FROM numbers").bindparams(at, begin=begin, end=end)
        session.execute(statement)
    refresh_statistics()  # as the worker does


def cost() -> float:
    """Processor and waiting time of a job, from looking to its end; the best of three tries."""
    best = float("inf")
    for _ in range(3):
        began, done = time.perf_counter(), 0
        while done < JOBS:
            assert outbox.lanes_due(reading()) == [outbox.SOON]
            for job_id, fence in perform(outbox.claim, 10, outbox.SOON):
                assert outbox.run(job_id, fence)
                done += 1
        best = min(best, (time.perf_counter() - began) / done)
    return best


@pytest.mark.slow
@pytest.mark.alone
def test_a_job_costs_the_same_among_a_hundred_thousand_that_are_due(app: Flask) -> None:
    fill(1, 1_000)
    few = cost()
    fill(1_001, DUE)
    many = cost()
    print(f"per second: {1 / few:.0f} of 1,000 due, {1 / many:.0f} of {DUE:,} due")
    assert many < 3 * few, "without the index of unfinished jobs it is fifty times"
    assert 1 / many > 100, "it was ten; a machine with nothing else to do makes a thousand"
