"""Buying something straight away, and prices that move between looking and paying."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from shop.cart import queries as carts
from shop.cart.errors import NotOnSale, QuantityNotAllowed
from shop.cart.rules import CartOwner
from shop.checkout import operations as checkout
from shop.checkout import rules
from shop.checkout.errors import BelowMinimum, NotDeliveredHere, PriceChanged
from shop.checkout.operations import Directly
from shop.checkout.queries import QuoteFacts
from shop.checkout.rules import ChangeKind
from shop.kernel.db import perform, reading, transaction
from shop.kernel.money import Money
from shop.models.accounts import User
from shop.models.catalog import Variant
from shop.models.checkout import Quote
from shop.models.merchants import Merchant
from shop.models.orders import OrderLine, PaymentMethod
from shop.stock.errors import StockShortage
from tests.support.books import assert_books_are_right
from tests.support.factories import Factories, actor_of
from tests.support.money import balance
from tests.support.shopping import Shopping, at_once, count, purchases, stock_of


def change(model: type, row_id: int, **values: object) -> None:
    with transaction() as session:
        session.execute(sa.update(model).where(model.id == row_id).values(**values))


def offer(shop: Shopping, user: User, code: str, quantity: int = 1) -> QuoteFacts:
    return perform(checkout.current_quote, actor_of(user), shop.point.id, Directly(code, quantity))


def in_cart(user: User) -> int:
    reading().rollback()
    return carts.count(reading(), CartOwner(user_id=user.id))


@pytest.mark.parametrize("method", [PaymentMethod.WALLET, PaymentMethod.STRIPE])
def test_only_that_is_bought_and_the_cart_stays_as_it_is(make: Factories, method: PaymentMethod) -> None:
    shop = Shopping(make, pickup_fee=Money(100))
    oranges = shop.goods("oranges", price=1_000, on_hand=9)
    shop.goods("rice", price=3_000)
    user = shop.buyer(10_000)
    shop.fill(user, {"oranges": 4, "rice": 1})
    placed = shop.place(user, offer(shop, user, "oranges", 2), method)
    assert placed.total == Money(2_100)
    assert in_cart(user) == 5
    assert stock_of(oranges) == ((7, 0) if method is PaymentMethod.WALLET else (9, 2))
    assert_books_are_right(leave_out=("plumbing.",))


def test_the_rules_of_the_cart_are_the_rules_here(make: Factories) -> None:
    shop = Shopping(make, minimum_order=Money(2_000))
    eggs, few = shop.goods("eggs", price=1_000), shop.goods("few", on_hand=1, price=5_000)
    make.product(make.merchant(), code="elsewhere", price=9_000)
    user = shop.buyer(100_000)
    change(Variant, eggs.id, minimum_quantity=2, multiple=2)
    for code, quantity, refusal in (
        ("eggs", 3, QuantityNotAllowed), ("eggs", 1, QuantityNotAllowed), ("few", 2, StockShortage), ("never-was", 1, NotOnSale),
        ("elsewhere", 1, NotDeliveredHere),
    ):  # fmt: skip
        with pytest.raises(refusal):
            offer(shop, user, code, quantity)
    change(Variant, few.id, price=Money(1_999))
    with pytest.raises(BelowMinimum):
        offer(shop, user, "few")
    assert (count(Quote), purchases()) == (0, 0)


def test_two_tabs_show_one_offer_and_the_carts_offer_is_another(make: Factories) -> None:
    shop = Shopping(make)
    shop.goods("oranges")
    user = shop.buyer(10_000)
    shop.fill(user, {"oranges": 1})
    direct, again = offer(shop, user, "oranges"), offer(shop, user, "oranges")
    whole = perform(checkout.current_quote, actor_of(user), shop.point.id)
    assert direct.ref == again.ref != whole.ref
    assert shop.place(user, direct).number == shop.place(user, again).number
    assert shop.place(user, whole).number != shop.place(user, direct).number
    assert (purchases(), in_cart(user)) == (2, 0)


@pytest.mark.slow
def test_pressed_in_two_tabs_at_once_it_is_one_order(app: Flask, make: Factories) -> None:
    shop = Shopping(make)
    oranges = shop.goods("oranges", price=1_000, on_hand=9)
    user = shop.buyer(10_000)
    quote = offer(shop, user, "oranges")
    outcomes: list[Any] = at_once(app, [lambda: shop.place(user, quote) for _tab in range(4)])
    assert {outcome.number for outcome in outcomes} == {outcomes[0].number}
    assert (purchases(), stock_of(oranges), balance(f"wallet:{user.id}")) == (1, (8, 0), 9_000)


@pytest.mark.parametrize("method", [PaymentMethod.WALLET, PaymentMethod.STRIPE])
def test_what_became_cheaper_is_charged_less(make: Factories, method: PaymentMethod) -> None:
    shop = Shopping(make, pickup_fee=Money(200))
    oranges = shop.goods("oranges", price=1_000)
    user = shop.buyer(10_000)
    shop.fill(user, {"oranges": 2})
    quote = shop.quote(user)
    change(Variant, oranges.id, price=Money(900))
    change(Merchant, shop.merchants[0].id, pickup_fee=Money(150))
    placed = shop.place(user, quote, method)
    assert (quote.total, placed.total) == (Money(2_200), Money(1_950))
    line = reading().scalars(sa.select(OrderLine)).one()
    assert (line.unit_price, line.line_total) == (Money(900), Money(1_800))
    assert balance(f"wallet:{user.id}") == (8_050 if method is PaymentMethod.WALLET else 10_000)
    assert shop.place(user, quote, method).total == Money(1_950), "asked again, it says what was charged"
    assert_books_are_right(leave_out=("plumbing.", "stock.listings"))


@pytest.mark.parametrize(("oranges", "rice", "fee"), [(1_001, 500, 200), (1_001, 100, 200), (900, 500, 201)])
def test_what_became_dearer_asks_again_also_where_the_sum_is_lower(make: Factories, oranges: int, rice: int, fee: int) -> None:
    shop = Shopping(make, merchants=1, pickup_fee=Money(200))
    first, second = shop.goods("oranges", price=1_000), shop.goods("rice", price=500)
    user = shop.buyer(10_000)
    shop.fill(user, {"oranges": 1, "rice": 1})
    quote = shop.quote(user)
    change(Variant, first.id, price=Money(oranges))
    change(Variant, second.id, price=Money(rice))
    change(Merchant, shop.merchants[0].id, pickup_fee=Money(fee))
    with pytest.raises(PriceChanged) as refused:
        shop.place(user, quote)
    assert refused.value.details == {"total_minor": oranges + rice + fee}
    assert (purchases(), in_cart(user), balance(f"wallet:{user.id}")) == (0, 2, 10_000)


def test_every_difference_is_told_from_what_to_what(make: Factories) -> None:
    shop = Shopping(make, pickup_fee=Money(200))
    oranges = shop.goods("oranges", price=1_000)
    shop.goods("rice", price=500)
    shop.goods("tea", 1, price=800)
    user = shop.buyer(10_000)
    shop.fill(user, {"oranges": 1, "rice": 3})
    before = shop.quote(user).terms
    change(Variant, oranges.id, price=Money(1_100))
    change(Merchant, shop.merchants[0].id, pickup_fee=Money(100))
    shop.fill(user, {"rice": 2, "tea": 1})
    after = shop.quote(user).terms
    told = [(each.kind, each.before, each.after, each.is_better) for each in rules.changes(before, after)]
    assert told == [
        (ChangeKind.PRICE, Money(1_000), Money(1_100), False), (ChangeKind.QUANTITY, 3, 2, False), (ChangeKind.NEW, None, None, False),
        (ChangeKind.FEE, Money(200), Money(100), True),
    ]  # fmt: skip
    gone = rules.changes(after, before)
    assert [each.kind for each in gone] == [ChangeKind.GONE, ChangeKind.PRICE, ChangeKind.QUANTITY, ChangeKind.FEE]
    assert rules.changes(after, after) == []
