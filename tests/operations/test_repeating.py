"""Ordering the same again: what can be had goes into the cart, what cannot is named with its reason."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from shop.cart import operations as cart
from shop.cart import queries as carts
from shop.cart.errors import CartFull
from shop.cart.rules import MOST_LINES, CartOwner
from shop.kernel import clock
from shop.kernel.db import perform, reading, transaction
from shop.kernel.errors import NotFound
from shop.kernel.money import Money
from shop.models.accounts import User
from shop.models.catalog import Product, ProductState, Variant
from shop.models.merchants import Merchant, MerchantState
from shop.models.pickup import Cycle
from shop.models.stock import StockItem
from shop.orders import operations as orders
from shop.orders import queries, rules
from shop.orders.queries import Again
from shop.orders.rules import Missing, Today
from tests.support.factories import Factories, actor_of
from tests.support.queries import counted
from tests.support.shopping import Shopping, at_once

PLENTY = Today(
    price=Money(500), is_on_sale=True, season_months="", left=100, minimum_quantity=1, multiple=1, is_delivered=True
)  # fmt: skip


class Earlier:
    """A buyer who once ordered three oranges of one shop and two rabbits, by weight, of another."""

    def __init__(self, make: Factories) -> None:
        self.shop = Shopping(make)
        self.oranges = self.shop.goods("oranges", price=1_000)
        self.rabbit = self.shop.goods("rabbit", 1, price=580, by_weight=True)
        self.buyer: User = self.shop.buyer(100_000)
        self.number = self.shop.buy(self.buyer, {"oranges": 3, "rabbit": 2}).number

    def repeat(self) -> dict[str, Again]:
        found = perform(orders.repeat, actor_of(self.buyer), self.number, self.shop.point.id)
        return {again.line.variant_code: again for again in found}

    def in_cart(self) -> dict[str, int]:
        reading().rollback()
        return {item.code: item.quantity for item in carts.items(reading(), CartOwner(user_id=self.buyer.id), self.shop.point.id)}


@pytest.fixture
def earlier(make: Factories) -> Earlier:
    return Earlier(make)


def change(model: Any, where: sa.ColumnElement[bool], **values: Any) -> None:
    with transaction() as session:
        session.execute(sa.update(model).where(where).values(**values))


def test_all_of_an_earlier_order_comes_into_the_cart_as_it_was(earlier: Earlier) -> None:
    assert all(again.is_as_before for again in earlier.repeat().values())
    assert earlier.in_cart() == {"oranges": 3, "rabbit": 2}


def test_asking_twice_is_asking_once(earlier: Earlier) -> None:
    earlier.repeat()
    earlier.repeat()
    assert earlier.in_cart() == {"oranges": 3, "rabbit": 2}


def test_a_double_click_fills_the_cart_once(app: Flask, earlier: Earlier) -> None:
    buyer, number, point_id = actor_of(earlier.buyer), earlier.number, earlier.shop.point.id
    outcomes = at_once(app, [lambda: perform(orders.repeat, buyer, number, point_id)] * 4)
    assert [type(outcome) for outcome in outcomes] == [list] * 4
    assert earlier.in_cart() == {"oranges": 3, "rabbit": 2}


def test_more_that_lies_in_the_cart_already_stays(earlier: Earlier) -> None:
    earlier.shop.goods("tea", price=900)
    owner = CartOwner(user_id=earlier.buyer.id)
    perform(cart.set_line, owner, "oranges", 5)
    perform(cart.set_line, owner, "tea", 1)
    earlier.repeat()
    assert earlier.in_cart() == {"oranges": 5, "tea": 1, "rabbit": 2}


def test_what_is_sold_out_is_named_and_left_out(earlier: Earlier) -> None:
    change(StockItem, StockItem.variant_id == earlier.oranges.id, on_hand=0)
    found = earlier.repeat()
    assert (found["oranges"].missing, found["oranges"].quantity) == (Missing.SOLD_OUT, 0)
    assert earlier.in_cart() == {"rabbit": 2}


def test_when_fewer_are_left_those_are_taken(earlier: Earlier) -> None:
    change(StockItem, StockItem.variant_id == earlier.oranges.id, on_hand=2)
    found = earlier.repeat()["oranges"]
    assert (found.missing, found.quantity, found.is_fewer) == (None, 2, True)
    assert earlier.in_cart()["oranges"] == 2


def test_what_is_not_sold_any_more_is_named(earlier: Earlier) -> None:
    change(Product, Product.id == earlier.oranges.product_id, state=ProductState.OFF_SALE)
    change(Merchant, Merchant.id == earlier.shop.merchants[1].id, state=MerchantState.SUSPENDED)
    assert {code: again.missing for code, again in earlier.repeat().items()} == {"oranges": Missing.OFF_SALE, "rabbit": Missing.OFF_SALE}
    assert earlier.in_cart() == {}


def test_what_has_its_season_at_another_time_says_so(earlier: Earlier) -> None:
    month = clock.today().month
    away = f"{month % 12 + 1}-{month % 12 + 1}"
    change(Product, Product.id == earlier.oranges.product_id, state=ProductState.OFF_SALE, season_months=away)
    assert earlier.repeat()["oranges"].missing is Missing.OUT_OF_SEASON


def test_what_no_longer_comes_to_the_point_is_named(earlier: Earlier) -> None:
    change(Cycle, Cycle.merchant_id == earlier.shop.merchants[0].id, booked=Cycle.capacity)
    assert earlier.repeat()["oranges"].missing is Missing.NOT_DELIVERED
    assert earlier.in_cart() == {"rabbit": 2}


def test_without_a_point_nothing_is_delivered(earlier: Earlier) -> None:
    found = perform(orders.repeat, actor_of(earlier.buyer), earlier.number, None)
    assert {again.missing for again in found} == {Missing.NOT_DELIVERED}


def test_another_price_is_told(earlier: Earlier) -> None:
    change(Variant, Variant.id == earlier.oranges.id, price=Money(1_250))
    change(Variant, Variant.id == earlier.rabbit.id, price=Money(500))
    found = earlier.repeat()
    assert (found["oranges"].price_change, found["rabbit"].price_change) == (Money(250), Money(-80))
    assert not found["oranges"].is_as_before
    assert earlier.in_cart() == {"oranges": 3, "rabbit": 2}


def test_a_full_cart_takes_nothing_of_it(earlier: Earlier) -> None:
    owner = CartOwner(user_id=earlier.buyer.id)
    for number in range(MOST_LINES - 1):
        earlier.shop.goods(f"kind-{number}")
        perform(cart.set_line, owner, f"kind-{number}", 1)
    with pytest.raises(CartFull):
        earlier.repeat()
    assert "oranges" not in earlier.in_cart()


def test_only_ones_own_order_can_be_repeated(earlier: Earlier, make: Factories) -> None:
    with pytest.raises(NotFound):
        perform(orders.repeat, actor_of(make.user()), earlier.number, earlier.shop.point.id)


def test_reading_what_can_be_had_takes_as_many_queries_for_many_lines_as_for_one(earlier: Earlier) -> None:
    for number in range(8):
        earlier.shop.goods(f"kind-{number}")
    long = earlier.shop.buy(earlier.buyer, {f"kind-{number}": 1 for number in range(8)}).number

    def asked(number: str) -> int:
        with counted() as questions:
            order = queries.mine(reading(), earlier.buyer.id, number)
            queries.again(reading(), order, earlier.shop.point.id)
        return len(questions)

    assert asked(long) == asked(earlier.number)


@pytest.mark.parametrize(
    ("today", "wanted", "quantity"),
    [
        (PLENTY, 3, 3),
        (Today(Money(500), True, "", 7, 4, 2, True), 3, 4),  # rounded up to what is sold
        (Today(Money(500), True, "", 7, 1, 2, True), 9, 6),  # in whole steps of what is left
    ],
)
def test_quantities_keep_the_rules_of_today(today: Today, wanted: int, quantity: int) -> None:
    assert rules.quantity_today(today, wanted) == quantity


def test_less_than_the_smallest_quantity_is_sold_out() -> None:
    assert rules.why_missing(Today(Money(500), True, "", 3, 4, 1, True), date(2026, 6, 1)) is Missing.SOLD_OUT


def test_what_is_gone_from_the_shelf_altogether_is_off_sale() -> None:
    assert rules.why_missing(None, date(2026, 6, 1)) is Missing.OFF_SALE
