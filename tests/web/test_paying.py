"""From signing in on the way to paying to the paid order: pages without script, and what they say when something is in the way."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from shop.accounts import operations as accounts
from shop.accounts import rules
from shop.cart import queries as carts
from shop.cart.rules import MOST_LINES, CartOwner
from shop.kernel import clock
from shop.kernel.db import perform, reading, transaction
from shop.kernel.money import Money
from shop.models.accounts import CodePurpose, SignInCode, User, UserSession
from shop.models.catalog import Variant
from shop.models.orders import PaymentMethod, Purchase, PurchaseState
from shop.models.stock import StockItem
from shop.models.wallet import Wallet, WalletClass, WalletState
from shop.platform import outbox
from shop.wallet import queries as wallets
from tests.support.asking import question, say_yes
from tests.support.factories import Factories
from tests.support.gateways import RecordingSms
from tests.support.money import PIN, balance, fund, move
from tests.support.people import sign_in
from tests.support.shopping import Shopping, purchases

pytestmark = pytest.mark.both_engines

PHONE = "13812345678"
FETCHED = {"HX-Request": "true"}


@pytest.fixture
def shop(make: Factories) -> Shopping:
    shop = Shopping(make)
    for code, merchant, price in (("oranges", 0, 1_950), ("rice", 1, 3_000), ("tea", 0, 6_810)):
        shop.goods(code, merchant, price=price)
    return shop


def text_of(answer: Any) -> str:
    """What a person reads."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def hidden(answer: Any, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', answer.text)
    assert found, f"no {name} on the page"
    return found[1]


def press(client: FlaskClient, page: Any, **changes: Any) -> Any:
    """Send the form of a checkout, to where it goes."""
    where = re.search(r'action="(/checkout[^"]*)"[^>]*id="order-form"', page.text)
    assert where
    facts = {"quote": hidden(page, "quote"), "seen_total": hidden(page, "seen_total"), "method": "wallet", "pin": PIN, **changes}
    return client.post(unescape(where[1]), data=facts)


def change(model: type, row_id: int, **values: object) -> None:
    with transaction() as session:
        session.execute(sa.update(model).where(model.id == row_id).values(**values))


def lying(user: User) -> dict[str, tuple[int, bool]]:
    reading().rollback()
    return {item.code: (item.quantity, item.is_chosen) for item in carts.items(reading(), CartOwner(user_id=user.id), None)}


def by_hand(client: FlaskClient, sms: RecordingSms, address: str, phone: str = PHONE) -> Any:
    """Be sent to sign in by an address, and do so; the answer that leads on."""
    asked = client.get(address)
    assert asked.location.startswith("/sign-in?next=")
    onward = unescape(re.search(r'name="next" value="([^"]*)"', client.get(asked.location).text)[1])  # type: ignore[index]
    client.post("/sign-in", data={"phone": phone, "next": onward})
    outbox.run_due()
    code = re.search(r"\d{6}", sms.texts_to(phone)[-1])
    assert code
    return client.post("/sign-in/code", data={"code": code[0]})


@pytest.fixture
def known(make: Factories, shop: Shopping) -> User:
    """Somebody whose cart holds things from before."""
    user = shop.buyer(100_000, phone=PHONE)
    shop.fill(user, {"rice": 1, "tea": 1})
    return user


# --- Signing in on the way to paying ---


def test_signing_in_on_the_way_to_paying_keeps_the_sum_and_shows_what_was_there(
    client: FlaskClient, shop: Shopping, known: User, sms: RecordingSms
) -> None:
    client.set_cookie("point", shop.point.slug)
    client.post("/cart", data={"variant": "oranges"})
    assert "¥19.50" in text_of(client.get("/cart"))
    assert by_hand(client, sms, "/checkout").location == "/checkout"
    page = client.get("/checkout")
    assert hidden(page, "seen_total") == "1950"
    told = text_of(page)
    assert "In your cart from before" in told
    assert "Rice" in told
    assert client.get_cookie("cart") is None
    ticked = client.post("/cart/choose", data={"shown": ["rice", "tea"], "chosen": ["rice"], "next": "/checkout"})
    assert ticked.location == "/checkout"
    again = client.get("/checkout")
    assert hidden(again, "seen_total") == "4950"
    assert press(client, again).status_code == 303
    assert lying(known) == {"tea": (1, False)}


