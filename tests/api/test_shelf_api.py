"""The API of a merchant's shelf: safe to repeat for good, asked about where it is likely a slip, and prices by their owner only."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from shop.kernel import clock
from shop.kernel.db import reading, transaction
from shop.models.catalog import Variant
from shop.models.platform import IdempotencyKey
from shop.models.stock import StockMovement
from shop.platform import idempotency
from tests.support.books import assert_books_are_right
from tests.support.counter import Counter
from tests.support.factories import Factories
from tests.support.people import bearer
from tests.support.queries import counted
from tests.support.shopping import count, stock_of

STOCK = "/api/v1/merchant/stock"


@pytest.fixture
def counter(make: Factories) -> Counter:
    made = Counter(make)
    made.rice = made.goods("rice", price=580, on_hand=10)  # type: ignore[attr-defined]
    made.goods("oil", merchant=1, price=5_000)
    return made


@pytest.fixture
def clerk(app: Flask, counter: Counter) -> dict[str, str]:
    return bearer(app, counter.clerk_users[0], second_factor=True)


@pytest.fixture
def owner(app: Flask, counter: Counter) -> dict[str, str]:
    return bearer(app, counter.new_owner(counter.merchants[0])[0], second_factor=True)


def on_hand(counter: Counter) -> int:
    return stock_of(counter.rice)[0]  # type: ignore[attr-defined]


def price() -> int:
    reading().rollback()
    return int(reading().scalars(sa.select(Variant.price).where(Variant.code == "rice")).one().fen)


def moved(kind: str, quantity: int, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "quantity": quantity, **more}


def test_the_figures_of_a_shelf(client: FlaskClient, counter: Counter, clerk: dict[str, str]) -> None:
    counter.ordered(counter.buyer(), {"rice": 2})
    (item,) = client.get(STOCK, headers=clerk).json["items"]
    names = ("on_shelf", "sold_waiting", "on_hand", "reserved", "missing", "available")
    assert [item[name] for name in names] == [10, 2, 8, 0, 0, 8]
    counted = client.post(f"{STOCK}/rice/movements", json=moved("correction", 10, expected=10), headers=clerk).json
    assert [counted[name] for name in names] == [10, 2, 8, 0, 0, 8]


def forget_the_answer(app: Flask) -> None:
    """As after a crash between the deed and its stored answer: the lease of the key has run out."""
    clock.move(idempotency.LEASE + timedelta(seconds=1))
    with transaction() as session:
        session.execute(sa.update(IdempotencyKey).values(status=None, body=None))


def test_a_movement_repeated_under_its_key_a_minute_later_moves_once(
    app: Flask, client: FlaskClient, counter: Counter, clerk: dict[str, str]
) -> None:
    key = {**clerk, "Idempotency-Key": "delivery-note-7"}
    assert client.post(f"{STOCK}/rice/movements", json=moved("received", 5), headers=key).json["on_hand"] == 15
    forget_the_answer(app)
    again = client.post(f"{STOCK}/rice/movements", json=moved("received", 5), headers=key)
    assert (again.status_code, again.json["on_hand"], "Idempotent-Replayed" in again.headers) == (200, 15, False)
    with transaction() as session:
        session.execute(sa.delete(IdempotencyKey))  # the month in which it is kept is over
    assert client.post(f"{STOCK}/rice/movements", json=moved("received", 5), headers=key).json["on_hand"] == 15
    assert client.post(f"{STOCK}/rice/movements", json=moved("received", 5), headers=clerk).json["on_hand"] == 20, "another one"
    assert_books_are_right()


@pytest.mark.parametrize("other", [moved("received", 6), moved("spoilage", 5), moved("correction", 5)])
def test_one_reference_with_another_body_is_refused(
    client: FlaskClient, counter: Counter, clerk: dict[str, str], other: dict[str, Any]
) -> None:
    first = moved("received", 5, client_id="note-1")
    for _ in range(2):
        assert client.post(f"{STOCK}/rice/movements", json=first, headers=clerk).json["on_hand"] == 15
    answer = client.post(f"{STOCK}/rice/movements", json={**other, "client_id": "note-1"}, headers=clerk)
    assert (answer.status_code, answer.json["code"]) == (422, "told_differently")
    assert on_hand(counter) == 15


def test_one_key_with_another_body_is_refused(client: FlaskClient, counter: Counter, clerk: dict[str, str]) -> None:
    key = {**clerk, "Idempotency-Key": "delivery-note-7"}
    client.post(f"{STOCK}/rice/movements", json=moved("received", 5), headers=key)
    answer = client.post(f"{STOCK}/rice/movements", json=moved("received", 6), headers=key)
    assert (answer.status_code, answer.json["code"]) == (422, "idempotency_mismatch")
    with transaction() as session:
        session.execute(sa.delete(IdempotencyKey))
    answer = client.post(f"{STOCK}/rice/movements", json=moved("received", 6), headers=key)
    assert (answer.status_code, answer.json["code"]) == (422, "told_differently")
    assert on_hand(counter) == 15


def test_doubts_are_problems_until_they_are_told_to_be_right(client: FlaskClient, counter: Counter, clerk: dict[str, str]) -> None:
    (part,) = counter.ordered(counter.buyer(), {"rice": 4})
    place = f"{STOCK}/rice/movements"
    many = client.post(place, json=moved("received", 999_999), headers=clerk)
    assert (many.status_code, many.json["code"], many.json["most"]) == (409, "quantity_far_off", 10)
    short = client.post(place, json=moved("correction", 3), headers=clerk)
    assert (short.status_code, short.json["code"], short.json["short"]) == (409, "promised_goods", 1)
    assert short.json["orders"] == [{"number": part.number, "quantity": 4, "is_paid": True}]
    old = client.post(place, json=moved("correction", 10, expected=12), headers=clerk)
    assert (old.status_code, old.json["code"], old.json["now"]) == (409, "shelf_moved", 10)
    assert on_hand(counter) == 6
    sure = client.post(place, json=moved("correction", 3, sure=True), headers=clerk).json
    assert (sure["on_shelf"], sure["missing"], sure["available"]) == (3, 1, 0)
    assert client.post(place, json=moved("received", 999_999, sure=True), headers=clerk).json["available"] == 999_998


def test_movements_are_listed_and_taken_back(client: FlaskClient, counter: Counter, clerk: dict[str, str]) -> None:
    (part,) = counter.ordered(counter.buyer(), {"rice": 1})
    client.post(f"{STOCK}/rice/movements", json=moved("received", 5), headers=clerk)
    items = client.get(f"{STOCK}/rice/movements", headers=clerk).json["items"]
    assert [(item["kind"], item["quantity"], item["told"], item["order"], item["by"]) for item in items] == [
        ("received", 5, 5, None, "刘店员"), ("sale", -1, None, part.number, None), ("received", 10, None, None, None),
    ]  # fmt: skip
    back = f"{STOCK}/rice/movements/{items[0]['id']}/take-back"
    assert client.post(back, headers=clerk).json["on_hand"] == 9
    refused = client.post(back, headers=clerk)
    assert (refused.status_code, refused.json["code"]) == (409, "taken_back_before")
    sale = client.post(f"{STOCK}/rice/movements/{items[1]['id']}/take-back", headers=clerk)
    assert (sale.status_code, sale.json["code"]) == (409, "not_by_hand")
    first = client.get(f"{STOCK}/rice/movements?limit=1", headers=clerk).json
    assert (first["items"][0]["takes_back"], first["items"][0]["kind"]) == (items[0]["id"], "taken_back")
    second = client.get(f"{STOCK}/rice/movements?limit=3&cursor={first['next_cursor']}", headers=clerk).json
    assert [item["id"] for item in second["items"]] == [item["id"] for item in items]
    assert (second["items"][0]["taken_back"], second["next_cursor"]) == (True, None)
    for path in ("oil/movements", "nothing/movements", "oil/prices"):
        assert client.get(f"{STOCK}/{path}", headers=clerk).status_code == 404


def test_a_history_costs_the_same_for_one_row_and_for_many(client: FlaskClient, counter: Counter, clerk: dict[str, str]) -> None:
    costs = []
    for number in (1, 1, 20):
        for _ in range(number):
            client.post(f"{STOCK}/rice/movements", json=moved("received", 1), headers=clerk)
        with counted() as statements:
            assert client.get(f"{STOCK}/rice/movements", headers=clerk).status_code == 200
        costs.append(len(statements))
    assert costs[1] == costs[2]


def test_a_price_is_the_owners_and_a_price_far_off_names_both(
    client: FlaskClient, counter: Counter, clerk: dict[str, str], owner: dict[str, str]
) -> None:
    place = f"{STOCK}/rice/price"
    assert client.put(place, json={"price_minor": 600}, headers=clerk).status_code == 403
    far = client.put(place, json={"price_minor": 58_000}, headers=owner)
    assert (far.status_code, far.json["code"], far.json["old_minor"], far.json["new_minor"]) == (409, "price_far_off", 580, 58_000)
    assert price() == 580
    for _ in range(2):
        answer = client.put(place, json={"price_minor": 600, "before_minor": 580}, headers=owner)
        assert (answer.status_code, answer.json["price_minor"]) == (200, 600)
    stale = client.put(place, json={"price_minor": 610, "before_minor": 580, "sure": True}, headers=owner)
    assert (stale.status_code, stale.json["code"], stale.json["now_minor"]) == (409, "price_changed_meanwhile", 600)
    assert client.put(place, json={"price_minor": 58_000, "sure": True}, headers=owner).status_code == 200
    history = client.get(f"{STOCK}/rice/prices", headers=clerk).json["items"]
    assert [(item["old_minor"], item["new_minor"], item["by"]) for item in history] == [(600, 58_000, "周店主"), (None, 600, "周店主")]
    assert client.put(f"{STOCK}/oil/price", json={"price_minor": 5_100}, headers=owner).status_code == 404
    for wrong in ({"price_minor": 0}, {"price_minor": -1}, {"price_minor": 5.8}, {"price_minor": 10**12}, {}):
        assert client.put(place, json=wrong, headers=owner).status_code == 422, wrong
    assert (price(), count(StockMovement)) == (58_000, 2)


def test_goods_are_written_off_with_a_reason_listed_and_taken_back(client: FlaskClient, counter: Counter, clerk: dict[str, str]) -> None:
    place, losses = f"{STOCK}/rice/movements", f"/api/v1/merchant/losses?merchant={counter.merchants[0].code}"
    key = {**clerk, "Idempotency-Key": "lost-1"}
    body = moved("spoilage", 2, reason="stolen", words="two bags at the door")
    for _ in range(2):
        assert client.post(place, json=body, headers=key).json["on_hand"] == 8
    (loss,) = client.get(losses, headers=clerk).json["items"]
    assert (loss["code"], loss["quantity"], loss["reason"], loss["words"], loss["taken_back"]) == (
        "rice", 2, "stolen", "two bags at the door", False
    )  # fmt: skip
    assert client.get(place, headers=clerk).json["items"][0]["reason"] == "stolen"
    assert client.post(f"{place}/{loss['movement']}/take-back", headers=clerk).json["on_hand"] == 10
    assert client.get(f"{losses}&reason=stolen", headers=clerk).json["items"][0]["taken_back"] is True
    assert client.get(f"{losses}&reason=broken", headers=clerk).json["items"] == []
    assert client.post(place, json=moved("spoilage", 1), headers=clerk).json["on_hand"] == 9
    first = client.get(f"{losses}&limit=1", headers=clerk).json
    assert [item["reason"] for item in first["items"]] == ["spoiled"], "without a reason it spoiled"
    following = client.get(f"{losses}&limit=1&cursor={first['next_cursor']}", headers=clerk).json
    assert [item["reason"] for item in following["items"]] == ["stolen"]
    assert_books_are_right()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (moved("spoilage", 1, reason="eaten"), 422, "invalid"),
        (moved("spoilage", 1, reason="broken", words="x" * 201), 422, "invalid"),
        (moved("spoilage", 1, reason="other"), 422, "loss_words_missing"),
        (moved("received", 1, reason="broken"), 422, "loss_reason_missing"),
    ],
)
def test_a_reason_that_makes_no_sense_writes_nothing_off(
    client: FlaskClient, counter: Counter, clerk: dict[str, str], body: dict[str, Any], status: int, code: str
) -> None:
    answer = client.post(f"{STOCK}/rice/movements", json=body, headers=clerk)
    assert answer.status_code == status
    assert code == "invalid" or answer.json["code"] == code
    assert on_hand(counter) == 10


def test_with_how_many_left_something_runs_low(client: FlaskClient, counter: Counter, clerk: dict[str, str]) -> None:
    shop = {"merchant": counter.merchants[0].code}
    assert client.get("/api/v1/merchant/low-mark", query_string=shop, headers=clerk).json == {"low_mark": None}
    for _ in range(2):
        assert client.put("/api/v1/merchant/low-mark", json={**shop, "low_mark": 3}, headers=clerk).json == {"low_mark": 3}
    assert client.get("/api/v1/merchant/low-mark", query_string=shop, headers=clerk).json == {"low_mark": 3}
    assert client.get(f"{STOCK}?few=true", headers=clerk).json["items"] == []
    item = client.put(f"{STOCK}/rice/low-mark", json={"low_mark": 10}, headers=clerk).json
    assert (item["low_mark"], item["low_since"] is not None) == (10, True)
    assert [item["code"] for item in client.get(f"{STOCK}?few=true", headers=clerk).json["items"]] == ["rice"]
    item = client.put(f"{STOCK}/rice/low-mark", json={"low_mark": None}, headers=clerk).json
    assert (item["low_mark"], item["low_since"]) == (3, None)
    for wrong in (-1, 100_001, "3", 1.5):
        assert client.put(f"{STOCK}/rice/low-mark", json={"low_mark": wrong}, headers=clerk).status_code == 422
    assert client.put(f"{STOCK}/oil/low-mark", json={"low_mark": 3}, headers=clerk).status_code == 404
    assert client.put("/api/v1/merchant/low-mark", json={"merchant": "nothing", "low_mark": 3}, headers=clerk).status_code == 404
