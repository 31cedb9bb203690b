"""A real worker beside a biller that hangs: a sign-in code goes out all the same."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import requests
import sqlalchemy as sa
from flask import Flask

from script.support.processes import Child, Program
from shop.accounts import operations as accounts
from shop.bills import operations as bill_operations
from shop.bills.errors import AccountNotFound
from shop.kernel.db import database, perform, reading, transaction
from shop.models.accounts import CodePurpose
from shop.models.platform import Job, JobState
from shop.platform import outbox
from simulators.serving import served
from simulators.sms.app import create_app as sms_carrier
from tests.support.bills import add, billers_running, pay, save_billers
from tests.support.cities import plain_environment
from tests.support.dripping import dripping
from tests.support.factories import Factories, actor_of
from tests.support.money import fund
from tests.support.running import others_write, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.alone]

PHONE = "13800000077"
LOOK_UPS = 16
PAYMENTS = 6
CODES = 10
HANGS_MS = 60_000


@pytest.fixture
def carrier(tmp_path: Path) -> Iterator[str]:
    with served(sms_carrier(tmp_path / "sms.db")) as address:
        yield address


@pytest.fixture
def hanging() -> Iterator[str]:
    with dripping(b"") as address:
        yield address


def worker(app: Flask, folder: Path, said: list[str], carrier: str, biller: str) -> Child:
    """`flask jobs run` on the database of this test, ready to work."""
    others_write(app)
    environment = {
        **plain_environment(), "APP_ENV": "development", "DATABASE_URL": app.config["DATABASE_URL"], "SECRET_KEY": app.config["SECRET_KEY"],
        "DATA_KEYS": app.config["DATA_KEYS"], "LOOKUP_KEY": app.config["LOOKUP_KEY"],
        "INSTANCE_PATH": str(folder), "SMS_API_BASE": carrier, "SMS_API_KEY": "demo-sms-key", "BILLER_API_BASE": biller,
        "BILLER_API_KEY": "demo-biller-key", "STRIPE_API_BASE": "http://127.0.0.1:1", "STRIPE_SECRET_KEY": "sk_test_linli",
    }  # fmt: skip
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "jobs", "run"]
    child = Child(Program("worker", command, environment), lambda _name, line: said.append(line))
    wait_until(lambda: any("worker ready" in line for line in said) or child.has_ended(), 60, "the worker working")
    return child


def look_ups_due(make: Factories) -> None:
    """Sixteen look-ups at one biller, due now."""
    save_billers()
    user = make.user()
    for number in range(LOOK_UPS):
        perform(bill_operations.save_account, actor_of(user), "power", f"51100000{number:02}")


def seconds_to_a_code(carrier: str, limit: float, phone: str = PHONE) -> float:
    """How long it takes from asking for a code to its message at the carrier."""

    def arrived() -> bool:
        found = requests.get(f"{carrier}/messages", params={"phone": phone}, headers={"X-Sms-Key": "demo-sms-key"}, timeout=5)
        return bool(found.json())

    began = time.monotonic()
    perform(accounts.request_code, phone, CodePurpose.SIGN_IN)
    wait_until(arrived, limit, "the message with the code", every=0.02)
    return time.monotonic() - began


def test_a_biller_that_hangs_on_payments_and_look_ups_delays_no_sign_in_code(
    app: Flask, make: Factories, tmp_path: Path, carrier: str
) -> None:
    """The billers' own simulator, every answer of which takes a minute; a real worker; code after code while it hangs."""
    with billers_running(app) as channel:
        user = make.user()
        fund(user, 1_000_000)
        views = []
        for number in range(10, 28):
            with suppress(AccountNotFound):  # not every number is one that the biller knows
                views.append(add(user, "power", f"51100000{number:02}"))
        owing = [view for view in views if view.due][:PAYMENTS]
        assert len(owing) >= outbox.ABREAST_PER_PARTNER
        for view in owing:
            pay(user, view, periods=1)
        channel.control(default_delay_ms=HANGS_MS)
        other = make.user()
        for number in range(LOOK_UPS):
            perform(bill_operations.save_account, actor_of(other), "gas-city", f"800000{number:02}")
        waiting = reading().scalar(sa.select(sa.func.count()).where(Job.lane.like("partner:biller:%"), Job.finished_at.is_(None)))
        assert waiting is not None
        assert waiting > LOOK_UPS, "payments and look-ups"
        database.session.rollback()
        said: list[str] = []
        child = worker(app, tmp_path, said, carrier, f"http://{channel.host}")
        try:
            wait_until(lambda: running(app) >= 2 * outbox.ABREAST_PER_PARTNER, 20, "every thread that may ask a biller asking")
            took = [seconds_to_a_code(carrier, 10, f"138000010{number:02}") for number in range(CODES)]
            assert running(app) >= 2 * outbox.ABREAST_PER_PARTNER, "they hang all the while"
        finally:
            child.ask_to_stop()
            child.wait(1)
            child.bury()
    print(f"codes took {', '.join(f'{seconds:.2f}' for seconds in took)} s")
    assert max(took) < 2, took


def running(app: Flask) -> int:
    """How many jobs that ask a biller are being done."""
    database.session.rollback()
    asks = sa.select(sa.func.count()).where(Job.lane.like("partner:biller:%"), Job.state == JobState.RUNNING)
    return reading().scalar(asks) or 0


@pytest.mark.parametrize("in_one_lane", [False, True], ids=["each in its lane", "all in one lane: the control"])
def test_a_hanging_biller_does_not_delay_a_sign_in_code(
    app: Flask, make: Factories, tmp_path: Path, carrier: str, hanging: str, in_one_lane: bool
) -> None:
    look_ups_due(make)
    if in_one_lane:  # as it was: whatever is due waits for the same few threads
        with transaction() as session:
            session.execute(sa.update(Job).values(lane="now"))
    database.session.rollback()
    said: list[str] = []
    child = worker(app, tmp_path, said, carrier, hanging)
    try:
        time.sleep(1)  # by now every thread that may ask the biller does
        if in_one_lane:
            with pytest.raises(AssertionError, match="the message with the code"):
                seconds_to_a_code(carrier, 4)
        else:
            assert seconds_to_a_code(carrier, 10) < 2
    finally:
        child.ask_to_stop()
        child.wait(1)
        child.bury()
