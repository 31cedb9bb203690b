"""Cart, checkout and orders as pages, without script."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from shop.cart import queries as carts
from shop.cart.rules import CartOwner
from shop.kernel import clock
from shop.kernel.db import perform, reading, transaction
from shop.kernel.money import Money
from shop.models.accounts import User
from shop.models.cart import Cart, CartLine
from shop.models.catalog import Variant
from shop.models.orders import OrderLine, PaymentMethod, Purchase
from shop.models.stock import StockItem
from shop.orders import operations as orders
from shop.platform import outbox
from shop.platform.actor import Grant
from tests.support.asking import say_yes
from tests.support.factories import Factories, actor_of
from tests.support.gateways import RecordingSms
from tests.support.money import PIN, balance, fund
from tests.support.people import sign_in
from tests.support.queries import counted
from tests.support.shopping import Shopping, purchases, stock_of


@pytest.fixture
def shop(make: Factories) -> Shopping:
    return Shopping(make)


def text_of(answer: Any) -> str:
    """What a person reads."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def hidden(answer: Any, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', answer.text)
    assert found, f"no {name} on the page"
    return found[1]


def order(client: FlaskClient, page: Any, **changes: Any) -> Any:
    facts = {"quote": hidden(page, "quote"), "seen_total": hidden(page, "seen_total"), "method": "wallet", "pin": PIN, **changes}
    return client.post("/checkout", data=facts)


@pytest.mark.parametrize(("typed", "count"), [("３", 3), ("1_0", 0), ("1,5", 0), ("1.5", 0), ("2\u200b", 2)])
def test_a_quantity_is_what_was_typed_or_nothing(client: FlaskClient, shop: Shopping, typed: str, count: int) -> None:
    shop.goods("oranges", on_hand=50)
    client.set_cookie("point", shop.point.slug)
    client.post("/cart", data={"variant": "oranges", "quantity": typed})
    reading().rollback()
    assert sum(reading().scalars(sa.select(CartLine.quantity))) == count


def test_from_a_signed_out_cart_to_a_paid_order(client: FlaskClient, shop: Shopping) -> None:
    shop.goods("oranges", price=2_490)
    shop.goods("rabbit", 1, price=1_160, by_weight=True)
    client.set_cookie("point", shop.point.slug)
    for code in ("oranges", "rabbit"):
        assert client.post("/cart", data={"variant": code, "quantity": 1}).status_code == 303
    assert "¥36.50" in text_of(client.get("/cart")).replace("¥ 36 .50", "¥36.50")
    assert client.get("/checkout").location.startswith("/sign-in")

    user = shop.buyer(100_000)
    sign_in(client, user)
    for code in ("oranges", "rabbit"):
        client.post("/cart", data={"variant": code, "quantity": 1})
    page = client.get("/checkout")
    assert page.status_code == 200
    seen = text_of(page)
    for merchant in shop.merchants:
        assert merchant.name_en in seen
    assert "You pay at most ¥11.60" in seen
    assert "No 7-day return" in seen
    placed = order(client, page)
    assert placed.status_code == 303
    number = reading().scalars(sa.select(Purchase.number)).one()
    assert placed.location == f"/orders/{number}"
    shown = text_of(client.get(placed.location))
    assert number in shown
    assert "Paid" in shown
    assert balance(f"wallet:{user.id}") == 100_000 - 3_650
    assert number in text_of(client.get("/orders"))


def test_a_press_that_stays_on_its_page_is_answered_with_a_message_and_the_new_number(client: FlaskClient, shop: Shopping) -> None:
    shop.goods("oranges")
    first = client.post("/cart", data={"variant": "oranges"}, headers={"HX-Request": "true"})
    assert first.status_code == 200
    assert "It is in your cart." in first.text
    assert re.search(r'id="cart-count" hx-swap-oob="true" class="badge-count">1<', first.text)
    assert "<html" not in first.text
    refused = client.post("/cart", data={"variant": "nothing"}, headers={"HX-Request": "true"})
    assert "notice-danger" in refused.text
    assert "It is in your cart." not in refused.text
    zero = client.post("/cart", data={"variant": "oranges", "quantity": "0"}, headers={"HX-Request": "true"})
    assert "Please enter a quantity of at least 1." in zero.text
    assert "It is in your cart." not in client.get("/").text, "it is told once"


