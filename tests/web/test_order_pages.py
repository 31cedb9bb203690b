"""What an order's pages say: of goods taken out, of what is not paid, of what no shop has accepted yet."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from shop.cart import queries as carts
from shop.cart.rules import CartOwner
from shop.kernel import clock
from shop.kernel.db import perform, reading, transaction
from shop.kernel.money import Money
from shop.models.catalog import Variant
from shop.models.orders import PaymentMethod, Purchase
from shop.models.payments import Payment, PaymentState
from shop.orders import operations as orders
from shop.payments.snapshots import Snapshot, Stage
from shop.settlement import operations as settlement
from tests.support.asking import say_yes
from tests.support.counter import Counter
from tests.support.factories import SHARP, Factories
from tests.support.people import sign_in
from tests.web.test_shopping import order, text_of

FETCHED = {"HX-Request": "true"}


@pytest.fixture
def shop(make: Factories) -> Counter:
    return Counter(make)


def undo_of(answer: Any) -> dict[str, str]:
    """What the button that undoes would send."""
    form = re.search(r'<form method="post" action="/cart/lines" class="post-button">(.*?)Undo', answer.text, re.DOTALL)
    assert form, "no button that undoes"
    return {name: value for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', form[1]) if name != "csrf_token"}


# --- Out of the cart, and back ---


def test_goods_taken_out_are_named_and_one_press_puts_as_many_back(client: FlaskClient, shop: Counter) -> None:
    shop.goods("oranges")
    user = shop.buyer()
    shop.fill(user, {"oranges": 3})
    sign_in(client, user)
    client.post("/cart/lines", data={"variant": "oranges", "quantity": 0})
    page = client.get("/cart")
    assert f"Oranges{SHARP} is out of your cart." in text_of(page)
    client.post("/cart/lines", data=undo_of(page))
    assert carts.count(reading(), CartOwner(user_id=user.id)) == 3
    assert "out of your cart" not in text_of(client.get("/cart"))


def test_a_fetched_cart_brings_its_message_along(client: FlaskClient, shop: Counter) -> None:
    shop.goods("oranges")
    shop.goods("rice")
    user = shop.buyer()
    shop.fill(user, {"oranges": 1, "rice": 1})
    sign_in(client, user)
    answer = client.post("/cart/lines", data={"variant": "oranges", "quantity": 0}, headers=FETCHED, follow_redirects=False)
    page = client.get(answer.location, headers=FETCHED)
    assert re.search(r'<div id="said" hx-swap-oob="innerHTML"><div class="toast-line[^>]*>.*?Oranges.{0,30} is out of your cart', page.text)
    assert 'hx-swap-oob="innerHTML"' not in client.get("/cart", headers=FETCHED).text


def test_the_last_thing_taken_out_brings_a_whole_page_without_a_sum(client: FlaskClient, shop: Counter) -> None:
    shop.goods("oranges")
    user = shop.buyer()
    shop.fill(user, {"oranges": 2})
    sign_in(client, user)
    fewer = client.post("/cart/lines", data={"variant": "oranges", "quantity": 1}, headers=FETCHED)
    assert (fewer.status_code, fewer.location) == (303, "/cart")
    gone = client.post("/cart/lines", data={"variant": "oranges", "quantity": 0}, headers=FETCHED)
    assert gone.headers["HX-Redirect"] == "/cart"
    page = client.get("/cart")
    assert 'id="cart-sum"' not in page.text
    assert undo_of(page) == {"variant": "oranges", "quantity": "1"}


def test_what_is_off_sale_is_not_offered_back(client: FlaskClient, shop: Counter) -> None:
    oranges = shop.goods("oranges")
    user = shop.buyer()
    shop.fill(user, {"oranges": 3})
    with transaction() as session:
        session.execute(sa.update(Variant).where(Variant.id == oranges.id).values(is_on_sale=False))
    sign_in(client, user)
    client.post("/cart/lines", data={"variant": "oranges", "quantity": 0})
    page = client.get("/cart")
    assert f"Oranges{SHARP} is out of your cart." in text_of(page)
    assert "Undo" not in page.text


# --- Not paid yet ---


def test_back_from_the_payment_page_the_checkout_leads_to_the_order_that_waits(client: FlaskClient, shop: Counter) -> None:
    shop.goods("oranges", price=1_000)
    user = shop.buyer()
    sign_in(client, user)
    client.post("/cart", data={"variant": "oranges"})
    page = client.get("/checkout")
    onward = order(client, page, method="stripe", pin="").location
    number = reading().scalars(sa.select(Purchase.number)).one()
    back = client.get("/checkout")
    assert back.location == f"/orders/{number}"
    assert re.search(r"not paid yet\. Please pay it by \d\d:\d\d (today|tomorrow)", text_of(client.get(back.location)))
    assert order(client, page, method="stripe", pin="").location == onward, "pressed again, no second order"
    assert "1 order waits for its payment" in text_of(client.get("/cart"))


def test_a_payment_that_is_being_processed_is_led_to_and_not_called_unpaid(client: FlaskClient, shop: Counter) -> None:
    shop.goods("oranges")
    user = shop.buyer()
    placed = shop.buy(user, {"oranges": 1}, PaymentMethod.STRIPE)
    with transaction() as session:
        session.execute(sa.update(Payment).where(Payment.id == placed.payment_id).values(state=PaymentState.PROCESSING))
    sign_in(client, user)
    assert client.get("/checkout").location == f"/payments/{placed.payment_ref}"


def test_an_order_that_ran_out_is_not_led_to(client: FlaskClient, shop: Counter) -> None:
    shop.goods("oranges")
    user = shop.buyer()
    shop.buy(user, {"oranges": 1}, PaymentMethod.STRIPE)
    sign_in(client, user)
    clock.move(timedelta(minutes=31))
    assert client.get("/checkout").location == "/cart"


@pytest.mark.parametrize("method", [PaymentMethod.STRIPE, PaymentMethod.WALLET])
def test_only_what_was_paid_is_said_to_come_back(client: FlaskClient, shop: Counter, method: PaymentMethod) -> None:
    shop.goods("oranges", price=1_000)
    user = shop.buyer()
    number = shop.buy(user, {"oranges": 1}, method).number
    sign_in(client, user)
    was_paid = method is PaymentMethod.WALLET
    asked = client.get(f"/orders/{number}").text
    said = "¥10.00 goes back into your wallet." if was_paid else f"Cancel order {number} over ¥10.00? Nothing has been paid for it."
    assert said in asked
    assert 'data-yes="Cancel it" data-no="Keep it"' in asked
    assert "Keep it" in text_of(client.post(f"/orders/{number}/cancel")), "the sheet and the page have the same two answers"
    shown = text_of(client.get(say_yes(client, f"/orders/{number}/cancel").location))
    assert ("Cancelled. ¥10.00 given back." in shown) is was_paid
    assert ("Nothing was paid for this order." in shown) is not was_paid


# --- Paid, and not there yet ---


def test_after_paying_by_card_the_page_says_where_and_when_to_collect(client: FlaskClient, shop: Counter) -> None:
    shop.goods("oranges", price=1_000)
    user = shop.buyer()
    placed = shop.buy(user, {"oranges": 1}, PaymentMethod.STRIPE)
    perform(settlement.apply, placed.payment_id, Snapshot(Stage.SUCCEEDED, Money(1_000), intent="pi_1"))
    sign_in(client, user)
    said = text_of(client.get(f"/payments/{placed.payment_ref}"))
    assert re.search(rf"collect it at {shop.point.name_en} tomorrow from \d\d:\d\d\. We tell you when it is there", said)


def test_an_order_is_being_prepared_only_once_a_shop_has_accepted_it(client: FlaskClient, shop: Counter) -> None:
    shop.goods("oranges")
    user = shop.buyer()
    (part,) = shop.ordered(user, {"oranges": 1})
    number = part.number.rpartition("-")[0]
    sign_in(client, user)
    for path in (f"/orders/{number}", "/orders"):
        page = text_of(client.get(path))
        assert ("Waiting for the shop" in page, "Being prepared" in page) == (True, False)
    perform(orders.accept, shop.clerk_of(part), part.id)
    for path in (f"/orders/{number}", "/orders"):
        page = text_of(client.get(path))
        assert ("Waiting for the shop" in page, "Being prepared" in page) == (False, True)


def test_an_order_of_two_shops_counts_as_one_wherever_orders_are_counted(client: FlaskClient, shop: Counter) -> None:
    shop.goods("oranges")
    shop.goods("rice", 1)
    user = shop.buyer()
    parts = shop.packed(user, {"oranges": 1, "rice": 1})
    sign_in(client, user)
    assert "1 order has not arrived yet." in text_of(client.get("/pickup"))
    assert "1 to come" in text_of(client.get("/"))
    shop.receive(parts)
    assert "Ready: 1 order , from 2 shops" in text_of(client.get("/pickup")).replace("1 order,", "1 order ,")
    home = client.get("/")
    assert "1 order is ready to collect" in text_of(home)
    tiles = home.text.partition('class="tile-grid"')[2].partition("</section>")[0].partition('class="panel')[0]
    assert "badge-count" not in tiles, "what waits is said once"


# --- One word for one thing ---


def test_an_elder_reads_what_pressing_pay_does_before_the_pin(client: FlaskClient, shop: Counter) -> None:
    shop.goods("oranges", price=1_000)
    user = shop.buyer()
    shop.fill(user, {"oranges": 2})
    sign_in(client, user)
    page = client.get("/checkout").text
    sentence = re.search(r'<p class="elder-only[^"]*">When you press Pay, you order for ¥20\.00\.', page)
    assert sentence
    assert sentence.start() < page.index('name="pin"')


def test_the_most_a_weighed_line_can_cost_is_said_in_the_same_words_and_follows_the_quantity(client: FlaskClient, shop: Counter) -> None:
    shop.goods("rabbit", price=580, by_weight=True)
    user = shop.buyer()
    client.set_cookie("locale", "zh")
    shop.fill(user, {"rabbit": 3})
    sign_in(client, user)
    pages = {path: text_of(client.get(path)) for path in ("/cart", "/checkout")}
    number = shop.place(user, shop.quote(user)).number
    pages["order"] = text_of(client.get(f"/orders/{number}"))
    assert {path: "最多付¥17.40" in page for path, page in pages.items()} == dict.fromkeys(pages, True)
    product = text_of(client.get("/products/rabbit"))
    assert "每斤最多付¥5.80" in product
    assert "数量（斤）" in product
    assert "3斤" in text_of(client.get("/orders"))
    assert "斤 × 3" not in text_of(client.get("/orders"))
