"""Keys, parameters, idempotency and planned faults at the HTTP door."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
import stripe

from simulators.stripe.harness import KEY, Running, running

INTENT: dict[str, Any] = {"amount": 5_000, "currency": "cny"}


@pytest.fixture
def account() -> Iterator[Running]:
    with running() as simulator:
        yield simulator


def call(account: Running, method: str, path: str, key: str | None = KEY, **options: Any) -> requests.Response:
    headers = {**({"Authorization": f"Bearer {key}"} if key else {}), **options.pop("headers", {})}
    return requests.request(method, account.url + path, headers=headers, timeout=10, **options)


def count(account: Running) -> int:
    return len(account.client().v1.payment_intents.list({"limit": 100}).data)


@pytest.mark.parametrize(
    ("key", "problem"),
    [("sk_live_1234567", stripe.AuthenticationError), ("nonsense", stripe.AuthenticationError), ("pk_test_123", stripe.PermissionError)],
)
def test_wrong_key_is_refused(account: Running, key: str, problem: type[Exception]) -> None:
    with pytest.raises(problem):
        account.client(key).v1.payment_intents.create(INTENT)
    assert call(account, "GET", "/v1/balance", key=None).status_code == 401
    assert count(account) == 0


def test_restricted_test_key_is_accepted(account: Running) -> None:
    assert account.client("rk_test_1234567").v1.payment_intents.create(INTENT).id.startswith("pi_")


def test_answers_carry_a_request_id_and_errors_have_stripes_shape(account: Running) -> None:
    answer = call(account, "GET", "/v1/payment_intents/pi_none")
    assert answer.status_code == 404
    assert answer.headers["Request-Id"].startswith("req_")
    error = answer.json()["error"]
    assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", "resource_missing", "intent")
    assert error["message"] == "No such payment_intent: 'pi_none'"
    assert call(account, "POST", "/v1/gifts").json()["error"]["message"] == "Unrecognized request URL (POST: /v1/gifts)."


@pytest.mark.parametrize(
    ("path", "form", "param", "code"),
    [
        ("/v1/payment_intents", {"amount": "5000", "currency": "cny", "foo": "1"}, "foo", "parameter_unknown"),
        ("/v1/payment_intents", {"amount": "5000", "currency": "cny", "shipping[foo]": "1"}, "shipping[foo]", "parameter_unknown"),
        ("/v1/payment_intents", {"amount": "5000", "currency": "cny", "idempotency_key": "1"}, "idempotency_key", "parameter_unknown"),
        (
            "/v1/checkout/sessions",
            {"mode": "payment", "line_items[0][price_data][colour]": "red"},
            "line_items[0][price_data][colour]",
            "parameter_unknown",
        ),
        (
            "/v1/checkout/sessions",
            {"mode": "payment", "payment_intent_data[amount]": "5"},
            "payment_intent_data[amount]",
            "parameter_unknown",
        ),
        ("/v1/payment_intents", {"currency": "cny"}, "amount", "parameter_missing"),
        ("/v1/payment_intents", {"amount": "12.5", "currency": "cny"}, "amount", "parameter_invalid_integer"),
        ("/v1/payment_intents", {"amount": "", "currency": "cny"}, "amount", "parameter_invalid_empty"),
        (
            "/v1/payment_intents",
            {"amount": "5000", "currency": "cny", "payment_method_types[0]": "card"},
            "payment_method_types",
            "payment_method_types_no_longer_supported",
        ),
        ("/v1/payment_intents", {"amount": "5000", "currency": "cny", "confirm": "maybe"}, "confirm", None),
        ("/v1/payment_intents", {"amount": "5000", "currency": "cny", "metadata": "x"}, "metadata", None),
        ("/v1/payment_intents", {"amount[x]": "5000", "currency": "cny"}, "amount", None),
        ("/v1/refunds", {"payment_intent": "pi_1", "reason": "bored"}, "reason", None),
    ],
)
def test_parameters_stripe_would_refuse_are_refused(
    account: Running, path: str, form: dict[str, str], param: str, code: str | None
) -> None:
    answer = call(account, "POST", path, data=form)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error.get("param"), error.get("code")) == (param, code)
    assert count(account) == 0


def test_property_that_cannot_be_expanded_is_refused(account: Running) -> None:
    intent = account.client().v1.payment_intents.create(INTENT)
    for path in ("amount", "latest_charge.payment_method", "a.b.c.d.e"):
        with pytest.raises(stripe.InvalidRequestError):
            account.client().v1.payment_intents.list({"expand": [path]})
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        account.client().v1.payment_intents.retrieve(intent.id, {"expand": ["amount"]})


def test_same_key_gives_the_same_answer_and_one_effect(account: Running) -> None:
    headers = {"Idempotency-Key": "order-7"}
    first = call(account, "POST", "/v1/payment_intents", data=INTENT, headers=headers)
    second = call(account, "POST", "/v1/payment_intents", data=INTENT, headers=headers)
    assert first.content == second.content
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert second.headers["Original-Request"] == first.headers["Request-Id"]
    assert count(account) == 1


def test_decline_is_replayed_too(account: Running) -> None:
    form = {
        **INTENT,
        "confirm": "true",
        "payment_method": "pm_card_visa_chargeDeclined",
        "automatic_payment_methods[enabled]": "true",
        "automatic_payment_methods[allow_redirects]": "never",
    }
    answers = [call(account, "POST", "/v1/payment_intents", data=form, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [402, 402]
    assert answers[0].content == answers[1].content
    assert len(account.client().v1.charges.list().data) == 1


def test_same_key_for_something_else_is_refused(account: Running) -> None:
    client = account.client()
    client.v1.payment_intents.create(INTENT, {"idempotency_key": "k"})
    with pytest.raises(stripe.IdempotencyError, match="same parameters"):
        client.v1.payment_intents.create({**INTENT, "amount": 6_000}, {"idempotency_key": "k"})
    with pytest.raises(stripe.IdempotencyError, match="same endpoint"):
        client.v1.customers.create({}, {"idempotency_key": "k"})
    assert count(account) == 1


def test_call_refused_before_it_began_leaves_its_key_free(account: Running) -> None:
    client = account.client()
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_intents.create({**INTENT, "foo": 1}, {"idempotency_key": "k"})  # type: ignore[typeddict-unknown-key]
    assert client.v1.payment_intents.create(INTENT, {"idempotency_key": "k"}).amount == 5_000


def test_keys_are_forgotten_after_a_day(account: Running) -> None:
    client = account.client()
    first = client.v1.payment_intents.create(INTENT, {"idempotency_key": "k"})
    account.control(clock_offset=24 * 3600 + 5)
    assert client.v1.payment_intents.create(INTENT, {"idempotency_key": "k"}).id != first.id


def test_twin_in_flight_is_turned_away(account: Running) -> None:
    account.control(api_delay_ms=300)
    with ThreadPoolExecutor(5) as pool:
        answers = list(
            pool.map(lambda _: call(account, "POST", "/v1/payment_intents", data=INTENT, headers={"Idempotency-Key": "k"}), range(5))
        )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
    busy = next(answer for answer in answers if answer.status_code == 409)
    assert busy.json()["error"]["code"] == "idempotency_key_in_use"
    account.control(api_delay_ms=0)
    assert count(account) == 1


def test_lost_answer_is_healed_by_the_sdks_own_retry(account: Running) -> None:
    account.control(fail_next={"path_prefix": "/v1/payment_intents", "method": "POST", "drop_answer": True})
    intent = account.client(max_network_retries=2).v1.payment_intents.create(INTENT)
    assert count(account) == 1
    log = [entry for entry in account.look("/log")["requests"] if entry["method"] == "POST"]
    assert [(entry["dropped"], entry["replayed"]) for entry in log] == [(True, False), (False, True)]
    assert log[0]["idempotency_key"] == log[1]["idempotency_key"]
    assert intent.amount == 5_000


def test_lost_answer_without_a_retry_looks_like_a_broken_connection(account: Running) -> None:
    account.control(fail_next={"path_prefix": "/v1/payment_intents", "drop_answer": True})
    with pytest.raises(stripe.APIConnectionError):
        account.client().v1.payment_intents.create(INTENT)
    assert count(account) == 1


@pytest.mark.parametrize(
    ("status", "problem"),
    [(500, stripe.APIError), (429, stripe.RateLimitError), (402, stripe.CardError), (503, stripe.APIError)],
)
def test_planned_failure_happens_once_and_does_nothing(account: Running, status: int, problem: type[Exception]) -> None:
    account.control(fail_next={"path_prefix": "/v1/payment_intents", "status": status})
    with pytest.raises(problem):
        account.client().v1.payment_intents.create(INTENT, {"idempotency_key": "k"})
    assert count(account) == 0
    account.client().v1.payment_intents.create(INTENT, {"idempotency_key": "k"})
    assert count(account) == 1


def test_kept_server_error_is_replayed_and_not_retried(account: Running) -> None:
    account.control(fail_next={"path_prefix": "/v1/payment_intents", "status": 500, "saved": True})
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            account.client(max_network_retries=2).v1.payment_intents.create(INTENT, {"idempotency_key": "k"})
    assert len([entry for entry in account.look("/log")["requests"] if entry["method"] == "POST"]) == 2
    assert count(account) == 0


def test_log_has_names_of_parameters_and_no_values(account: Running) -> None:
    account.client().v1.customers.create({"email": "resident@example.com"})
    log = account.look("/log")
    assert log["requests"][0]["parameters"] == ["email"]
    assert "resident@example.com" not in str(log)


def test_unknown_switch_is_refused_and_changes_nothing(account: Running) -> None:
    answer = requests.post(f"{account.url}/_control", json={"delay_ms": 5, "colour": "red"}, timeout=10)
    assert (answer.status_code, answer.json()) == (400, {"error": "unknown switch: colour"})
    assert account.look("")["delay_ms"] == 0


def test_reset_forgets_everything(account: Running) -> None:
    account.client().v1.payment_intents.create(INTENT)
    account.control("/reset")
    assert count(account) == 0
