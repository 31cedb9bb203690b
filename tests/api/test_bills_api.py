"""Bills through the API."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.models.accounts import User
from shop.models.bills import BillPayment
from shop.platform import outbox, partners
from shop.settlement import inquiry
from simulators.biller.channel import Channel
from tests.support import bills
from tests.support.factories import Factories
from tests.support.money import PIN, balance, fund
from tests.support.people import bearer
from tests.support.provider import card_provider

Headers = dict[str, str]


@pytest.fixture
def biller(app: Flask) -> Iterator[Channel]:
    with bills.billers_running(app) as channel:
        yield channel


@pytest.fixture
def resident(make: Factories) -> User:
    user = make.user()
    fund(user, 100_000)
    return user


@pytest.fixture
def headers(app: Flask, resident: User) -> Headers:
    return {**bearer(app, resident), "Accept-Language": "en"}


def save(client: FlaskClient, headers: Headers, biller: str, number: str) -> str:
    answer = client.post("/api/v1/bill-accounts", json={"biller": biller, "account_no": number}, headers=headers)
    assert answer.status_code == 201, answer.json
    return str(answer.json["id"])


def fetched(client: FlaskClient, headers: Headers, ref: str) -> dict[str, Any]:
    first = client.post(f"/api/v1/bill-accounts/{ref}/fetch", headers=headers)
    assert (first.status_code, first.json["state"]) == (202, "asking")
    outbox.run_due()
    second = client.post(f"/api/v1/bill-accounts/{ref}/fetch", headers=headers)
    assert second.status_code == 200
    return dict(second.json)


def wish(due: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "bill_ids": [bill["id"] for bill in due["bills"]], "seen_total_minor": due["total_minor"],
        "payment": {"method": "wallet", "pin": PIN}, **changes,
    }  # fmt: skip


def test_from_a_number_to_a_receipt(client: FlaskClient, biller: Channel, headers: Headers, resident: User) -> None:
    known = client.get("/api/v1/billers").json["items"]
    assert [found["code"] for found in known][:2] == ["power", "water-city"]
    ref = save(client, headers, "power", "5110000018")
    due = fetched(client, headers, ref)
    assert len(due["bills"]) == 3
    paid = client.post("/api/v1/bill-payments", json=wish(due), headers=headers)
    assert paid.status_code == 201
    assert (paid.json["state"], paid.json["receipt"], paid.json["total_minor"]) == ("funds_held", None, due["total_minor"])
    outbox.run_due()
    now = client.get(f"/api/v1/bill-payments/{paid.json['ref']}", headers=headers).json
    assert now["state"] == "posted"
    assert now["receipt"]["number"]
    assert [bill["period"] for bill in now["bills"]] == [bill["period"] for bill in due["bills"]]
    listed = client.get("/api/v1/bill-accounts", headers=headers).json["items"]
    assert [(found["id"], found["total_minor"], found["state"]) for found in listed] == [(ref, 0, "ready")]
    assert listed[0]["holder"].startswith("*")


def test_an_unknown_number_is_a_404_with_its_own_code(client: FlaskClient, biller: Channel, headers: Headers) -> None:
    ref = save(client, headers, "power", "5110000010")
    outbox.run_due()
    answer = client.post(f"/api/v1/bill-accounts/{ref}/fetch", headers=headers)
    assert (answer.status_code, answer.json["code"]) == (404, "unknown_account")
    assert client.get("/api/v1/bill-accounts", headers=headers).json["items"] == []


def test_a_biller_that_is_down_is_a_503_and_a_later_question_is_asked_again(client: FlaskClient, biller: Channel, headers: Headers) -> None:
    biller.control(down=["power"])
    ref = save(client, headers, "power", "5110000015")
    outbox.run_due()
    answer = client.post(f"/api/v1/bill-accounts/{ref}/fetch", headers=headers)
    assert (answer.status_code, answer.json["code"]) == (503, "biller_silent")
    biller.control(down=[])
    clock.move(timedelta(seconds=30))
    assert len(fetched(client, headers, ref)["bills"]) == 1


def test_of_a_biller_left_alone_is_said_until_when_and_nothing_is_paid(
    client: FlaskClient, biller: Channel, headers: Headers, resident: User
) -> None:
    due = fetched(client, headers, save(client, headers, "power", "5110000015"))
    for _ in range(partners.FAILURES):
        perform(partners.note_failure, "biller:power", "ReadTimeout")
    answer = client.post("/api/v1/bill-payments", json=wish(due), headers=headers)
    assert (answer.status_code, answer.json["code"]) == (503, "biller_silent")
    assert datetime.fromisoformat(answer.json["until"]) > clock.now()
    assert "Nothing was paid" in answer.json["title"]
    clock.move(timedelta(minutes=20))
    perform(partners.note_failure, "biller:power", "ReadTimeout")
    ref = client.get("/api/v1/bill-accounts", headers=headers).json["items"][0]["id"]
    assert client.post(f"/api/v1/bill-accounts/{ref}/fetch", headers=headers).json["code"] == "biller_silent", "without being asked"


def test_a_changed_total_is_refused_with_the_new_figures_and_nothing_happened(
    client: FlaskClient, biller: Channel, headers: Headers, resident: User
) -> None:
    due = fetched(client, headers, save(client, headers, "power", "5110000015"))
    answer = client.post("/api/v1/bill-payments", json=wish(due, seen_total_minor=1), headers=headers)
    assert (answer.status_code, answer.json["code"]) == (409, "figures_changed")
    assert answer.json["total_minor"] == due["total_minor"]
    assert answer.json["bills"][0]["id"] == due["bills"][0]["id"]
    assert balance(f"wallet:{resident.id}") == 100_000


@pytest.mark.parametrize(("payment", "code"), [({"pin": "111222"}, "wrong_pin"), ({}, "pin_required")])
def test_without_the_right_pin_nothing_happens(
    client: FlaskClient, biller: Channel, headers: Headers, resident: User, payment: dict[str, str], code: str
) -> None:
    due = fetched(client, headers, save(client, headers, "power", "5110000015"))
    answer = client.post("/api/v1/bill-payments", json=wish(due, payment={"method": "wallet", **payment}), headers=headers)
    assert (answer.status_code, answer.json["code"]) == (402, code)
    assert balance(f"wallet:{resident.id}") == 100_000


def test_a_repeated_key_is_one_payment_and_a_repeat_without_key_is_refused(
    client: FlaskClient, biller: Channel, headers: Headers, resident: User
) -> None:
    due = fetched(client, headers, save(client, headers, "power", "5110000015"))
    keyed = {**headers, "Idempotency-Key": "one"}
    first, again = (client.post("/api/v1/bill-payments", json=wish(due), headers=keyed) for _ in range(2))
    assert first.json == again.json
    answer = client.post("/api/v1/bill-payments", json=wish(due), headers=headers)
    assert (answer.status_code, answer.json["code"]) == (409, "already_being_paid")
    assert reading().scalar(sa.select(sa.func.count()).select_from(BillPayment)) == 1


def test_the_oldest_first_rule_holds_here_too(client: FlaskClient, biller: Channel, headers: Headers) -> None:
    due = fetched(client, headers, save(client, headers, "power", "5110000018"))
    newest = due["bills"][-1]
    body = wish(due, bill_ids=[newest["id"]], seen_total_minor=newest["total_minor"])
    answer = client.post("/api/v1/bill-payments", json=body, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (409, "older_bill_due")


def test_bills_of_two_accounts_are_not_mixed(client: FlaskClient, biller: Channel, headers: Headers) -> None:
    one = fetched(client, headers, save(client, headers, "power", "5110000015"))
    two = fetched(client, headers, save(client, headers, "power", "5110000016"))
    body = wish(one, bill_ids=[one["bills"][0]["id"], two["bills"][0]["id"]])
    answer = client.post("/api/v1/bill-payments", json=body, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (422, "bills_of_several_accounts")


def test_a_prepaid_card_says_what_it_sells_and_is_paid_by_amount(client: FlaskClient, biller: Channel, headers: Headers) -> None:
    ref = save(client, headers, "gas-city", "80000015")
    offer = fetched(client, headers, ref)["offer"]
    assert offer["left_this_month_minor"] == 100_000
    body = {
        "bill_account": ref, "amount_minor": offer["amounts_minor"][0], "seen_total_minor": offer["amounts_minor"][0],
        "payment": {"method": "wallet", "pin": PIN},
    }  # fmt: skip
    paid = client.post("/api/v1/bill-payments", json=body, headers=headers)
    assert paid.status_code == 201
    outbox.run_due()
    assert client.get(f"/api/v1/bill-payments/{paid.json['ref']}", headers=headers).json["next_step"] == "load_card"


@pytest.mark.parametrize(
    "body",
    [
        {"seen_total_minor": 1}, {"bill_ids": ["a"], "bill_account": "b", "amount_minor": 1, "seen_total_minor": 1},
        {"bill_account": "b", "seen_total_minor": 1}, {"bill_ids": [], "seen_total_minor": 1}, {"bill_ids": ["%"], "seen_total_minor": 1},
        {"bill_ids": ["a"], "seen_total_minor": "1"}, {"bill_ids": ["a"], "seen_total_minor": 1.5},
    ],
)  # fmt: skip
def test_a_wish_of_the_wrong_shape_is_a_422(client: FlaskClient, biller: Channel, headers: Headers, body: dict[str, Any]) -> None:
    answer = client.post("/api/v1/bill-payments", json={**body, "payment": {"method": "wallet", "pin": PIN}}, headers=headers)
    assert answer.status_code == 422


def test_what_is_somebody_elses_is_not_there(app: Flask, client: FlaskClient, biller: Channel, headers: Headers, make: Factories) -> None:
    ref = save(client, headers, "power", "5110000015")
    due = fetched(client, headers, ref)
    paid = client.post("/api/v1/bill-payments", json=wish(due), headers=headers).json["ref"]
    stranger = make.user()
    fund(stranger, 100_000)
    theirs = {**bearer(app, stranger), "Accept-Language": "en"}
    assert client.post(f"/api/v1/bill-accounts/{ref}/fetch", headers=theirs).status_code == 404
    assert client.get(f"/api/v1/bill-payments/{paid}", headers=theirs).status_code == 404
    assert client.post("/api/v1/bill-payments", json=wish(due), headers=theirs).json["code"] == "bill_not_due"
    assert client.get("/api/v1/bill-accounts").status_code == 401


def test_an_account_taken_off_the_list_is_gone(client: FlaskClient, biller: Channel, headers: Headers) -> None:
    ref = save(client, headers, "mobile", "13800000015")
    assert client.delete(f"/api/v1/bill-accounts/{ref}", headers=headers).status_code == 204
    assert client.get("/api/v1/bill-accounts", headers=headers).json["items"] == []


def test_a_bill_is_paid_by_card_on_a_page_that_a_job_opens(
    app: Flask, client: FlaskClient, biller: Channel, resident: User, headers: Headers
) -> None:
    bill = fetched(client, headers, save(client, headers, "power", "5110000015"))["bills"][0]
    body = {"bill_ids": [bill["id"]], "seen_total_minor": bill["total_minor"], "payment": {"method": "stripe"}}
    with card_provider(app) as stripe:
        made = client.post("/api/v1/bill-payments", json=body, headers={**headers, "Idempotency-Key": "card-1"}).json
        assert (made["state"], made["payment"]["method"], made["payment"]["url"]) == ("created", "stripe", None)
        outbox.run_due()
        there = client.get(f"/api/v1/bill-payments/{made['ref']}", headers=headers).json
        assert there["payment"]["url"]
        paid_with = reading().scalars(sa.select(BillPayment.paid_with_id)).one()
        stripe.pay(paid_with)
        inquiry.settle(paid_with)
        bills.until_settled()
    there = client.get(f"/api/v1/bill-payments/{made['ref']}", headers=headers).json
    assert (there["state"], there["payment"]["state"]) == ("posted", "succeeded")
    assert balance(f"wallet:{resident.id}") == 100_000


def test_several_accounts_are_paid_together_or_not_at_all(client: FlaskClient, biller: Channel, resident: User, headers: Headers) -> None:
    parts = []
    for code, number in (("power", "5110000015"), ("water-city", "80000015")):
        due = fetched(client, headers, save(client, headers, code, number))
        parts.append({"bill_ids": [bill["id"] for bill in due["bills"]], "seen_total_minor": due["total_minor"]})
    body = {"parts": parts, "payment": {"method": "wallet", "pin": PIN}}
    key = {**headers, "Idempotency-Key": "together-1"}
    wrong = {**body, "parts": [parts[0], {**parts[1], "seen_total_minor": 1}]}
    refused = client.post("/api/v1/bill-payments/together", json=wrong, headers={**headers, "Idempotency-Key": "together-0"})
    assert (refused.status_code, refused.json["code"]) == (409, "figures_changed")
    assert balance("bill_hold") == 0
    made = client.post("/api/v1/bill-payments/together", json=body, headers=key)
    assert made.status_code == 201
    assert [item["state"] for item in made.json["items"]] == ["funds_held"] * 2
    assert made.json["payment"] is None
    assert client.post("/api/v1/bill-payments/together", json=body, headers=key).json == made.json
    assert balance("bill_hold") == sum(part["seen_total_minor"] for part in parts)
