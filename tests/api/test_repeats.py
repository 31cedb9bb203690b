"""Idempotency keys: whose they are, what is kept under them, and when to come again."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from shop.accounts.rules import ONE_STRANGERS_CODES
from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.kernel.statements import table
from shop.models.accounts import SignInCode
from shop.models.platform import IdempotencyKey
from shop.platform import idempotency, limits
from tests.support.factories import Factories
from tests.support.people import bearer

PHONE = "13812345678"
CODES = "/api/v1/auth/codes"
POINT = "/api/v1/me/pickup-point"


def ask(client: FlaskClient, key: str = "once", phone: str = PHONE, address: str = "127.0.0.1", **headers: str) -> TestResponse:
    return client.post(
        CODES, json={"phone": phone}, headers={"Idempotency-Key": key, **headers}, environ_base={"REMOTE_ADDR": address}
    )  # fmt: skip


def codes_sent() -> int:
    reading().rollback()
    return reading().scalar(sa.select(sa.func.count()).select_from(SignInCode)) or 0


def test_too_often_is_no_answer_to_keep(client: FlaskClient, make: Factories) -> None:
    assert ask(client, "first").status_code == 202
    assert ask(client, "second").status_code == 429
    clock.move(timedelta(seconds=61))
    answer = ask(client, "second")
    assert (answer.status_code, "Idempotent-Replayed" in answer.headers) == (202, False)
    assert codes_sent() == 2


def test_an_address_that_comes_too_often_has_nothing_kept(
    app: Flask, client: FlaskClient, make: Factories, monkeypatch: pytest.MonkeyPatch
) -> None:
    counters = limits.Counters()
    monkeypatch.setitem(app.extensions, "limits", counters)
    for number in range(30):
        ask(client, f"key {number}", f"139{number:08d}")
    assert ask(client, "one more").status_code == 429
    monkeypatch.setitem(app.extensions, "limits", limits.Counters())
    assert ask(client, "one more").status_code == 202


def test_one_strangers_key_is_not_anothers(client: FlaskClient, make: Factories) -> None:
    """Else whoever guesses a key gets the answer, or keeps its owner from using it."""
    assert ask(client, phone="13900000001").status_code == 202
    others: tuple[dict[str, str], ...] = ({"address": "10.0.0.9"}, {"User-Agent": "another"}, {"Authorization": "Bearer gone"})
    for number, other in enumerate(others):
        answer = ask(client, phone=f"1390000001{number}", **other)
        assert (answer.status_code, "Idempotent-Replayed" in answer.headers) == (202, False)
    again = ask(client, phone="13900000001")
    assert (again.status_code, again.headers.get("Idempotent-Replayed")) == (202, "true")


def test_a_strangers_key_and_address_are_not_in_the_database(client: FlaskClient, make: Factories) -> None:
    ask(client, "my own key", address="10.1.2.3")
    kept = repr(tuple(reading().execute(sa.select(table(IdempotencyKey))).one()))
    assert "my own key" not in kept
    assert "10.1.2.3" not in kept


def test_what_was_sent_cannot_be_guessed_from_what_is_kept(client: FlaskClient, make: Factories) -> None:
    """Phones and PINs are few enough to try them all against a plain hash of a body that is otherwise known."""
    client.post(CODES, data=f'{{"phone": "{PHONE}"}}', content_type="application/json", headers={"Idempotency-Key": "once"})
    guess = hashlib.sha256(f'POST\0{CODES}?\0{{"phone": "{PHONE}"}}'.encode()).hexdigest()
    kept = reading().execute(sa.select(table(IdempotencyKey))).one()
    assert kept.status == 202
    assert guess not in repr(tuple(kept))


@pytest.mark.parametrize("key", ["", "x" * 256, "x" * 5_000, "a\tb", "caf\xe9", "\x7f"], ids=repr)
def test_a_key_too_long_or_odd_is_refused_and_nothing_is_done(client: FlaskClient, make: Factories, key: str) -> None:
    answer = ask(client, key)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "idempotency_key_too_long")
    assert codes_sent() == 0


@pytest.mark.parametrize("key", ["x", "x" * 255, "a key with spaces", '"quoted"', "8e03978e-40d5-43e8-bc93-6894a57f9324"])
def test_any_other_key_is_taken(client: FlaskClient, make: Factories, key: str) -> None:
    assert ask(client, key).status_code == 202


def choose(client: FlaskClient, headers: dict[str, str], slug: str, key: str = "once") -> TestResponse:
    return client.put(POINT, json={"pickup_point": slug}, headers={**headers, "Idempotency-Key": key})


def test_a_key_used_for_another_body_is_refused_and_nothing_is_done(client: FlaskClient, app: Flask, make: Factories) -> None:
    make.point("tianchenghu")
    make.point("xilin")
    headers = bearer(app, make.user())
    assert choose(client, headers, "tianchenghu").status_code == 200
    answer = choose(client, headers, "xilin")
    assert (answer.status_code, answer.get_json()["code"]) == (422, "idempotency_mismatch")
    assert client.get("/api/v1/me", headers=headers).get_json()["pickup_point"] == "tianchenghu"


def test_a_key_still_in_use_is_refused_and_nothing_is_done(
    client: FlaskClient, app: Flask, make: Factories, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first call has opened the key, and its answer is not there yet."""
    make.point("tianchenghu")
    headers = bearer(app, make.user())
    with monkeypatch.context() as patch:
        patch.setattr(idempotency, "complete", lambda *_: None)
        assert choose(client, headers, "tianchenghu").status_code == 200
    answer = choose(client, headers, "tianchenghu")
    assert (answer.status_code, answer.get_json()["code"]) == (409, "idempotency_in_flight")
    assert answer.headers["Retry-After"] == "2"
    clock.move(timedelta(seconds=61))
    assert choose(client, headers, "tianchenghu").status_code == 200, "whoever held it is gone"