def test_signing_in_for_anything_else_says_that_both_carts_are_one_now(
    client: FlaskClient, shop: Shopping, known: User, sms: RecordingSms
) -> None:
    client.set_cookie("point", shop.point.slug)
    client.post("/cart", data={"variant": "oranges"})
    by_hand(client, sms, "/orders")
    page = text_of(client.get("/cart"))
    assert "What you chose here joined 2 kinds that were in your cart before." in page
    assert "¥ 117 .60" in page
    assert all(chosen for _quantity, chosen in lying(known).values())


def test_what_finds_no_room_is_said_and_can_be_brought_over_later(
    client: FlaskClient, shop: Shopping, known: User, sms: RecordingSms
) -> None:
    for number in range(MOST_LINES - 1):
        shop.goods(f"goods-{number}")
        client.post("/cart", data={"variant": f"goods-{number}"})
    by_hand(client, sms, "/orders")
    page = text_of(client.get("/cart"))
    assert "A cart holds 100 kinds. 1 kind from this device found no room" in page
    assert "1 kind from this device found no room yet" in page
    assert client.post("/cart/lines", data={"variant": "rice", "quantity": 0, "seen": 1, "mine": 1}).location == "/cart"
    assert client.post("/cart/join").location == "/cart"
    assert len(lying(known)) == MOST_LINES
    assert "found no room" not in text_of(client.get("/cart")).replace("found no room; it waits here until there is some", "")


def test_unticking_a_line_leaves_it_and_its_price_out(client: FlaskClient, shop: Shopping, known: User) -> None:
    sign_in(client, known)
    page = client.get("/cart")
    assert page.text.count('role="checkbox"') == 2
    client.post("/cart/choose", data={"shown": "rice"})
    told = text_of(client.get("/cart"))
    assert "Total to pay ¥ 68 .10" in told
    client.post("/cart/choose", data={"shown": "tea"})
    page = client.get("/cart")
    assert "Tick what you want to order" in text_of(page)
    assert client.get("/checkout").location == "/cart"
    assert "Nothing in the cart is ticked" in text_of(client.get("/cart"))


# --- Buying straight away ---


def test_buy_now_leads_to_paying_just_that_also_through_signing_in(
    client: FlaskClient, shop: Shopping, known: User, sms: RecordingSms
) -> None:
    onward = client.post("/cart", data={"variant": "oranges", "quantity": 2, "go": "now"})
    assert onward.location == "/checkout?buy=oranges&quantity=2"
    assert client.get_cookie("cart") is None, "nothing went into a cart"
    assert by_hand(client, sms, onward.location).location == onward.location
    page = client.get(onward.location)
    assert hidden(page, "seen_total") == "3900"
    assert "What lies in your cart stays there." in text_of(page)
    assert press(client, page).status_code == 303
    assert lying(known) == {"rice": (1, True), "tea": (1, True)}


def test_back_from_the_card_page_leads_to_the_order_and_not_to_a_second_one(client: FlaskClient, shop: Shopping, known: User) -> None:
    sign_in(client, known)
    page = client.get("/checkout?buy=oranges&quantity=2")
    assert press(client, page, method="stripe", pin="").status_code == 303
    number = reading().scalars(sa.select(Purchase.number)).one()
    assert client.get("/checkout?buy=oranges&quantity=2").location == f"/orders/{number}"
    assert client.get("/checkout?buy=oranges&quantity=1").status_code == 200, "another quantity is another wish"


@pytest.mark.parametrize(
    ("address", "status", "said"),
    [
        ("/checkout?buy=oranges&quantity=9", 409, "You wanted 9; left: 3"),
        ("/checkout?buy=never-was", 303, ""),
        ("/checkout?buy=oranges&quantity=0", 409, "This cannot be bought by itself"),
        ("/checkout?buy=rice", 409, "¥20.00 more and"),
    ],
)
def test_what_cannot_be_bought_by_itself_says_why_and_leads_on(
    client: FlaskClient, make: Factories, address: str, status: int, said: str
) -> None:
    shop = Shopping(make, minimum_order=Money(5_000))
    oranges = shop.goods("oranges", price=9_000)
    shop.goods("rice", 1, price=3_000)
    with transaction() as session:
        session.execute(sa.update(StockItem).where(StockItem.variant_id == oranges.id).values(on_hand=3))
    sign_in(client, shop.buyer())
    answer = client.get(address)
    assert answer.status_code == status
    assert said in text_of(answer)
    assert purchases() == 0


