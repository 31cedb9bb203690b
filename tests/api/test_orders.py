"""Cart, quote and order through the API."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from shop.api.v1.cart import CartOut
from shop.api.v1.checkout import QuoteOut
from shop.api.v1.orders import OrderOut, OrderPage, PlacedOut, RepeatedOut
from shop.kernel.db import transaction
from shop.kernel.money import Money
from shop.models.accounts import User
from shop.models.payments import Payment
from shop.models.stock import StockItem
from tests.support.factories import Factories
from tests.support.money import PIN, balance
from tests.support.people import bearer
from tests.support.queries import counted
from tests.support.shopping import Shopping, count, purchases, stock_of


class Caller:
    """Somebody's API client."""

    def __init__(self, app: Flask, client: FlaskClient, user: User) -> None:
        self.client, self.headers = client, bearer(app, user)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        return self.client.open(f"/api/v1{path}", method=method, json=body, headers={**self.headers, **headers})

    def put(self, code: str, quantity: int) -> Any:
        return self.ask("PUT", f"/cart/lines/{code}", {"quantity": quantity})

    def quote(self, point: str) -> Any:
        return self.ask("POST", "/checkout/quotes", {"pickup_point": point, "coupons": []})

    def order(self, quote: Any, pin: str | None = PIN, method: str = "wallet", **headers: str) -> Any:
        payment = {"method": method, "pin": pin} if pin else {"method": method}
        body = {"quote_id": quote["quote_id"], "seen_total_minor": quote["total_minor"], "payment": payment}
        return self.ask("POST", "/orders", body, **headers)


@pytest.fixture
def shop(make: Factories) -> Shopping:
    return Shopping(make)


def test_a_purchase_from_an_empty_cart_to_a_paid_order(app: Flask, client: FlaskClient, shop: Shopping) -> None:
    shop.goods("oranges", price=2_490)
    shop.goods("rice", 1, price=3_000)
    user = shop.buyer(100_000)
    caller = Caller(app, client, user)
    caller.put("oranges", 2)
    cart = caller.put("rice", 1)
    assert cart.status_code == 200
    assert CartOut.model_validate_json(cart.text).total_minor == 7_980
    quote = caller.quote(shop.point.slug)
    assert quote.status_code == 201
    assert [part.merchant for part in QuoteOut.model_validate_json(quote.text).sub_orders] == [merchant.code for merchant in shop.merchants]
    placed = caller.order(quote.json)
    assert placed.status_code == 201
    order = PlacedOut.model_validate_json(placed.text)
    assert (order.state, order.total_minor, order.payment.state) == ("paid", 7_980, "succeeded")
    assert balance(f"wallet:{user.id}") == 100_000 - 7_980

    shown = caller.ask("GET", f"/orders/{order.number}")
    assert OrderOut.model_validate_json(shown.text).sub_orders[0].lines[0].line_total_minor == 4_980
    listed = OrderPage.model_validate_json(caller.ask("GET", "/orders").text)
    assert [item.number for item in listed.items] == [order.number]
    assert listed.next_cursor is None
    assert caller.ask("GET", "/cart").json["blocks"] == []


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "my-order-1"}])
def test_the_same_order_twice_is_one_order_and_one_answer(app: Flask, client: FlaskClient, shop: Shopping, headers: dict[str, str]) -> None:
    shop.goods("oranges", price=1_000)
    user = shop.buyer(100_000)
    caller = Caller(app, client, user)
    caller.put("oranges", 1)
    quote = caller.quote(shop.point.slug).json
    first, second = caller.order(quote, **headers), caller.order(quote, **headers)
    assert (second.status_code, second.json) == (first.status_code, first.json)
    assert first.status_code == 201
    assert purchases() == 1
    assert balance(f"wallet:{user.id}") == 99_000