def test_a_signed_out_cart_is_known_by_a_secret_cookie_only(client: FlaskClient, shop: Shopping) -> None:
    shop.goods("oranges")
    answer = client.post("/cart", data={"variant": "oranges", "quantity": 2})
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    secret = re.match(r"cart=([^;]+)", cookie)[1]  # type: ignore[index]
    assert secret not in reading().scalars(sa.select(Cart.token_hash)).one()  # type: ignore[operator]
    assert "Oranges" in text_of(client.get("/cart"))
    client.delete_cookie("cart")
    assert "Your cart is empty" in text_of(client.get("/cart"))


def test_pressing_a_stepper_twice_counts_once_and_put_adds(client: FlaskClient, shop: Shopping) -> None:
    shop.goods("oranges")
    user = shop.buyer()
    sign_in(client, user)
    for _press in range(2):
        client.post("/cart/lines", data={"variant": "oranges", "quantity": 3})
    assert carts.count(reading(), CartOwner(user_id=user.id)) == 3
    client.post("/cart", data={"variant": "oranges", "quantity": 2})
    assert carts.count(reading(), CartOwner(user_id=user.id)) == 5
    client.post("/cart/lines", data={"variant": "oranges", "quantity": 0})
    assert carts.count(reading(), CartOwner(user_id=user.id)) == 0


@pytest.mark.parametrize("quantity", ["-1", "1e3", "", "NaN", "99999999999999999999"])
def test_quantities_that_make_no_sense_change_nothing(client: FlaskClient, shop: Shopping, quantity: str) -> None:
    shop.goods("oranges")
    user = shop.buyer()
    sign_in(client, user)
    assert client.post("/cart/lines", data={"variant": "oranges", "quantity": quantity}).status_code == 303
    assert carts.count(reading(), CartOwner(user_id=user.id)) == 0


def test_after_putting_something_in_one_is_where_one_was(client: FlaskClient, shop: Shopping) -> None:
    shop.goods("oranges")
    stay = client.post("/cart", data={"variant": "oranges"}, headers={"Referer": "http://localhost/categories/fruit?sort=price"})
    assert stay.location == "/categories/fruit?sort=price"
    away = client.post("/cart", data={"variant": "oranges"}, headers={"Referer": "http://evil.example/x"})
    assert away.location == "/cart"
    assert client.post("/cart", data={"variant": "oranges", "go": "cart"}).location == "/cart"


def test_a_wrong_pin_stands_beside_its_field_and_only_the_pin_is_lost(client: FlaskClient, shop: Shopping) -> None:
    shop.goods("oranges")
    user = shop.buyer(100_000)
    sign_in(client, user)
    client.post("/cart", data={"variant": "oranges"})
    page = client.get("/checkout")
    refused = order(client, page, pin="135790")
    assert refused.status_code == 402
    assert "That is not the PIN of this wallet" in text_of(refused)
    assert 'id="field-pin-error"' in refused.text
    assert "135790" not in refused.text
    assert hidden(refused, "quote") == hidden(page, "quote")
    assert purchases() == 0


def test_missing_money_is_shown_with_the_gap(client: FlaskClient, shop: Shopping) -> None:
    shop.goods("oranges", price=1_000)
    user = shop.buyer(680)
    sign_in(client, user)
    client.post("/cart", data={"variant": "oranges"})
    page = client.get("/checkout")
    assert "¥3.20 are missing" in text_of(page)
    refused = order(client, page)
    assert refused.status_code == 402
    assert "There is not enough money in the wallet" in text_of(refused)
    assert purchases() == 0


def test_a_changed_price_comes_back_with_the_new_total_and_nothing_charged(client: FlaskClient, shop: Shopping) -> None:
    oranges = shop.goods("oranges", price=1_000)
    user = shop.buyer()
    sign_in(client, user)
    client.post("/cart", data={"variant": "oranges"})
    page = client.get("/checkout")
    with transaction() as session:
        session.execute(sa.update(Variant).where(Variant.id == oranges.id).values(price=Money(1_200)))
    refused = order(client, page)
    assert refused.status_code == 409
    assert "A price has changed" in text_of(refused)
    assert hidden(refused, "seen_total") == "1200"
    assert balance("escrow") == 0
    assert order(client, refused).status_code == 303


def test_a_shortage_says_what_is_left_and_one_press_repairs_the_cart(client: FlaskClient, shop: Shopping) -> None:
    oranges = shop.goods("oranges", on_hand=3)
    shop.goods("rice", 1)
    user, rival = shop.buyer(), shop.buyer()
    sign_in(client, user)
    client.post("/cart", data={"variant": "oranges", "quantity": 2})
    client.post("/cart", data={"variant": "rice", "quantity": 1})
    page = client.get("/checkout")
    shop.buy(rival, {"oranges": 2})
    refused = order(client, page)
    assert refused.status_code == 409
    assert "You wanted 2; left: 1" in text_of(refused)
    repaired = client.post("/cart/repair", data={"next": "/checkout"})
    assert repaired.location == "/checkout"
    again = client.get("/checkout")
    assert again.status_code == 200
    assert order(client, again).status_code == 303
    assert stock_of(oranges) == (0, 0)