def test_what_is_left_of_it_is_bought_in_one_press(client: FlaskClient, shop: Shopping, known: User) -> None:
    oranges = reading().scalars(sa.select(Variant).where(Variant.code == "oranges")).one()
    with transaction() as session:
        session.execute(sa.update(StockItem).where(StockItem.variant_id == oranges.id).values(on_hand=3))
    sign_in(client, known)
    page = client.get("/checkout?buy=oranges&quantity=9")
    assert 'href="/checkout?buy=oranges&amp;quantity=3"' in page.text
    assert "Your cart is as it was." in text_of(page)


# --- What changed, from what to what ---


def test_a_dearer_price_is_told_beside_the_old_one_and_takes_the_focus(client: FlaskClient, shop: Shopping, known: User) -> None:
    sign_in(client, known)
    page = client.get("/checkout")
    rice = reading().scalars(sa.select(Variant).where(Variant.code == "rice")).one()
    change(Variant, rice.id, price=Money(3_300))
    answer = press(client, page, method="stripe", pin="")
    told = text_of(answer)
    assert answer.status_code == 409
    assert "costs ¥33.00 now; it was ¥30.00" in told
    assert "¥98.10 now ¥101.10" in told
    assert "Nothing was charged. What you chose is kept." in told
    assert re.search(r'id="changes" tabindex="-1" autofocus', answer.text)
    assert answer.text.count(" autofocus") == 1
    assert re.search(r'value="stripe"[^>]* checked', answer.text)
    assert purchases() == 0


def test_a_lower_price_goes_through_and_is_told(client: FlaskClient, shop: Shopping, known: User) -> None:
    sign_in(client, known)
    page = client.get("/checkout")
    rice = reading().scalars(sa.select(Variant).where(Variant.code == "rice")).one()
    change(Variant, rice.id, price=Money(2_800))
    answer = press(client, page)
    assert answer.status_code == 303
    assert "It became cheaper while you looked: ¥96.10 instead of ¥98.10." in text_of(client.get(answer.location))
    assert balance(f"wallet:{known.id}") == 100_000 - 9_610


def test_goods_that_sold_out_meanwhile_are_named_and_the_way_to_pay_is_kept(client: FlaskClient, shop: Shopping, known: User) -> None:
    sign_in(client, known)
    page = client.get("/checkout")
    with transaction() as session:
        rice = sa.select(Variant.id).where(Variant.code == "rice").scalar_subquery()
        session.execute(sa.update(StockItem).where(StockItem.variant_id == rice).values(on_hand=0))
    short = press(client, page, method="stripe", pin="")
    assert short.status_code == 409
    assert "You had looked at ¥98.10." in text_of(short)
    kept = re.search(r'action="/cart/repair".*?name="next" value="([^"]*)"', short.text, re.DOTALL)
    assert kept
    onward = client.post("/cart/repair", data={"next": unescape(kept[1])}).location
    again = client.get(onward)
    assert "is not part of it any more" in text_of(again)
    assert re.search(r'value="stripe"[^>]* checked', again.text)


def test_a_page_that_lay_open_says_that_nothing_changed(client: FlaskClient, shop: Shopping, known: User) -> None:
    sign_in(client, known)
    page = client.get("/checkout")
    clock.move(timedelta(minutes=11))
    told = text_of(press(client, page))
    assert "¥98.10, as before" in told


# --- Limits and refusals ---


@pytest.fixture
def limited(make: Factories, shop: Shopping) -> User:
    """A class I wallet that has paid 900 of its 1,000 yuan."""
    user = make.user(point=shop.point)
    fund(user, 95_000, wallet_class=WalletClass.I)
    move("spent", f"wallet:{user.id}", "escrow", 90_000)
    sign_in_days_ago()
    return user


def sign_in_days_ago() -> None:
    """Let the day's own limit be another day's."""
    clock.move(clock.shift() + timedelta(days=1))


def test_a_limit_is_named_before_money_is_topped_up_for_it(client: FlaskClient, limited: User, make: Factories) -> None:
    shop = Shopping(make)
    shop.goods("ham", price=12_000)
    shop.fill(limited, {"ham": 1})
    with transaction() as session:
        session.execute(sa.update(User).where(User.id == limited.id).values(pickup_point_id=shop.point.id))
    sign_in(client, limited)
    page = client.get("/checkout")
    told = text_of(page)
    assert "A class I wallet may pay ¥1,000.00 in all; ¥100.00 are left" in told
    assert "Your wallet may pay ¥100.00 more in all" in told
    assert "Pay by card, Alipay or WeChat Pay" in told
    assert "Have the wallet raised to a higher class" in told
    assert "/wallet/top-up" not in page.text
    means = wallets.means(reading(), limited.id, Money(12_000))
    assert means is not None
    assert (means.can_pay, means.can_top_up) == (False, False)
    assert re.search(r'value="wallet"[^>]* disabled', page.text)
    assert re.search(r'value="stripe"[^>]* checked', page.text)


