"""The packing table by API: corrections, what is not there, what is declined; and what the buyer's client reads of it."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from shop.models.orders import SubOrderState
from tests.support.books import assert_books_are_right
from tests.support.counter import Counter, state_of
from tests.support.factories import Factories
from tests.support.people import bearer

API = "/api/v1"


@pytest.fixture
def counter(make: Factories) -> Counter:
    made = Counter(make)
    made.goods("rice", price=2_000)
    made.goods("fish", price=1_500, by_weight=True, grams=500)
    made.goods("oil", merchant=1, price=5_000)
    return made


@pytest.fixture
def clerk(app: Flask, counter: Counter) -> dict[str, str]:
    return bearer(app, counter.clerk_users[0], second_factor=True)


def test_another_weight_is_a_problem_until_the_first_one_is_named(client: FlaskClient, counter: Counter, clerk: dict[str, str]) -> None:
    (part,) = counter.ordered(counter.buyer(), {"fish": 2})
    counter.pack(part, fish=850)
    place = f"{API}/merchant/orders/{part.number}/pack"
    (line,) = (str(line) for line in counter.weights(part))
    answer = client.post(place, json={"weights": {line: 950}}, headers=clerk)
    assert (answer.status_code, answer.json["code"]) == (409, "already_weighed")
    read = client.get(f"{API}/merchant/orders/{part.number}", headers=clerk).json["lines"][0]
    assert (read["final_grams"], read["weighed_by"], bool(read["weighed_at"])) == (850, "刘**", True)
    corrected = client.post(place, json={"weights": {line: 950}, "instead": {line: 850}}, headers=clerk)
    assert (corrected.status_code, corrected.json["refunded_minor"]) == (200, -300)
    assert_books_are_right()


def test_units_that_are_not_there_are_told_and_the_buyers_client_reads_it(
    app: Flask, client: FlaskClient, counter: Counter, clerk: dict[str, str]
) -> None:  # fmt: skip
    buyer = counter.buyer()
    rice, oil = counter.ordered(buyer, {"rice": 5, "oil": 1})
    line = client.get(f"{API}/merchant/orders/{rice.number}", headers=clerk).json["lines"][0]["line"]
    place = f"{API}/merchant/orders/{rice.number}/lines/{line}/missing"
    for body in ({"there": 2}, {"there": 2, "reason": ""}, {"there": -1, "reason": "torn"}, {"there": "two", "reason": "torn"}):
        assert client.post(place, json=body, headers=clerk).status_code == 422, body
    more = client.post(place, json={"there": 6, "reason": "torn"}, headers=clerk)
    assert (more.status_code, more.json["code"]) == (422, "more_there_than_ordered")
    told = client.post(place, json={"there": 2, "reason": "torn"}, headers=clerk)
    assert (told.status_code, told.json["refunded_minor"], told.json["lines"][0]["missing"]) == (200, 6_000, 3)
    other = bearer(app, counter.clerk_users[1], second_factor=True)
    assert client.post(f"{API}/merchant/orders/{rice.number}/decline", json={"reason": "x"}, headers=other).status_code == 404
    declined = client.post(f"{API}/merchant/orders/{oil.number}/decline", json={"reason": "the bottles broke"}, headers=other)
    assert (declined.status_code, declined.json["state"]) == (200, "short")
    read = client.get(f"{API}/orders/{rice.number.rpartition('-')[0]}", headers=bearer(app, buyer)).json["sub_orders"]
    assert [part["declined_reason"] for part in read] == [None, "the bottles broke"]
    assert (read[0]["lines"][0]["missing"], read[0]["lines"][0]["missing_reason"]) == (3, "torn")
    cancelled = client.post(f"{API}/orders/{rice.number.rpartition('-')[0]}/cancel", headers=bearer(app, buyer))
    assert cancelled.status_code == 200, "the rest can be cancelled after one shop declined"
    assert_books_are_right()


def test_packing_is_taken_back_until_it_has_left(client: FlaskClient, counter: Counter, clerk: dict[str, str]) -> None:
    (part,) = counter.packed(counter.buyer(), {"rice": 1})
    place = f"{API}/merchant/orders/{part.number}/unpack"
    assert client.post(place, headers=clerk).json["state"] == "accepted"
    assert client.post(place, headers=clerk).json["state"] == "accepted"
    counter.pack(part)
    counter.send(part)
    answer = client.post(place, headers=clerk)
    assert (answer.status_code, answer.json["code"], state_of(part)) == (409, "wrong_state", SubOrderState.IN_TRANSIT)
