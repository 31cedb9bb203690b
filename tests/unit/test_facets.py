"""What a list can be narrowed by: the rule without a database."""

from __future__ import annotations

import pytest

from shop.catalog import facets
from shop.catalog.facets import Chosen, Group, Seller

FRUIT, GRAIN = 1, 2
GROUPS = (
    Group(FRUIT, "coop", "社", "Co-op", "0-10", True, True, 5),
    Group(FRUIT, "coop", "社", "Co-op", "10-30", False, False, 3),
    Group(FRUIT, "mall", "城", "Mall", "30-", False, False, 2),
    Group(GRAIN, "mall", "城", "Mall", "10-30", False, False, 7),
)


def test_with_nothing_chosen_all_are_counted() -> None:
    found = facets.counted(GROUPS, Chosen())
    assert (found.goods, found.season, found.weight, found.is_more) == (17, 5, 5, False)
    assert found.categories == ((FRUIT, 10), (GRAIN, 7))
    assert found.shops == (Seller("mall", "城", "Mall", 9), Seller("coop", "社", "Co-op", 8))
    assert found.prices == (("0-10", 5), ("10-30", 10), ("30-", 2))


@pytest.mark.parametrize(
    ("chosen", "goods", "categories", "shops", "prices"),
    [
        (Chosen(category_id=FRUIT), 10, {FRUIT: 10, GRAIN: 7}, {"coop": 8, "mall": 2}, {"0-10": 5, "10-30": 3, "30-": 2}),
        (Chosen(shop="mall"), 9, {FRUIT: 2, GRAIN: 7}, {"coop": 8, "mall": 9}, {"0-10": 0, "10-30": 7, "30-": 2}),
        (Chosen(price="10-30", shop="coop"), 3, {FRUIT: 3}, {"coop": 3, "mall": 7}, {"0-10": 5, "10-30": 3, "30-": 0}),
        (Chosen(season=True), 5, {FRUIT: 5}, {"coop": 5}, {"0-10": 5, "10-30": 0, "30-": 0}),
        (Chosen(category_id=GRAIN, season=True), 0, {FRUIT: 5, GRAIN: 0}, {}, {"0-10": 0, "10-30": 0, "30-": 0}),
    ],
)
def test_each_count_is_what_that_choice_would_show_beside_the_others(
    chosen: Chosen, goods: int, categories: dict[int, int], shops: dict[str, int], prices: dict[str, int]
) -> None:
    found = facets.counted(GROUPS, chosen)
    assert (found.goods, dict(found.categories), dict(found.prices)) == (goods, categories, prices)
    assert {seller.code: seller.goods for seller in found.shops} == shops


def test_a_shelf_longer_than_what_is_counted_says_or_more() -> None:
    assert facets.counted((Group(FRUIT, "coop", "社", "Co-op", "0-10", True, True, facets.MOST_COUNTED),), Chosen()).is_more


@pytest.mark.parametrize(("fen", "name"), [(0, "0-10"), (999, "0-10"), (1_000, "10-30"), (2_999, "10-30"), (3_000, "30-"), (10**9, "30-")])
def test_every_price_is_in_one_range(fen: int, name: str) -> None:
    assert facets.band(fen) == name