def test_a_top_up_that_could_not_be_spent_is_refused_with_the_ways_on(client: FlaskClient, limited: User) -> None:
    sign_in(client, limited)
    page = text_of(client.get("/wallet/top-up"))
    assert "¥100.00 are left. So at most ¥50.00 can be added." in page
    answer = client.post("/wallet/top-up", data={"amount": "50.01"})
    assert answer.status_code == 422
    assert "More than ¥50.00 on top could not be spent. Nothing was charged." in text_of(answer)
    assert 'value="50.01"' in answer.text
    assert "From ¥4.00 to ¥50.00." in page, "one limit on the page, the nearer one"
    beyond_both = text_of(client.post("/wallet/top-up", data={"amount": "5000.01"}))
    assert "More than ¥50.00 on top could not be spent." in beyond_both
    assert "¥5,000.00" not in beyond_both
    assert client.post("/wallet/top-up", data={"amount": "50"}).status_code == 303
    for_what_is_too_much = client.get("/wallet/top-up?missing=20000&next=/checkout")
    assert "Topping it up does not help" in text_of(for_what_is_too_much)
    assert 'name="amount"' not in for_what_is_too_much.text


@pytest.mark.parametrize("typed", ["1000000", "10000000", "99999999999999", "1,000,000.00"])
def test_a_top_up_above_all_limits_is_answered_with_the_limit(client: FlaskClient, known: User, typed: str) -> None:
    sign_in(client, known)
    answer = client.post("/wallet/top-up", data={"amount": typed})
    assert answer.status_code == 422
    assert "Please choose an amount from ¥4.00 to ¥5,000.00." in text_of(answer)


def test_a_locked_wallet_is_said_on_its_page_and_where_it_would_pay(client: FlaskClient, known: User) -> None:
    sign_in(client, known)
    page = client.get("/checkout")
    for _try in range(5):
        locked = press(client, page, pin="000001")
    assert "The wallet is locked until" in text_of(locked)
    assert "This wallet is locked" in text_of(client.get("/wallet"))
    again = client.get("/checkout")
    assert "after wrong PINs" in text_of(again)
    assert re.search(r'value="stripe"[^>]* checked', again.text)
    assert press(client, again, method="stripe", pin="").status_code == 303


def test_a_frozen_wallet_leaves_the_card(client: FlaskClient, known: User) -> None:
    with transaction() as session:
        session.execute(sa.update(Wallet).values(state=WalletState.FROZEN))
    sign_in(client, known)
    page = client.get("/checkout")
    assert "This wallet is frozen" in text_of(page)
    assert re.search(r'value="stripe"[^>]* checked', page.text)


@pytest.fixture
def spender(shop: Shopping, client: FlaskClient) -> User:
    """Somebody who wants to pay more than the PIN alone allows a day."""
    shop.goods("ham", price=120_000)
    user = shop.buyer(300_000)
    sign_in(client, user)
    return user


def newest_code(user: User) -> str:
    reading().rollback()
    row = reading().scalars(sa.select(SignInCode).order_by(SignInCode.id.desc())).first()
    assert row is not None
    assert row.purpose is CodePurpose.STEP_UP
    return rules.code_digits(row.id, row.nonce)


def test_a_code_is_asked_for_before_the_pin_and_both_are_typed_once(client: FlaskClient, spender: User) -> None:
    page = client.get("/checkout?buy=ham")
    assert page.text.index('name="code"') < page.text.index('name="pin"')
    sent = press(client, page, send="code", pin="", method="wallet")
    assert sent.status_code == 200
    assert "We have sent it to" in text_of(sent)
    assert "You can ask for another in 60 seconds." in text_of(sent)
    assert purchases() == 0
    paid = press(client, sent, code=newest_code(spender))
    assert paid.status_code == 303
    assert purchases() == 1


