"""Lists of cards, prices and the listing that follows them."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from shop.catalog import operations, queries
from shop.catalog.errors import PriceNotPositive, ProductNotFound
from shop.catalog.queries import Wanted
from shop.kernel import memory
from shop.kernel.db import perform, reading
from shop.kernel.money import Money
from shop.models.catalog import Listing, PriceChange, Product, ProductState
from shop.platform.actor import COMMAND
from tests.support.factories import Factories
from tests.support.queries import counted


def test_pages_follow_each_other_without_gaps_in_every_order(make: Factories) -> None:
    category = make.category("fruit")
    for number in range(7):
        make.product(code=f"fruit-{number}", category=category, price=500 if number % 2 else 900, position=number)
    for order in ("rank", "price", "price_down"):
        seen: list[str] = []
        after = None
        while True:
            page = queries.list_cards(reading(), Wanted(category_id=category.id, order=order, after=after, limit=3), {})
            seen += [card.code for card in page.cards]
            if page.next_after is None:
                break
            after = page.next_after
        assert sorted(seen) == [f"fruit-{number}" for number in range(7)]
        assert len(set(seen)) == 7


def test_only_what_comes_to_the_point_is_listed(make: Factories) -> None:
    point = make.point()
    make.product(make.merchant("near", points=[point]), code="near")
    make.product(make.merchant("far"), code="far")
    cards = queries.list_cards(reading(), Wanted(), queries.arrivals(reading(), point.id)).cards
    assert [card.code for card in cards] == ["near"]
    assert cards[0].arrives_on is not None


def test_a_page_of_cards_costs_the_same_for_one_and_for_twenty_four(make: Factories) -> None:
    point = make.point()
    merchant = make.merchant(points=[point])
    make.product(merchant)

    def statements() -> int:
        memory.forget()
        with counted() as seen:
            queries.list_cards(reading(), Wanted(), queries.arrivals(reading(), point.id))
        return len(seen)

    alone = statements()
    for _ in range(23):
        make.product(merchant)
    assert statements() == alone == 2


def test_a_new_price_reaches_the_listing_and_the_history(make: Factories) -> None:
    variant = make.product(price=580)
    perform(operations.set_price, COMMAND, variant.id, Money(620))
    assert reading().get_one(Listing, variant.product_id).price == Money(620)
    assert reading().scalars(sa.select(PriceChange.price)).all() == [Money(620)]
    perform(operations.set_price, COMMAND, variant.id, Money(620))
    assert len(reading().scalars(sa.select(PriceChange.price)).all()) == 1


def test_a_price_of_nothing_is_refused_and_nothing_happened(make: Factories) -> None:
    variant = make.product(price=580)
    with pytest.raises(PriceNotPositive):
        perform(operations.set_price, COMMAND, variant.id, Money(0))
    assert reading().get_one(Listing, variant.product_id).price == Money(580)


def test_a_product_off_sale_leaves_the_lists_and_its_page(make: Factories) -> None:
    variant = make.product(code="gone")

    def take_off(session: sa.orm.Session) -> None:
        session.get_one(Product, variant.product_id).state = ProductState.OFF_SALE
        session.flush()
        operations.refresh_listings(session, [variant.product_id])

    perform(take_off)
    assert queries.list_cards(reading(), Wanted(), {}).cards == []
    with pytest.raises(ProductNotFound):
        queries.get_product(reading(), "gone", None)