def test_the_cart_says_what_has_changed(client: FlaskClient, shop: Shopping) -> None:
    oranges, rice = shop.goods("oranges", price=1_000), shop.goods("rice", 1, on_hand=2)
    user = shop.buyer()
    shop.fill(user, {"oranges": 1, "rice": 2})
    with transaction() as session:
        session.execute(sa.update(Variant).where(Variant.id == oranges.id).values(price=Money(1_250)))
    shop.buy(shop.buyer(), {"rice": 2})
    sign_in(client, user)
    seen = text_of(client.get("/cart"))
    assert "¥2.50 dearer" in seen
    assert "Sold out" in seen
    assert rice is not None


def test_somebody_without_a_point_chooses_one_first(client: FlaskClient, shop: Shopping, make: Factories) -> None:
    shop.goods("oranges")
    user = make.user()
    fund(user, 1_000)
    sign_in(client, user)
    client.post("/cart", data={"variant": "oranges"})
    assert client.get("/checkout").location == "/communities?next=/checkout"


def test_orders_of_others_do_not_exist(client: FlaskClient, shop: Shopping) -> None:
    shop.goods("oranges")
    number = shop.buy(shop.buyer(), {"oranges": 1}).number
    sign_in(client, shop.buyer())
    assert client.get(f"/orders/{number}").status_code == 404
    assert client.get(f"/orders/{number}/again").status_code == 404
    for verb in ("cancel", "pay", "buy-again"):
        assert client.post(f"/orders/{number}/{verb}").status_code == 404


def test_an_order_can_be_cancelled_and_bought_again(client: FlaskClient, shop: Shopping) -> None:
    oranges = shop.goods("oranges", price=1_000)
    user = shop.buyer(100_000)
    number = shop.buy(user, {"oranges": 2}).number
    sign_in(client, user)
    assert say_yes(client, f"/orders/{number}/cancel").location == f"/orders/{number}"
    page = text_of(client.get(f"/orders/{number}"))
    assert "Cancelled" in page
    assert page.count("¥20.00 given back") == 3  # in the note, on top, and where the progress ended
    assert "Together ¥20.00" in page.replace("¥ ", "¥").replace("20 .", "20."), "what was ordered, not nothing"
    assert balance(f"wallet:{user.id}") == 100_000
    assert stock_of(oranges) == (100, 0)
    assert client.post(f"/orders/{number}/buy-again").location == "/cart"
    assert carts.count(reading(), CartOwner(user_id=user.id)) == 2


def test_what_cannot_be_had_again_is_said_plainly_with_its_reason(client: FlaskClient, shop: Shopping) -> None:
    oranges, rice = shop.goods("oranges", price=1_000), shop.goods("rice", 1, price=500)
    shop.goods("tea", price=900)
    user = shop.buyer(100_000)
    number = shop.buy(user, {"oranges": 2, "rice": 1, "tea": 1}).number
    with transaction() as session:
        session.execute(sa.update(StockItem).where(StockItem.variant_id == oranges.id).values(on_hand=0))
        session.execute(sa.update(Variant).where(Variant.id == rice.id).values(price=Money(650)))
    sign_in(client, user)
    before = text_of(client.get(f"/orders/{number}/again"))
    assert "Nothing has been put into your cart yet." in before
    for _click in range(2):
        assert client.post(f"/orders/{number}/buy-again").location == f"/orders/{number}/again"
    page = text_of(client.get(f"/orders/{number}/again"))
    for words in ("Cannot be had today", "Sold out", "Costs ¥6.50 now; it was ¥5.00.", "What can be had today is in your cart."):
        assert words in page
    assert carts.count(reading(), CartOwner(user_id=user.id)) == 2


def test_ordering_again_without_a_point_asks_for_one_first(client: FlaskClient, shop: Shopping) -> None:
    shop.goods("oranges")
    user = shop.buyer(100_000)
    number = shop.buy(user, {"oranges": 1}).number
    with transaction() as session:
        session.execute(sa.update(User).where(User.id == user.id).values(pickup_point_id=None))
    sign_in(client, user)
    assert client.post(f"/orders/{number}/buy-again").location.startswith("/communities?next=")
    assert "Nothing of this order can be had today" in text_of(client.get(f"/orders/{number}/again"))


