"""What a biller that hangs, drips or is down does to others, and to what is on its way to it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from shop.bills import jobs, operations
from shop.bills.errors import BillerSilent
from shop.bills.gateway import BillerUnavailable, HttpBiller
from shop.kernel import clock
from shop.kernel.db import database, perform, reading
from shop.models.bills import BillLookUp, BillPaymentState, LookUpOutcome
from shop.models.platform import Job, JobState, Partner, PartnerState
from shop.platform import outbox, partners
from simulators.biller.channel import Channel
from tests.support import bills
from tests.support.dripping import HEAD, dripping
from tests.support.factories import Factories, actor_of
from tests.support.money import balance, fund

pytestmark = pytest.mark.usefixtures("books_hold_afterwards")

POWER = "biller:power"


@pytest.fixture
def biller(app: Flask) -> Iterator[Channel]:
    with bills.billers_running(app, settle_seconds=0) as channel:
        yield channel


def break_contact(name: str = POWER) -> None:
    for _ in range(partners.FAILURES):
        perform(partners.note_failure, name, "ReadTimeout")


def test_a_look_up_at_a_biller_that_drips_ends_within_the_usual_time(app: Flask) -> None:
    with dripping(HEAD, b" ") as address:
        began = time.monotonic()
        with pytest.raises(BillerUnavailable):
            HttpBiller(address, "key", timeout_seconds=0.5).look_up("power", "5110000018", prepaid=False)
        assert 0.4 < time.monotonic() - began < 2


def test_paying_at_a_biller_that_drips_even_its_headers_ends_within_the_usual_time(app: Flask, make: Factories) -> None:
    with dripping(b"HTTP/1.1 200 OK\r\nX: ", b"x") as address:
        began = time.monotonic()
        answer = HttpBiller(address, "key", timeout_seconds=0.5).inquire("power", "LL-1")
        assert answer.outcome.value == "unclear"
        assert 0.4 < time.monotonic() - began < 2


def test_after_failures_in_a_row_look_ups_are_answered_at_once_and_billers_next_to_it_go_on(
    make: Factories, biller: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make.user()
    break_contact()
    asked: list[str] = []
    monkeypatch.setattr("shop.bills.gateway.deadlines.session", lambda: asked.append("called"))
    made = perform(operations.save_account, actor_of(user), "power", "5110000018")
    outbox.run_due()
    assert asked == []
    assert reading().scalars(sa.select(BillLookUp.outcome)).one() is LookUpOutcome.UNAVAILABLE
    monkeypatch.undo()
    assert bills.add(user, "gas-city", "80000015").account.fetched_at is not None
    assert bills.account(user, made.ref).account.fetched_at is None


def test_nothing_is_paid_to_a_silent_biller_and_no_money_is_held(make: Factories, biller: Channel) -> None:
    user = make.user()
    purse = fund(user, 100_000)
    view = bills.add(user, "power", "5110000018")
    break_contact()
    before = balance(purse)
    with pytest.raises(BillerSilent) as told:
        bills.pay(user, view)
    assert told.value.details["until"] > clock.now()
    assert balance(purse) == before
    clock.move(partners.PAUSE + timedelta(seconds=1))
    assert bills.pay(user, view).state is BillPaymentState.FUNDS_HELD, "whoever comes first after the pause is let through"


def test_what_was_taken_before_waits_unsent_and_is_paid_once_when_the_biller_is_back(
    make: Factories, biller: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make.user()
    fund(user, 100_000)
    view = bills.add(user, "power", "5110000018")
    made = bills.pay(user, view, periods=1)
    break_contact()
    outbox.run_due()
    assert (bills.payment(made.ref).state, bills.tries(made.ref)) == (BillPaymentState.FUNDS_HELD, []), "nothing was sent"
    waiting = reading().scalars(sa.select(Job).where(Job.kind == "bills.send")).one()
    assert (waiting.state, waiting.last_error) == (JobState.QUEUED, "partner biller:power does not answer")
    bills.until_settled()
    assert bills.payment(made.ref).state is BillPaymentState.POSTED
    assert bills.tries(made.ref) == [("post", "accepted")]
    assert reading().scalars(sa.select(Partner.state)).one() is PartnerState.CLOSED


def test_what_could_not_be_sent_for_half_an_hour_is_back_in_the_wallet(make: Factories, biller: Channel) -> None:
    user = make.user()
    purse = fund(user, 100_000)
    made = bills.pay(user, bills.add(user, "power", "5110000018"), periods=1)
    for minutes in (0, 10, 20, 31, 45):
        clock.move(timedelta(minutes=minutes))
        break_contact()
        outbox.run_due()
    assert (bills.payment(made.ref).state, bills.payment(made.ref).failure_code) == (BillPaymentState.REFUNDED, "never_sent")
    assert (bills.tries(made.ref), balance(purse), biller.posted()) == ([], 100_000, {})


def test_what_was_being_sent_is_never_given_back_as_unsent(make: Factories, biller: Channel) -> None:
    user = make.user()
    fund(user, 100_000)
    made = bills.pay(user, bills.add(user, "power", "5110000018"), periods=1)
    assert perform(operations.begin, made.id, timedelta(0)) is not None
    assert not perform(operations.return_unsent, made.id)
    assert bills.payment(made.ref).state is BillPaymentState.SENDING


def test_a_person_has_a_payment_after_a_day_though_its_biller_is_silent(make: Factories, biller: Channel) -> None:
    user = make.user()
    fund(user, 100_000)
    made = bills.pay(user, bills.add(user, "power", "5110000018"), periods=1)
    assert perform(operations.begin, made.id, timedelta(0)) is not None  # and the worker died
    for hours in (1, 23, 25):
        clock.move(timedelta(hours=hours))
        break_contact()
        outbox.run_due()
        assert (bills.payment(made.ref).handed_over_at is not None) == (hours > 24)
    assert [kind for kind, _ in bills.tries(made.ref)] == ["post", "inquiry"], "nobody was asked until it was a person's turn"


def test_a_payment_whose_own_job_is_gone_before_it_was_sent_gets_a_new_one(make: Factories, biller: Channel) -> None:
    user = make.user()
    fund(user, 100_000)
    made = bills.pay(user, bills.add(user, "power", "5110000018"), periods=1)
    with database.engines[None].begin() as connection:
        connection.execute(sa.update(Job).where(Job.kind == "bills.send").values(state=JobState.DEAD))
    clock.move(timedelta(minutes=2))
    jobs.inquire()
    outbox.run_due()
    assert bills.payment(made.ref).state is BillPaymentState.POSTED