def test_one_persons_key_is_not_anothers(client: FlaskClient, app: Flask, make: Factories) -> None:
    make.point("tianchenghu")
    make.point("xilin")
    assert choose(client, bearer(app, make.user()), "tianchenghu").status_code == 200
    assert choose(client, bearer(app, make.user("13900000009")), "xilin").status_code == 200


def test_an_in_flight_key_is_a_matter_of_its_row(make: Factories) -> None:
    assert perform(idempotency.begin, 1, "POST /x", "k", "h") is None
    with pytest.raises(idempotency.KeyInFlight):
        perform(idempotency.begin, 1, "POST /x", "k", "h")
    with pytest.raises(idempotency.KeyReused):
        perform(idempotency.begin, 1, "POST /x", "k", "another body")


def test_retry_after_says_when_the_next_code_can_be_had(client: FlaskClient, make: Factories) -> None:
    ask(client, "1")
    assert 58 <= int(ask(client, "2").headers["Retry-After"]) <= 60
    _hour, most = ONE_STRANGERS_CODES[0]
    for number in range(1, most):
        clock.move(timedelta(seconds=61 * number))
        assert ask(client, f"more {number}").status_code == 202
    clock.move(timedelta(seconds=61 * most))
    wait = int(ask(client, "too many").headers["Retry-After"])
    assert 50 * 60 < wait <= 60 * 60
    clock.move(timedelta(seconds=61 * most + wait))
    assert ask(client, "after that").status_code == 202


def test_retry_after_of_an_address_is_the_rest_of_its_window(
    app: Flask, client: FlaskClient, make: Factories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.extensions, "limits", limits.Counters())
    for number in range(300):
        client.post("/sign-in", data={"phone": ""}, environ_base={"REMOTE_ADDR": "10.0.0.1"})
        if number == 30:
            answer = client.post("/sign-in", data={"phone": ""}, environ_base={"REMOTE_ADDR": "10.0.0.1"})
            assert answer.status_code == 429
            assert 1 <= int(answer.headers["Retry-After"]) <= 60
    answer = client.post("/sign-in", data={"phone": ""}, environ_base={"REMOTE_ADDR": "10.0.0.1"})
    assert 60 < int(answer.headers["Retry-After"]) <= 3_600


def test_without_redis_all_processes_together_admit_what_the_rate_says(
    app: Flask, make: Factories, monkeypatch: pytest.MonkeyPatch
) -> None:
    processes = [limits.Counters(processes=3) for _ in range(3)]
    admitted = 0
    for turn in range(90):
        monkeypatch.setitem(app.extensions, "limits", processes[turn % 3])
        answer = app.test_client().post("/sign-in", data={"phone": ""}, environ_base={"REMOTE_ADDR": "10.0.0.2"})
        admitted += answer.status_code != 429
    assert admitted == 30


def test_the_addresses_of_one_ipv6_network_are_limited_together(
    app: Flask, client: FlaskClient, make: Factories, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has one such address has as many as they like, and would have a message sent to as many numbers."""
    monkeypatch.setitem(app.extensions, "limits", limits.Counters())
    answers = [ask(client, f"key {number}", f"139{number:08d}", address=f"2001:db8:1:2::{number:x}") for number in range(31)]
    assert [answer.status_code for answer in answers] == [202] * 30 + [429]
    assert ask(client, "from elsewhere", "13900000099", address="2001:db8:1:3::1").status_code == 202


def test_a_key_given_back_in_the_moment_it_is_asked_for_is_busy(
    client: FlaskClient, make: Factories, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taken when it was tried, and gone when it was looked at: the first caller was told "too often" in between."""
    monkeypatch.setattr(idempotency, "insert_once", lambda *_arguments, **_values: None)
    answer = ask(client)
    assert (answer.status_code, answer.get_json()["code"]) == (409, "idempotency_in_flight")
    assert codes_sent() == 0