def test_lists_come_in_pages_and_cost_the_same_however_long(app: Flask, client: FlaskClient, shop: Shopping) -> None:
    shop.goods("oranges", price=100, on_hand=1_000)
    user = shop.buyer(100_000)
    caller = Caller(app, client, user)
    numbers = [shop.buy(user, {"oranges": 1}).number]
    with counted() as short:
        caller.ask("GET", "/orders")
    numbers += [shop.buy(user, {"oranges": 1}).number for _ in range(4)]
    with counted() as long:
        first = caller.ask("GET", "/orders?limit=3").json
    assert len(short) == len(long)
    rest = caller.ask("GET", f"/orders?limit=3&cursor={first['next_cursor']}").json
    assert [item["number"] for item in first["items"] + rest["items"]] == numbers[::-1]
    assert rest["next_cursor"] is None


def test_a_wrong_pin_is_refused_and_nothing_happened(app: Flask, client: FlaskClient, shop: Shopping) -> None:
    shop.goods("oranges", price=1_000)
    user = shop.buyer(100_000)
    caller = Caller(app, client, user)
    caller.put("oranges", 1)
    refused = caller.order(caller.quote(shop.point.slug).json, pin="135790")
    assert (refused.status_code, refused.json["code"]) == (402, "wrong_pin")
    assert (purchases(), count(Payment), balance(f"wallet:{user.id}")) == (0, 0, 100_000)


def test_no_money_is_402(app: Flask, client: FlaskClient, shop: Shopping) -> None:
    oranges = shop.goods("oranges", price=1_000)
    caller = Caller(app, client, shop.buyer(500))
    caller.put("oranges", 1)
    refused = caller.order(caller.quote(shop.point.slug).json)
    assert (refused.status_code, refused.json["code"]) == (402, "insufficient_funds")
    assert stock_of(oranges) == (100, 0)


def test_refusals_are_problems_with_their_facts(app: Flask, client: FlaskClient, shop: Shopping) -> None:
    shop.goods("oranges", price=1_000, on_hand=3)
    caller, rival = Caller(app, client, shop.buyer()), shop.buyer()
    caller.put("oranges", 2)
    quote = caller.quote(shop.point.slug).json

    changed = caller.order({**quote, "total_minor": 1})
    assert (changed.status_code, changed.json["code"], changed.json["total_minor"]) == (409, "price_changed", 2_000)
    shop.buy(rival, {"oranges": 2})
    short = caller.order(quote)
    assert (short.status_code, short.json["code"]) == (409, "stock_shortage")
    assert short.json["details"] == [{"variant_code": "oranges", "available": 1}]
    assert short.mimetype == "application/problem+json"
    again = caller.quote(shop.point.slug)
    assert (again.status_code, again.json["code"]) == (409, "stock_shortage")


@pytest.mark.parametrize("quantity", [-1, 10_000, 1.5, "1", None, True, 1e999])
def test_quantities_that_make_no_sense_are_422(app: Flask, client: FlaskClient, shop: Shopping, quantity: object) -> None:
    shop.goods("oranges")
    caller = Caller(app, client, shop.buyer())
    refused = caller.ask("PUT", "/cart/lines/oranges", {"quantity": quantity})
    assert refused.status_code in {400, 422}
    assert caller.ask("GET", "/cart").json["count"] == 0


def test_other_peoples_orders_do_not_exist(app: Flask, client: FlaskClient, shop: Shopping) -> None:
    shop.goods("oranges")
    number = shop.buy(shop.buyer(), {"oranges": 1}).number
    other = Caller(app, client, shop.buyer())
    for path in (f"/orders/{number}/cancel", f"/orders/{number}/pay"):
        assert other.ask("POST", path).status_code == 404
    for path in (f"/orders/{number}", "/orders/nope"):
        assert other.ask("GET", path).status_code == 404
    quote_of_nobody = {"quote_id": "Q261123-AAAAAAAA", "total_minor": 1}
    assert other.order(quote_of_nobody).status_code == 404