def test_one_shops_part_can_be_cancelled(client: FlaskClient, shop: Shopping) -> None:
    shop.goods("oranges", price=1_000)
    shop.goods("rice", 1, price=500)
    user = shop.buyer(100_000)
    number = shop.buy(user, {"oranges": 1, "rice": 1}).number
    sign_in(client, user)
    assert say_yes(client, f"/orders/{number}-2/cancel").location == f"/orders/{number}"
    assert balance(f"wallet:{user.id}") == 100_000 - 1_000
    after_cut_off = clock.now() + timedelta(hours=7) - clock.now()
    clock.move(after_cut_off)
    say_yes(client, f"/orders/{number}/cancel")
    assert balance(f"wallet:{user.id}") == 100_000 - 1_000


def test_a_weighed_line_says_what_was_asked_weighed_and_given_back(client: FlaskClient, shop: Shopping, make: Factories) -> None:
    shop.goods("rabbit", price=580, by_weight=True)
    user = shop.buyer(100_000)
    placed = shop.buy(user, {"rabbit": 2})
    seller = actor_of(make.user(), Grant("merchant_clerk", merchant_id=shop.merchants[0].id))
    part = placed.sub_orders[0].id
    perform(orders.accept, seller, part)
    line = reading().scalars(sa.select(OrderLine.id)).one()
    perform(orders.weigh_line, seller, line, 870)
    sign_in(client, user)
    page = text_of(client.get(f"/orders/{placed.number}"))
    assert "Ordered 1 kg, weighed 870 g." in page
    assert "At most ¥11.60, it cost ¥10.09: ¥1.51 less." in page
    assert "back in your wallet" in page
    assert "Paid in the end" in page
    assert placed.number in client.get("/orders?tab=refunded").text


def test_an_order_that_ran_out_says_so_and_not_that_somebody_cancelled_it(client: FlaskClient, shop: Shopping) -> None:
    shop.goods("oranges", price=500)
    user = shop.buyer(100_000)
    placed = shop.buy(user, {"oranges": 1}, PaymentMethod.STRIPE)
    perform(orders.expire, placed.purchase_id)
    sign_in(client, user)
    page = text_of(client.get(f"/orders/{placed.number}"))
    assert "This order was not paid in time" in page
    assert "Nothing was charged." in page
    assert "Cancelled" not in page


def test_tabs_count_what_is_not_over(client: FlaskClient, shop: Shopping) -> None:
    shop.goods("oranges", price=500)
    user = shop.buyer(100_000)
    shop.buy(user, {"oranges": 1})
    shop.buy(user, {"oranges": 1})
    shop.buy(user, {"oranges": 1}, PaymentMethod.STRIPE)
    sign_in(client, user)
    counts = re.findall(r'tab=(\w+)"[^>]*>[^<]*<span class="segment-count">(\d+)', client.get("/orders").text)
    assert dict(counts) == {"to_pay": "1", "preparing": "2"}


def test_tabs_show_what_they_say_in_a_fixed_number_of_queries(client: FlaskClient, shop: Shopping) -> None:
    shop.goods("oranges", price=500)
    user = shop.buyer(100_000)
    paid = shop.buy(user, {"oranges": 1}).number
    waiting = shop.buy(user, {"oranges": 1}, PaymentMethod.STRIPE).number
    sign_in(client, user)
    client.get("/orders")
    with counted() as few:
        client.get("/orders")
    assert (waiting in client.get("/orders?tab=to_pay").text, paid in client.get("/orders?tab=to_pay").text) == (True, False)
    assert (waiting in client.get("/orders?tab=preparing").text, paid in client.get("/orders?tab=preparing").text) == (False, True)
    assert "No orders here yet" in client.get("/orders?tab=ready").text
    assert client.get("/orders?tab=nonsense&cursor=abc").status_code == 200
    for _more in range(5):
        shop.buy(user, {"oranges": 1})
    with counted() as many:
        client.get("/orders")
    assert len(few) == len(many)


@pytest.mark.parametrize("path", ["/cart", "/checkout", "/orders"])
def test_pages_are_complete_in_chinese(client: FlaskClient, shop: Shopping, path: str) -> None:
    shop.goods("oranges", by_weight=True)
    user = shop.buyer()
    shop.buy(user, {"oranges": 1})
    shop.fill(user, {"oranges": 2})
    sign_in(client, user)
    client.set_cookie("locale", "zh")
    page = client.get(path)
    assert page.status_code == 200
    assert not re.findall(r"[A-Za-z]{4,} [a-z]{3,} [a-z]{3,}", text_of(page))


