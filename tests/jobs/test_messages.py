"""Text messages while the carrier is away: none is lost while it can still be of use, none is sent twice."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from flask import Flask

from shop.accounts import operations as accounts
from shop.accounts import rules
from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.models.accounts import CodePurpose
from shop.models.platform import Job, JobState, Partner, PartnerState
from shop.platform import outbox, partners, sms
from simulators.serving import served
from simulators.sms.app import create_app
from tests.support.counter import Counter
from tests.support.dripping import HEAD, dripping
from tests.support.factories import Factories

PHONE = "13800000071"


class Carrier:
    """A carrier that is away until `back_at`, and then keeps what it is given."""

    def __init__(self, away: timedelta) -> None:
        self.back_at = clock.now() + away
        self.asked_at: list[datetime] = []
        self.messages: dict[str, str] = {}

    @property
    def asked(self) -> int:
        return len(self.asked_at)

    def send(self, phone: str, text: str, reference: str) -> None:
        self.asked_at.append(clock.now())
        if clock.now() < self.back_at:
            raise sms.SmsUnavailable("partner sms does not answer (ReadTimeout)")
        self.messages[reference] = text


def pass_time(total: timedelta, step: timedelta = timedelta(seconds=30)) -> None:
    """Let time go by with a worker at work."""
    end = clock.now() + total
    while clock.now() < end:
        outbox.run_due()
        clock.move(clock.shift() + step)
    outbox.run_due()


@pytest.fixture
def counter(make: Factories) -> Counter:
    made = Counter(make)
    made.goods("rice", price=2_000)
    return made


def arrived(counter: Counter) -> None:
    """Goods have just arrived for somebody."""
    counter.ready(counter.buyer(), {"rice": 1})


def test_an_arrival_is_told_however_many_hours_the_carrier_was_away(app: Flask, counter: Counter) -> None:
    carrier = app.extensions["sms"] = Carrier(timedelta(hours=6))
    arrived(counter)
    pass_time(timedelta(hours=6, minutes=11), timedelta(minutes=1))
    assert len(carrier.messages) == 1
    assert carrier.asked < 120, "asked less and less often"
    assert {job.state for job in reading().query(Job).filter_by(kind="fulfilment.tell_arrived")} == {JobState.DONE}


def test_nobody_is_sent_to_the_counter_after_the_pass_has_run_out(app: Flask, counter: Counter) -> None:
    carrier = app.extensions["sms"] = Carrier(timedelta(days=30))
    arrived(counter)
    pass_time(timedelta(days=5), timedelta(hours=1))
    before = carrier.asked
    pass_time(timedelta(days=2), timedelta(hours=1))
    assert (carrier.messages, carrier.asked) == ({}, before)
    assert {job.state for job in reading().query(Job).filter_by(kind="fulfilment.tell_arrived")} == {JobState.DONE}


def test_a_code_is_sent_as_soon_as_the_carrier_is_back_while_it_is_good(app: Flask) -> None:
    carrier = app.extensions["sms"] = Carrier(timedelta(minutes=4))
    perform(accounts.request_code, PHONE, CodePurpose.SIGN_IN)
    pass_time(timedelta(minutes=4, seconds=50), timedelta(seconds=2))
    assert len(carrier.messages) == 1
    assert max(later - sooner for sooner, later in pairwise(carrier.asked_at)) < timedelta(seconds=40)


def test_a_code_that_has_run_out_is_not_sent_any_more(app: Flask) -> None:
    carrier = app.extensions["sms"] = Carrier(rules.CODE_VALID_FOR + timedelta(seconds=1))
    perform(accounts.request_code, PHONE, CodePurpose.SIGN_IN)
    pass_time(timedelta(minutes=15), timedelta(seconds=10))
    assert carrier.messages == {}
    assert {job.state for job in reading().query(Job).filter_by(kind="accounts.send_code")} == {JobState.DONE}


def test_the_gateway_hands_over_and_tells_refusal_from_silence(app: Flask, tmp_path_factory: pytest.TempPathFactory) -> None:
    with served(create_app(tmp_path_factory.mktemp("sms") / "sms.db")) as address:
        sms.HttpSmsGateway(address, "demo-sms-key").send(PHONE, f"{sms.SIGNATURE}Hello", "r-1")
        with pytest.raises(sms.SmsRefused):
            sms.HttpSmsGateway(address, "wrong key").send(PHONE, f"{sms.SIGNATURE}Hello", "r-2")
    assert reading().query(Partner).count() == 0, "a refusal is an answer"


def test_a_carrier_that_drips_is_left_alone_after_some_tries(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sms, "SECONDS", 0.2)
    with dripping(HEAD, b" ") as address:
        for _ in range(partners.FAILURES + 1):
            with pytest.raises(sms.SmsUnavailable):
                sms.HttpSmsGateway(address, "key").send(PHONE, "Hello", "r-1")
    found = reading().query(Partner).one()
    assert (found.name, found.state, found.failures) == ("sms", PartnerState.OPEN, partners.FAILURES)


def test_errors_of_the_carrier_itself_count_as_silence(app: Flask) -> None:
    broken = Flask("broken")
    broken.post("/messages")(lambda: ("", 502))
    with served(broken) as address, pytest.raises(sms.SmsUnavailable, match="502"):
        sms.HttpSmsGateway(address, "key").send(PHONE, "Hello", "r-1")
    assert reading().query(Partner).one().failures == 1
