"""What lies in a cart, for whom, and what is said about it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from shop.cart import operations as cart
from shop.cart import queries
from shop.cart.errors import CartFull, NotOnSale, QuantityNotAllowed, QuantityTooLarge
from shop.cart.rules import MOST_LINES, MOST_UNITS, CartOwner, CartView, LineProblem
from shop.kernel.db import perform, reading, transaction
from shop.kernel.money import Money
from shop.models.cart import Cart
from shop.models.catalog import Product, ProductState, Variant
from shop.models.pickup import Cycle
from shop.models.stock import StockItem
from tests.support.factories import Factories
from tests.support.queries import counted
from tests.support.shopping import Shopping, count

BROWSER = CartOwner(token_hash="f" * 64)


def seen(shop: Shopping, owner: CartOwner = BROWSER) -> CartView:
    reading().rollback()
    return queries.view(reading(), owner, shop.point.id)


def test_a_cart_is_grouped_by_merchant_with_its_own_delivery_and_fee(make: Factories) -> None:
    shop = Shopping(make, pickup_fee=Money(150), minimum_order=Money(3_000))
    shop.goods("oranges", price=1_000)
    shop.goods("rice", 1, price=3_000)
    shop.goods("lemons", price=500)
    for code, quantity in (("oranges", 2), ("rice", 1), ("lemons", 1)):
        perform(cart.set_line, BROWSER, code, quantity)
    left, right = seen(shop).blocks
    assert [item.code for item in left.items] == ["oranges", "lemons"]
    assert (left.goods_total, left.fee, left.missing_to_minimum) == (Money(2_500), Money(150), Money(500))
    assert (right.goods_total, right.missing_to_minimum) == (Money(3_000), Money(0))
    assert left.merchant.cycle_id != right.merchant.cycle_id
    assert seen(shop).total == Money(5_800)
    assert not seen(shop).can_be_ordered


def test_setting_a_line_says_how_many_lie_there_and_adding_adds(make: Factories) -> None:
    shop = Shopping(make)
    shop.goods("oranges")
    for _again in range(2):
        perform(cart.set_line, BROWSER, "oranges", 3)
    assert seen(shop).count == 3
    assert perform(cart.add_line, BROWSER, "oranges", 2) == 5
    assert queries.count(reading(), BROWSER) == 5
    perform(cart.set_line, BROWSER, "oranges", 0)
    assert seen(shop).blocks == ()


def test_a_cart_of_any_length_is_one_query(make: Factories) -> None:
    shop = Shopping(make)
    for number in range(6):
        shop.goods(f"goods-{number}", number % 2)
        perform(cart.set_line, BROWSER, f"goods-{number}", 1)
    seen(shop)  # asks which offers there are; they are known for ten seconds
    with counted() as statements:
        assert len(seen(shop).items) == 6
    assert len(statements) == 1


def test_goods_sold_in_steps_keep_to_them(make: Factories) -> None:
    shop = Shopping(make)
    eggs = shop.goods("eggs")
    with transaction() as session:
        session.execute(sa.update(Variant).where(Variant.id == eggs.id).values(minimum_quantity=4, multiple=2))
    for wrong in (2, 5):
        with pytest.raises(QuantityNotAllowed) as refused:
            perform(cart.set_line, BROWSER, "eggs", wrong)
        assert refused.value.details == {"minimum": 4, "multiple": 2}
    assert perform(cart.add_line, BROWSER, "eggs", 1) == 4
    assert perform(cart.add_line, BROWSER, "eggs", 1) == 6


def test_what_is_not_on_sale_does_not_get_in(make: Factories) -> None:
    shop = Shopping(make)
    old = shop.goods("old")
    with transaction() as session:
        session.execute(sa.update(Product).where(Product.id == old.product_id).values(state=ProductState.OFF_SALE))
    for code in ("old", "never-was"):
        for put in (cart.set_line, cart.add_line):
            with pytest.raises(NotOnSale):
                perform(put, BROWSER, code, 1)
    assert count(Cart) == 0


def test_a_cart_has_its_bounds(make: Factories) -> None:
    shop = Shopping(make)
    shop.goods("oranges")
    with pytest.raises(QuantityTooLarge):
        perform(cart.set_line, BROWSER, "oranges", MOST_UNITS + 1)
    for number in range(MOST_LINES):
        shop.goods(f"goods-{number}")
    with transaction() as session:
        for number in range(MOST_LINES):
            cart.set_line(session, BROWSER, f"goods-{number}", 1)
    with pytest.raises(CartFull):
        perform(cart.set_line, BROWSER, "oranges", 1)
    assert len(seen(shop).items) == MOST_LINES


def test_every_line_says_why_it_cannot_be_ordered(make: Factories) -> None:
    shop = Shopping(make)
    variants = {code: shop.goods(code, on_hand=5) for code in ("fine", "gone", "few", "off")}
    elsewhere = make.product(make.merchant(), code="elsewhere")
    for code in (*variants, "elsewhere"):
        perform(cart.set_line, BROWSER, code, 3)
    with transaction() as session:
        session.execute(sa.update(StockItem).where(StockItem.variant_id == variants["gone"].id).values(on_hand=0))
        session.execute(sa.update(StockItem).where(StockItem.variant_id == variants["few"].id).values(on_hand=2))
        session.execute(sa.update(Product).where(Product.id == variants["off"].product_id).values(state=ProductState.OFF_SALE))
    found = {item.code: (item.problem, item.orderable) for item in seen(shop).items}
    assert found == {
        "fine": (None, 5), "gone": (LineProblem.SOLD_OUT, 0), "few": (LineProblem.TOO_MANY, 2), "off": (LineProblem.OFF_SALE, 0),
        "elsewhere": (LineProblem.NOT_DELIVERED, 100),
    }
    assert elsewhere is not None
    perform(cart.repair, BROWSER, {"gone": 0, "few": 2, "off": 0, "elsewhere": 0})
    assert {item.code: item.quantity for item in seen(shop).items} == {"fine": 3, "few": 2}
    assert seen(shop).can_be_ordered


def test_a_price_that_changed_is_shown_until_the_line_is_touched(make: Factories) -> None:
    shop = Shopping(make)
    oranges = shop.goods("oranges", price=1_000)
    perform(cart.set_line, BROWSER, "oranges", 1)
    with transaction() as session:
        session.execute(sa.update(Variant).where(Variant.id == oranges.id).values(price=Money(900)))
    assert seen(shop).items[0].price_change == Money(-100)
    perform(cart.set_line, BROWSER, "oranges", 2)
    assert seen(shop).items[0].price_change == Money(0)


def test_past_the_cut_off_the_next_delivery_is_offered_or_none(make: Factories) -> None:
    shop = Shopping(make, merchants=1)
    shop.goods("oranges")
    perform(cart.set_line, BROWSER, "oranges", 1)
    with transaction() as session:
        session.execute(sa.update(Cycle).values(booked=Cycle.capacity))
    assert seen(shop).items[0].problem is LineProblem.NOT_DELIVERED


def test_at_sign_in_both_carts_become_one_and_the_larger_quantity_stays(make: Factories) -> None:
    shop = Shopping(make)
    for code in ("oranges", "rice", "lemons"):
        shop.goods(code)
    user = make.user()
    mine = CartOwner(user_id=user.id)
    for owner, wanted in ((mine, {"oranges": 1, "rice": 5}), (BROWSER, {"oranges": 3, "rice": 2, "lemons": 1})):
        for code, quantity in wanted.items():
            perform(cart.set_line, owner, code, quantity)
    for _again in range(2):
        perform(cart.merge, BROWSER, user.id)
    assert {item.code: item.quantity for item in seen(shop, mine).items} == {"oranges": 3, "rice": 5, "lemons": 1}
    assert seen(shop).blocks == ()
    assert count(Cart) == 1


def test_clearing_takes_everything_out_of_one_cart_only(make: Factories) -> None:
    shop = Shopping(make)
    shop.goods("oranges")
    other = CartOwner(token_hash="e" * 64)
    for owner in (BROWSER, other):
        perform(cart.set_line, owner, "oranges", 1)
    perform(cart.clear, BROWSER)
    assert (seen(shop).count, seen(shop, other).count) == (0, 1)