def test_another_code_too_soon_says_when_and_the_first_still_counts(client: FlaskClient, spender: User) -> None:
    page = client.get("/checkout?buy=ham")
    first = press(client, page, send="code")
    code = newest_code(spender)
    clock.move(clock.shift() + timedelta(seconds=20))
    again = press(client, first, send="code")
    assert again.status_code == 200
    assert "You can ask for another in 40 seconds." in text_of(again)
    assert press(client, again, code=code).status_code == 303


def test_a_code_that_is_used_up_is_said(client: FlaskClient, spender: User) -> None:
    page = client.get("/checkout?buy=ham")
    press(client, page, send="code")
    code = newest_code(spender)
    assert press(client, page, code=code).status_code == 303
    second = client.get("/checkout?buy=rice")
    answer = press(client, second, code=code)
    assert answer.status_code == 422
    assert "That code has been used, or tried too often" in text_of(answer)
    assert "Send another code" in text_of(answer)


def test_a_strangers_used_code_is_only_wrong(make: Factories) -> None:
    user = make.user()
    mine, other = rules.person(user.id), rules.asker("198.51.100.7", "other")
    row = perform(accounts.request_code, user.phone, CodePurpose.SIGN_IN, asker=mine)
    code = rules.code_digits(row.id, row.nonce)
    assert perform(accounts.check_code, user.phone, code, CodePurpose.SIGN_IN, mine) is None
    told = [perform(accounts.check_code, user.phone, code, CodePurpose.SIGN_IN, asker) for asker in (mine, other)]
    assert [error.code for error in told if error] == ["code_used_up", "wrong_code"]


# --- Cancelling asks; an unpaid order is paid another way ---


def test_a_paid_order_is_not_cancelled_by_one_press(client: FlaskClient, shop: Shopping, known: User) -> None:
    number = shop.buy(known, {"rice": 1}).number
    sign_in(client, known)
    asked = client.post(f"/orders/{number}/cancel")
    assert question(asked) == f"Cancel order {number}? ¥98.10 goes back into your wallet."
    reading().rollback()
    assert reading().scalars(sa.select(Purchase.state)).one() is PurchaseState.PAID
    part = client.post(f"/orders/{number}-1/cancel")
    assert "goes back into your wallet." in question(part)
    assert client.post(f"/orders/{number}/cancel", data={"sure": hidden(part, "sure")}).status_code == 200, "a yes to another question"
    assert say_yes(client, f"/orders/{number}/cancel").location == f"/orders/{number}"
    assert balance(f"wallet:{known.id}") == 100_000


def test_an_unpaid_order_is_paid_from_the_wallet_after_all(client: FlaskClient, shop: Shopping, known: User) -> None:
    number = shop.buy(known, {"rice": 1}, PaymentMethod.STRIPE).number
    sign_in(client, known)
    assert f'href="/orders/{number}/payment"' in client.get(f"/orders/{number}").text
    address = f"/orders/{number}/payment"
    wrong = client.post(address, data={"method": "wallet", "pin": "000001"})
    assert wrong.status_code == 402
    assert "Tries left: 4" in text_of(wrong)
    assert re.search(r'value="wallet"[^>]* checked', wrong.text)
    assert client.post(address, data={"method": "shells"}).status_code == 422
    paid = client.post(address, data={"method": "wallet", "pin": PIN})
    assert paid.location == f"/orders/{number}"
    assert "Paid from your wallet." in text_of(client.get(paid.location))
    assert client.post(address, data={"method": "wallet", "pin": PIN}).location == f"/orders/{number}", "pressed again, nothing happens"
    assert balance(f"wallet:{known.id}") == 100_000 - 9_810


def test_an_unpaid_order_goes_on_by_card_or_back_into_the_cart(client: FlaskClient, shop: Shopping, known: User) -> None:
    number = shop.buy(known, {"rice": 1}, PaymentMethod.STRIPE).number
    sign_in(client, known)
    assert client.post(f"/orders/{number}/payment", data={"method": "stripe"}).location.startswith("/payments/")
    assert 'data-yes="Put it back into the cart" data-no="Keep the order"' in client.get(f"/orders/{number}/payment").text
    asked = client.post(f"/orders/{number}/pay-otherwise")
    assert "no longer held for you" in question(asked)
    assert say_yes(client, f"/orders/{number}/pay-otherwise").location == "/checkout"
    assert lying(known) == {"rice": (1, True), "tea": (1, True)}


# --- A page that is no longer true ---