@pytest.mark.parametrize("path", ["/cart/lines/%00", "/cart/lines/%F0%9F%8D%8A", "/cart/lines/" + "x" * 300])
def test_codes_that_cannot_be_ours_are_not_found(app: Flask, client: FlaskClient, shop: Shopping, path: str) -> None:
    caller = Caller(app, client, shop.buyer())
    assert caller.ask("PUT", path, {"quantity": 1}).status_code == 404
    assert caller.ask("DELETE", path).status_code in {200, 404}


def test_odd_references_are_not_found(app: Flask, client: FlaskClient, shop: Shopping) -> None:
    shop.goods("oranges")
    caller = Caller(app, client, shop.buyer())
    assert caller.order({"quote_id": "\u0000", "total_minor": 1}).status_code in {404, 422}
    assert caller.ask("GET", "/orders/%00").status_code == 404
    assert caller.ask("POST", "/orders/%00/cancel").status_code == 404
    assert caller.ask("POST", "/orders/%00/pay").status_code == 404
    assert caller.ask("GET", "/orders?cursor=" + "WzFlOTld").status_code == 422
    assert caller.ask("POST", "/checkout/quotes", {"pickup_point": "\u0000"}).status_code == 422


def test_cancelling_gives_everything_back(app: Flask, client: FlaskClient, shop: Shopping) -> None:
    oranges = shop.goods("oranges", price=1_000)
    user = shop.buyer(100_000)
    caller = Caller(app, client, user)
    number = shop.buy(user, {"oranges": 2}).number
    cancelled = caller.ask("POST", f"/orders/{number}/cancel")
    assert (cancelled.status_code, cancelled.json["state"], cancelled.json["refunded_minor"]) == (200, "cancelled", 2_000)
    assert balance(f"wallet:{user.id}") == 100_000
    assert stock_of(oranges) == (100, 0)
    assert caller.ask("POST", f"/orders/{number}/cancel").json["code"] == "too_late_to_cancel"


def test_unknown_points_and_coupons_are_refused_beside_their_field(app: Flask, client: FlaskClient, shop: Shopping) -> None:
    shop.goods("oranges", price=Money(100).fen)
    caller = Caller(app, client, shop.buyer())
    caller.put("oranges", 1)
    assert caller.quote("nowhere").json["field"] == "pickup_point"
    refused = caller.ask("POST", "/checkout/quotes", {"pickup_point": shop.point.slug, "coupons": ["FREE"]})
    assert (refused.status_code, refused.json["code"], refused.json["field"]) == (422, "unknown_coupon", "coupons")


def test_an_earlier_order_is_put_into_the_cart_again(app: Flask, client: FlaskClient, shop: Shopping) -> None:
    shop.goods("oranges", price=1_000)
    rice = shop.goods("rice", 1, price=500)
    user = shop.buyer(100_000)
    number = shop.buy(user, {"oranges": 2, "rice": 1}).number
    with transaction() as session:
        session.execute(sa.update(StockItem).where(StockItem.variant_id == rice.id).values(on_hand=0))
    caller = Caller(app, client, user)
    first = caller.ask("POST", f"/orders/{number}/repeat")
    assert first.status_code == 200
    told = RepeatedOut.model_validate_json(first.text)
    assert [(line.variant, line.quantity, line.missing) for line in told.lines] == [("oranges", 2, None), ("rice", 0, "sold_out")]
    assert (told.cart.count, told.cart.total_minor) == (2, 2_000)
    assert caller.ask("POST", f"/orders/{number}/repeat").json == first.json


def test_an_order_of_somebody_else_is_not_repeated(app: Flask, client: FlaskClient, shop: Shopping) -> None:
    shop.goods("oranges")
    number = shop.buy(shop.buyer(), {"oranges": 1}).number
    assert Caller(app, client, shop.buyer()).ask("POST", f"/orders/{number}/repeat").status_code == 404
