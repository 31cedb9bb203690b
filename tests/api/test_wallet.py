"""The wallet over the API."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.models.wallet import WalletClass
from shop.payments.queries import by_ref
from shop.payments.rules import NEWS_EVERY
from shop.platform import outbox
from shop.wallet import operations, queries
from shop.wallet.operations import PinResult
from tests.support.factories import Factories, actor_of
from tests.support.money import PIN, balance, fund, move, pay
from tests.support.people import bearer
from tests.support.provider import CardProvider
from tests.support.shopping import Shopping


def test_the_wallet_tells_balance_limits_and_custodian(app: Flask, make: Factories, client: FlaskClient) -> None:
    user = make.user()
    fund(user, 50_000)
    pay(user, "a", 1_000)
    assert client.get("/api/v1/wallet", headers=bearer(app, user)).get_json() == {
        "wallet_class": "II", "state": "active", "balance_minor": 49_000, "currency": "CNY", "has_pin": True,
        "custodian": "Demo Licensed Payment Institution",
        "limits": {
            "class_minor": 10_000_000, "class_left_minor": 9_999_000, "day_minor": 500_000, "day_left_minor": 499_000,
            "day_with_pin_minor": 100_000,
        },
    }


def test_a_wallet_is_opened_and_given_a_pin(app: Flask, make: Factories, client: FlaskClient) -> None:
    user = make.user(level=3)
    headers = bearer(app, user)
    answer = client.get("/api/v1/wallet", headers=headers)
    assert (answer.status_code, answer.get_json()["code"]) == (404, "wallet_not_open")
    opened = client.post("/api/v1/wallet", headers=headers)
    assert (opened.status_code, opened.get_json()["wallet_class"]) == (201, "III")
    assert client.put("/api/v1/wallet/pin", json={"pin": "123456"}, headers=headers).get_json()["code"] == "pin_too_easy"
    assert client.put("/api/v1/wallet/pin", json={"pin": "135791"}, headers=headers).status_code == 204
    assert client.put("/api/v1/wallet/pin", json={"pin": PIN}, headers=headers).get_json()["code"] == "pin_already_set"
    wrong = client.put("/api/v1/wallet/pin", json={"pin": PIN, "old_pin": "999998"}, headers=headers)
    assert (wrong.status_code, wrong.get_json()["code"]) == (402, "wrong_pin")
    assert client.put("/api/v1/wallet/pin", json={"pin": PIN, "old_pin": "135791"}, headers=headers).status_code == 204
    assert perform(operations.check_pin, actor_of(user), PIN).result is PinResult.RIGHT


def test_who_is_not_verified_gets_none(app: Flask, make: Factories, client: FlaskClient) -> None:
    user = make.user(level=0)
    answer = client.post("/api/v1/wallet", headers=bearer(app, user))
    assert (answer.status_code, answer.get_json()["code"]) == (403, "verification_required")
    assert queries.find(reading(), user.id) is None


def test_entries_come_newest_first_in_pages(app: Flask, make: Factories, client: FlaskClient) -> None:
    shop = Shopping(make, merchants=1, name_en="Orange Co-op")
    shop.goods("oranges", price=1_280)
    buyer = shop.buyer(5_000)
    placed = shop.buy(buyer, {"oranges": 1})
    headers = {**bearer(app, buyer), "Accept-Language": "en"}
    first = client.get("/api/v1/wallet/entries?limit=1", headers=headers).get_json()
    (entry,) = first["items"]
    assert (entry["kind"], entry["amount_minor"], entry["description"]) == ("payment", -1_280, f"Order {placed.number} at Orange Co-op")
    assert entry["at"].endswith("Z")
    rest = client.get(f"/api/v1/wallet/entries?limit=1&cursor={first['next_cursor']}", headers=headers).get_json()
    assert ([item["amount_minor"] for item in rest["items"]], rest["next_cursor"]) == ([5_000], None)


@pytest.mark.parametrize("query", ["cursor=%00", "cursor=WyJ4Il0", "limit=0", "limit=101", "limit=x", "month=2026-01", "limit=1&limit=2"])
def test_odd_questions_are_refused(app: Flask, make: Factories, client: FlaskClient, query: str) -> None:
    user = make.user()
    fund(user)
    assert client.get(f"/api/v1/wallet/entries?{query}", headers=bearer(app, user)).status_code == 422


def test_a_top_up_gives_the_page_to_pay_on(app: Flask, make: Factories, client: FlaskClient, stripe: CardProvider) -> None:
    user = make.user()
    fund(user)
    headers = {**bearer(app, user), "Idempotency-Key": "top-up-1"}
    made = client.post("/api/v1/wallet/top-ups", json={"amount_minor": 10_000}, headers=headers)
    body = made.get_json()
    assert (made.status_code, body["state"], body["amount_minor"], body["currency"]) == (201, "created", 10_000, "CNY")
    assert body["url"] is None, "a job opens the page; nobody waits for the provider"
    assert client.post("/api/v1/wallet/top-ups", json={"amount_minor": 10_000}, headers=headers).get_json() == body
    outbox.run_due()
    payment = client.get(f"/api/v1/payments/{body['ref']}", headers=bearer(app, user)).get_json()
    assert payment["state"] == "created"
    assert payment["url"].startswith(stripe.account.url)
    again = client.post("/api/v1/wallet/top-ups", json={"amount_minor": 10_000}, headers=bearer(app, user)).get_json()
    assert (again["ref"], again["url"]) == (body["ref"], payment["url"])
    found = by_ref(reading(), body["ref"])
    assert found is not None
    stripe.pay(found.id)
    clock.move(NEWS_EVERY)
    client.get(f"/api/v1/payments/{body['ref']}", headers=bearer(app, user))
    outbox.run_due()
    payment = client.get(f"/api/v1/payments/{body['ref']}", headers=bearer(app, user)).get_json()
    assert (payment["state"], payment["url"], balance(f"wallet:{user.id}")) == ("succeeded", None, 10_000)


@pytest.mark.parametrize("amount", [0, -1, 399, 500_001, 10**12, 1.5, "100", None, True])
def test_an_amount_that_cannot_be_is_refused(app: Flask, make: Factories, client: FlaskClient, amount: object) -> None:
    user = make.user()
    fund(user)
    assert client.post("/api/v1/wallet/top-ups", json={"amount_minor": amount}, headers=bearer(app, user)).status_code == 422


def test_what_is_not_mine_is_not_there(app: Flask, make: Factories, client: FlaskClient, stripe: CardProvider) -> None:
    owner, other = make.user(), make.user()
    fund(owner)
    fund(other, wallet_class=WalletClass.I)
    move("mine", "provider", f"wallet:{owner.id}", 100)
    ref = client.post("/api/v1/wallet/top-ups", json={"amount_minor": 10_000}, headers=bearer(app, owner)).get_json()["ref"]
    assert client.get(f"/api/v1/payments/{ref}", headers=bearer(app, other)).status_code == 404
    assert client.get("/api/v1/wallet/entries", headers=bearer(app, other)).get_json()["items"] == []


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "wallet"), ("POST", "wallet"), ("GET", "wallet/entries"), ("GET", "payments/P1"), ("POST", "wallet/codes")]
)
def test_nothing_is_told_to_strangers(client: FlaskClient, method: str, path: str) -> None:
    answer = client.open(f"/api/v1/{path}", method=method)
    assert (answer.status_code, answer.get_json()["code"]) == (401, "sign_in_required")
