"""What offers take off is seen by who buys, before and after, and by the shop that is paid for it; and the API says the same."""

from __future__ import annotations

from flask import Flask
from flask.testing import FlaskClient
from markupsafe import escape

from shop.kernel.db import perform
from shop.models.accounts import Role
from shop.orders import operations as orders
from shop.platform.actor import JOB
from tests.operations.test_offers import sold
from tests.support.factories import Factories
from tests.support.offers import offer
from tests.support.people import bearer, sign_in
from tests.support.shopping import Shopping


def test_the_buyer_sees_what_comes_off_from_the_cart_to_the_order(client: FlaskClient, make: Factories) -> None:
    shop = Shopping(make)
    shop.goods("oranges", price=1_000)
    ours, more = offer(200, at_least=1_500), offer(500, at_least=4_000)
    buyer = shop.buyer()
    shop.fill(buyer, {"oranges": 2})
    sign_in(client, buyer)
    cart = client.get("/cart").text
    assert escape(ours.name_en) in cart
    assert f"¥20.00 more and it costs ¥5.00 less: {escape(more.name_en)}" in cart
    checkout = client.get("/checkout").text
    assert "Offers take ¥2.00 off." in checkout
    assert escape(ours.name_en) in checkout
    placed = shop.place(buyer, shop.quote(buyer))
    page = client.get(f"/orders/{placed.number}").text
    assert "Offers take ¥2.00 off." in page
    assert "18" in page


def test_who_looked_before_is_told_that_less_comes_off(client: FlaskClient, make: Factories) -> None:
    shop = Shopping(make)
    shop.goods("oranges", price=1_000)
    buyer = shop.buyer()
    shop.fill(buyer, {"oranges": 2})
    before = shop.quote(buyer)
    offer(200, at_least=1_500)
    sign_in(client, buyer)
    assert "take ¥2.00 off now; it was ¥0.00" in client.get(f"/checkout?since={before.ref}").text


def test_the_shop_reads_what_the_platform_adds(client: FlaskClient, make: Factories) -> None:
    placed = sold(make, {"oranges": 2}, ours=200)
    (part,) = placed.parts
    placed.make_ready(part)
    perform(orders.mark_collected, JOB, [part])
    owner = make.user()
    make.grant(owner, Role.MERCHANT_OWNER, merchant=placed.shop.merchants[0])
    sign_in(client, owner, second_factor=True)
    statement = client.get("/merchant/statement").text
    assert "From Linli for its offers" in statement
    assert "19.40" in statement, "97 % of ¥20.00, as if nothing had come off"
    assert "Linli adds" in client.get(f"/merchant/orders/{placed.order.number}-1").text


def test_the_api_says_what_comes_off_each_line(app: Flask, client: FlaskClient, make: Factories) -> None:
    shop = Shopping(make)
    shop.goods("oranges", price=1_000)
    ours = offer(200, at_least=1_500)
    offer(500, at_least=4_000)
    buyer = shop.buyer()
    headers = bearer(app, buyer)
    cart = client.put("/api/v1/cart/lines/oranges", json={"quantity": 2}, headers=headers).get_json()
    assert (cart["goods_minor"], cart["discount_minor"], cart["total_minor"], cart["offers"]) == (2_000, 200, 1_800, [ours.name_en])
    assert [(near["missing_minor"], near["off_minor"]) for near in cart["nearest"]] == [(2_000, 500)]
    quote = client.post("/api/v1/checkout/quotes", json={"pickup_point": shop.point.slug}, headers=headers).get_json()
    (part,) = quote["sub_orders"]
    assert (quote["total_minor"], part["discount_minor"], part["lines"][0]["discount_minor"], part["lines"][0]["paid_minor"]) == (
        1_800, 200, 200, 1_800,
    )  # fmt: skip
    placed = shop.place(buyer, shop.quote(buyer))
    order = client.get(f"/api/v1/orders/{placed.number}", headers=headers).get_json()
    assert order["sub_orders"][0]["discount_minor"] == 200
    assert order["sub_orders"][0]["lines"][0]["paid_minor"] == 1_800