def ended_elsewhere(user: User) -> None:
    with transaction() as session:
        session.execute(sa.update(UserSession).where(UserSession.user_id == user.id).values(revoked_at=clock.now()))


def test_a_session_that_ended_elsewhere_keeps_what_was_pressed(
    client: FlaskClient, shop: Shopping, known: User, sms: RecordingSms
) -> None:
    sign_in(client, known)
    page = client.get("/cart")
    assert hidden(page, "mine") == "1"
    ended_elsewhere(known)
    pressed = client.post("/cart/lines", data={"variant": "rice", "quantity": 2, "seen": 1, "mine": 1}, headers=FETCHED)
    assert pressed.headers["HX-Redirect"] == "/sign-in?next=/cart"
    assert "You have been signed out here." in text_of(client.get("/sign-in?next=/cart"))
    assert by_hand(client, sms, "/orders").status_code == 303
    assert lying(known)["rice"] == (2, True)


def test_a_plus_on_a_card_says_that_the_session_has_ended_once(client: FlaskClient, shop: Shopping, known: User) -> None:
    sign_in(client, known)
    ended_elsewhere(known)
    assert "What lies in your own cart is safe" in text_of(client.get("/cart"))
    told = client.post("/cart", data={"variant": "oranges"}, headers=FETCHED)
    assert "You have been signed out here. It is kept on this device" in text_of(told)
    assert 'href="/sign-in?next=/cart"' in told.text
    assert "It is in your cart." in text_of(client.post("/cart", data={"variant": "oranges"}, headers=FETCHED))


def test_a_stepper_of_an_old_page_shows_what_is_there_now(client: FlaskClient, shop: Shopping, known: User) -> None:
    sign_in(client, known)
    shop.fill(known, {"rice": 17})
    client.post("/cart/lines", data={"variant": "rice", "quantity": 20, "seen": 19, "mine": 1})
    page = text_of(client.get("/cart"))
    assert "17 lie in the cart now. Nothing was changed just now." in page
    assert lying(known)["rice"] == (17, True)


@pytest.mark.parametrize(
    ("typed", "left", "said"),
    [
        ("7", 7, ""), ("７", 7, ""), ("0", None, "is out of your cart"), ("1000", 1, "0 to 999"), ("many", 1, "whole number"),
        ("", 1, "0 to 999"),
    ],
)  # fmt: skip
def test_a_quantity_can_be_typed(client: FlaskClient, shop: Shopping, known: User, typed: str, left: int | None, said: str) -> None:
    sign_in(client, known)
    client.post("/cart/lines", data={"variant": "rice", "typed": typed, "seen": 1, "mine": 1})
    assert said in text_of(client.get("/cart"))
    assert lying(known).get("rice", (None,))[0] == left


def test_a_button_wins_over_what_stands_in_the_field(client: FlaskClient, shop: Shopping, known: User) -> None:
    sign_in(client, known)
    client.post("/cart/lines", data={"variant": "rice", "typed": "1", "quantity": 2, "seen": 1, "mine": 1})
    assert lying(known)["rice"] == (2, True)


def test_a_cart_without_a_point_says_what_the_goods_cost_and_what_is_missing(client: FlaskClient, shop: Shopping) -> None:
    client.post("/cart", data={"variant": "oranges", "quantity": 2})
    told = text_of(client.get("/cart"))
    assert "¥ 39 .00" in told
    assert "¥ 0 .00" not in told
    assert 'href="/communities?next=/cart"' in client.get("/cart").text
    assert "Goods, without pick-up fees" in told


def test_the_button_says_how_much_is_missing_for_a_shop(client: FlaskClient, make: Factories) -> None:
    shop = Shopping(make, minimum_order=Money(5_000))
    shop.goods("oranges", price=3_000)
    user = shop.buyer()
    shop.fill(user, {"oranges": 1})
    sign_in(client, user)
    assert re.search(r"<button[^>]* disabled[^>]*>\s*<span>¥20.00 more from ", client.get("/cart").text)


def test_making_the_cart_fit_names_what_it_leaves_out_and_lets_unticked_goods_be(
    client: FlaskClient, shop: Shopping, known: User
) -> None:
    with transaction() as session:
        session.execute(sa.update(StockItem).values(on_hand=0))
    sign_in(client, known)
    client.post("/cart/choose", data={"shown": "tea"})
    client.post("/cart/repair")
    assert "Left out: Rice" in text_of(client.get("/cart"))
    assert lying(known) == {"tea": (1, False)}
