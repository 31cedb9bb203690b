"""The breaker: who is asked, who is not, and what all processes see."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
import sqlalchemy as sa

from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.models.platform import Partner
from shop.platform import partners

pytestmark = pytest.mark.usefixtures("app")


def call(outcome: Exception | None = None, name: str = "biller:water") -> None:
    with partners.asking(name, 5, counts=(OSError,)):
        if outcome is not None:
            raise outcome


def fail(times: int = 1, name: str = "biller:water") -> None:
    for _ in range(times):
        with pytest.raises(OSError):
            call(OSError(), name)


def refused() -> bool:
    """Whether the next caller is told that nobody is asked."""
    try:
        call()
    except partners.NotAnswering:
        return True
    return False


def test_a_partner_that_answers_leaves_no_trace() -> None:
    call()
    assert reading().query(Partner).count() == 0
    assert partners.silent_until(reading(), "biller:water") is None


def test_failures_in_a_row_open_the_breaker_and_nobody_is_sent() -> None:
    fail(partners.FAILURES - 1)
    assert partners.silent_until(reading(), "biller:water") is None
    fail()
    with pytest.raises(partners.NotAnswering) as told:
        call(AssertionError("the partner was asked"))
    assert told.value.until == partners.silent_until(reading(), "biller:water")
    call(name="biller:gas")  # others go on


def test_an_answer_between_failures_starts_the_count_anew() -> None:
    fail(partners.FAILURES - 1)
    call()
    fail(partners.FAILURES - 1)
    assert not refused()


def test_a_refusal_is_an_answer() -> None:
    fail(partners.FAILURES - 1)
    with pytest.raises(LookupError):
        call(LookupError())
    fail()
    assert not refused()


def test_an_answer_that_makes_no_sense_counts_as_none() -> None:
    for _ in range(partners.FAILURES):
        with partners.asking("biller:water", 5) as asked:
            asked.failed("502")
    assert refused()


def test_failures_far_apart_are_not_in_a_row() -> None:
    for hours in range(partners.FAILURES + 1):
        clock.move(timedelta(hours=hours))
        fail()
    assert not refused()


def test_after_the_pause_one_caller_tries_and_its_success_closes_for_all() -> None:
    fail(partners.FAILURES)
    clock.move(partners.PAUSE + timedelta(seconds=1))
    with partners.asking("biller:water", 5, counts=(OSError,)):
        assert refused(), "a second caller while the first one tries"
    assert not refused()
    assert partners.silent_until(reading(), "biller:water") is None


def test_a_try_that_fails_keeps_it_open_for_another_pause() -> None:
    fail(partners.FAILURES)
    clock.move(partners.PAUSE + timedelta(seconds=1))
    fail()
    assert refused()
    clock.move(2 * partners.PAUSE + timedelta(seconds=2))
    assert not refused()


def test_a_caller_that_died_while_trying_does_not_keep_it_open() -> None:
    fail(partners.FAILURES)
    clock.move(partners.PAUSE + timedelta(seconds=1))
    until = reading().scalars(sa.select(Partner.next_probe_at)).one()
    assert partners.silent_until(reading(), "biller:water") is None, "it is time to try"
    assert until is not None
    assert perform(partners.take_probe, "biller:water", until)
    assert not perform(partners.take_probe, "biller:water", until), "one only"
    assert refused()
    clock.move(2 * partners.PAUSE + timedelta(seconds=2))
    assert not refused()


def test_opening_and_closing_are_said_once_and_hold_nothing_private(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "shop.partners"):
        fail(partners.FAILURES)
        clock.move(partners.PAUSE + timedelta(seconds=1))
        call()
        call()
    assert [record.getMessage() for record in caplog.records] == [
        "partner biller:water does not answer (OSError, 5 times in a row)", "partner biller:water answers again",
    ]  # fmt: skip
