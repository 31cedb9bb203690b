"""Lists of cards, prices and the listing that follows them."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from shop.catalog import operations, pricing, queries
from shop.catalog.errors import ProductNotFound
from shop.catalog.queries import Wanted
from shop.kernel import memory
from shop.kernel.db import perform, reading, transaction
from shop.kernel.money import Money
from shop.models.catalog import Listing, Product, ProductState, Variant
from shop.models.stock import StockItem
from shop.platform.actor import Actor, Grant
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


def with_a_dear_first_size(make: Factories) -> Variant:
    """Rice that stands as ¥88.00 for 10 kg first, and as ¥9.90 for 500 g after it; beside it tea at ¥20.00. The small size."""
    category = make.category("grain")
    merchant = make.merchant()
    first = make.product(merchant, code="rice", price=8_800, grams=10_000, category=category)
    make.product(merchant, code="tea", price=2_000, category=category)
    small, gone = (
        make.save(
            Variant(
                code=code, product_id=first.product_id, label_zh=f"{code}袋", label_en=f"{code} bag", price=Money(fen),
                net_weight_grams=500, position=place, is_on_sale=is_on_sale,
            )
        )
        for code, fen, place, is_on_sale in (("rice-s", 990, 1, True), ("rice-gone", 100, 2, False))
    )  # fmt: skip
    for variant in (small, gone):
        make.save(StockItem(variant_id=variant.id, on_hand=5, reserved=0))
    with transaction() as session:
        operations.refresh_listings(session, [first.product_id])
        operations.refresh_search_terms(session, [first.product_id], [])
    return small


def test_from_is_the_cheapest_size_that_is_on_sale_and_its_own_rate(make: Factories) -> None:
    small = with_a_dear_first_size(make)
    card = reading().scalars(sa.select(Listing).where(Listing.code == "rice")).one()
    assert (card.variant_id, card.price, card.unit_en, card.has_choices) == (small.id, Money(990), "rice-s bag", True)
    assert (card.price_per_jin, card.price_per_kilogram) == (Money(990), Money(1_980))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (queries.Wanted(order="price"), ["rice", "tea"]), (queries.Wanted(order="price_down"), ["tea", "rice"]),
        (queries.Wanted(below=1_000), ["rice"]), (queries.Wanted(at_least=3_000), []),
    ],
)  # fmt: skip
def test_lists_sort_and_filter_by_the_cheapest_size(make: Factories, wanted: queries.Wanted, found: list[str]) -> None:
    with_a_dear_first_size(make)
    assert [card.code for card in queries.list_cards(reading(), wanted, {}).cards] == found


def test_card_search_api_page_and_shared_link_say_the_same_price(make: Factories, client: FlaskClient) -> None:
    with_a_dear_first_size(make)
    for path in ("/categories/grain", "/search?q=rice", "/products/rice"):
        page = client.get(path).text
        assert "9.90" in page, path
    assert "88.00" not in client.get("/categories/grain").text
    assert client.get("/api/v1/products?q=rice").json["items"][0]["price_minor"] == 990
    head = client.get("/products/rice").text.partition("</head>")[0]
    assert "¥9.90" in head
    assert '"9.90"' in head
    assert 'value="rice-s"' in client.get("/products/rice").text


def test_the_size_that_became_cheapest_takes_the_card(make: Factories) -> None:
    small = with_a_dear_first_size(make)
    merchant_id = reading().scalars(sa.select(Product.merchant_id).where(Product.code == "rice")).one()
    owner = Actor("user", user_id=make.user().id, grants=(Grant("merchant_owner", merchant_id=merchant_id),))
    perform(pricing.change_prices, owner, [pricing.NewPrice("rice", Money(950))], sure=lambda _doubt: True)
    card = reading().scalars(sa.select(Listing).where(Listing.code == "rice")).one()
    assert (card.price, card.variant_id == small.id, card.unit_en) == (Money(950), False, "box")