def test_signing_in_brings_the_browsers_cart_along(client: FlaskClient, shop: Shopping, sms: RecordingSms) -> None:
    shop.goods("oranges")
    shop.goods("rice", 1)
    user = shop.buyer(phone="13912345678")
    shop.fill(user, {"rice": 1})
    client.post("/cart", data={"variant": "oranges", "quantity": 2})
    client.post("/sign-in", data={"phone": user.phone})
    outbox.run_due()
    code = re.search(r"\d{6}", sms.texts_to(user.phone)[-1])
    assert code
    assert client.post("/sign-in/code", data={"code": code[0]}).status_code == 303
    lying_there = {item.code: item.quantity for item in carts.items(reading(), CartOwner(user_id=user.id), shop.point.id)}
    assert lying_there == {"rice": 1, "oranges": 2}
    assert client.get_cookie("cart") is None


def test_a_larger_payment_asks_for_a_code_and_sends_it(client: FlaskClient, shop: Shopping, sms: RecordingSms) -> None:
    shop.goods("gold", price=150_000)
    user = shop.buyer(1_000_000, phone="13912345678")
    sign_in(client, user)
    client.post("/cart", data={"variant": "gold"})
    asked = order(client, client.get("/checkout"))
    assert asked.status_code == 402
    assert 'name="code"' in asked.text
    assert purchases() == 0
    outbox.run_due()
    code = re.search(r"\d{6}", sms.texts_to(user.phone)[-1])
    assert code
    assert order(client, asked, code=code[0]).status_code == 303
    assert balance("escrow") == 150_000


def test_without_an_answer_from_the_payment_service_the_order_is_kept(client: FlaskClient, shop: Shopping) -> None:
    oranges = shop.goods("oranges", price=1_000)
    user = shop.buyer(0)
    sign_in(client, user)
    client.post("/cart", data={"variant": "oranges"})
    placed = order(client, client.get("/checkout"), method="stripe", pin="")
    assert placed.status_code == 303
    assert "opening the payment page" in text_of(client.get(placed.location))
    outbox.run_due()
    shown = text_of(client.get(placed.location))
    assert "The payment service does not answer at the moment" in shown
    assert "Your order is kept until" in shown
    assert stock_of(oranges) == (100, 1)
    number = reading().scalars(sa.select(Purchase.number)).one()
    assert "This order is not paid yet" in text_of(client.get(f"/orders/{number}"))
    assert client.post(f"/orders/{number}/pay").location == placed.location
    assert say_yes(client, f"/orders/{number}/cancel").status_code == 303
    assert stock_of(oranges) == (100, 0)


def test_an_unknown_way_of_paying_stands_beside_its_field(client: FlaskClient, shop: Shopping) -> None:
    shop.goods("oranges")
    sign_in(client, shop.buyer())
    client.post("/cart", data={"variant": "oranges"})
    page = client.get("/checkout")
    assert order(client, page, method="shells").status_code == 422
    assert order(client, page, quote="Q000000-NOTHERE1").status_code == 409
    assert order(client, page, seen_total="").status_code == 422
    assert purchases() == 0


def test_a_cut_off_that_passes_on_the_checkout_shows_the_next_day_and_charges_nothing(client: FlaskClient, shop: Shopping) -> None:
    shop.goods("oranges", price=1_000)
    soon = {"cut_off_at": clock.now() + timedelta(minutes=5), "arrives_on": clock.today()}
    shop.make.cycle(shop.merchants[0], shop.point, **soon)
    sign_in(client, shop.buyer())
    client.post("/cart", data={"variant": "oranges"})
    page = client.get("/checkout")
    clock.move(timedelta(minutes=6))
    refused = order(client, page)
    assert refused.status_code == 409
    assert "Ordering for this delivery has closed" in text_of(refused)
    assert re.search(r"can be collected .* now; it was", text_of(refused))
    assert purchases() == 0
    assert order(client, refused).status_code == 303


def test_what_is_gone_leaves_the_cart_in_one_press(client: FlaskClient, shop: Shopping) -> None:
    shop.goods("oranges", on_hand=2)
    user, rival = shop.buyer(), shop.buyer()
    shop.fill(user, {"oranges": 2})
    shop.buy(rival, {"oranges": 2})
    sign_in(client, user)
    page = client.get("/cart")
    assert "Remove" in text_of(page)
    client.post("/cart/lines", data={"variant": hidden(page, "variant"), "quantity": hidden(page, "quantity")})
    assert "Your cart is empty" in text_of(client.get("/cart"))
