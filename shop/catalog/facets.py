"""What a list of goods can be narrowed by, with how many there are of each: categories, shops, prices, seasons, goods by weight.

Counted are the goods of a search, or the first `MOST_COUNTED` of a shelf: never all there are. Of a longer shelf each count is "so many
or more".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.catalog import matching, queries, rules, terms
from shop.catalog.queries import LISTINGS, Card, Wanted
from shop.kernel import clock
from shop.kernel.memory import remember
from shop.kernel.rows import all_as

MOST_COUNTED = 1_000
MOST_SHOPS = 40

PRICES: dict[str, tuple[int | None, int | None]] = {"0-10": (None, 1_000), "10-30": (1_000, 3_000), "30-": (3_000, None)}
"""Ranges by their name in the address: at least, and below, in fen."""


class Group(NamedTuple):
    """Goods that are alike in all that a list can be narrowed by, and how many they are."""

    category_id: int
    shop: str
    name_zh: str
    name_en: str
    price: str
    is_in_season: bool
    is_by_weight: bool
    goods: int


class Seller(NamedTuple):
    """A shop with goods in a list."""

    code: str
    name_zh: str
    name_en: str
    goods: int


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a list is narrowed by; empty where it is not."""

    category_id: int | None = None
    shop: str = ""
    price: str = ""
    season: bool = False
    weight: bool = False

    def but(self, left_out: str) -> Callable[[Group], bool]:
        """Whether a group fits all that is chosen, but for one thing."""
        asked: dict[str, Callable[[Group], bool]] = {
            "category": lambda group: self.category_id is None or group.category_id == self.category_id,
            "shop": lambda group: not self.shop or group.shop == self.shop,
            "price": lambda group: not self.price or group.price == self.price,
            "season": lambda group: not self.season or group.is_in_season,
            "weight": lambda group: not self.weight or group.is_by_weight,
        }
        asked.pop(left_out, None)
        return lambda group: all(fits(group) for fits in asked.values())


@dataclass(frozen=True, slots=True)
class Facets:
    """How many goods there would be with each choice, beside all others that were made. `is_more`: so many, or more.

    Categories and shops are those that have any, the one with most first; what is chosen is always among them.
    """

    goods: int = 0
    categories: tuple[tuple[int, int], ...] = ()
    shops: tuple[Seller, ...] = ()
    prices: tuple[tuple[str, int], ...] = ()
    season: int = 0
    weight: int = 0
    is_more: bool = False


Groups = tuple[Group, ...]


@lru_cache(maxsize=1_000)
def counted(groups: Groups, chosen: Chosen) -> Facets:
    """The facets of these groups when so much is chosen. The same groups come for many readers: what they sum up to is kept."""

    def sums(left_out: str, name: Callable[[Group], Any]) -> dict[Any, int]:
        found: dict[Any, int] = {}
        for group in filter(chosen.but(left_out), groups):
            found[name(group)] = found.get(name(group), 0) + group.goods
        return found

    def most_first(found: dict[Any, int]) -> list[Any]:
        return sorted(found, key=lambda one: (-found[one], str(one)))

    by_category = sums("category", lambda group: group.category_id)
    by_shop = sums("shop", lambda group: (group.shop, group.name_zh, group.name_en))
    for group in groups:
        if group.category_id == chosen.category_id:
            by_category.setdefault(group.category_id, 0)
        if group.shop == chosen.shop:
            by_shop.setdefault((group.shop, group.name_zh, group.name_en), 0)
    by_price = sums("price", lambda group: group.price)
    return Facets(
        sum(group.goods for group in groups if chosen.but("")(group)),
        tuple((one, by_category[one]) for one in most_first(by_category)),
        tuple(Seller(code, zh, en, by_shop[code, zh, en]) for code, zh, en in most_first(by_shop)[:MOST_SHOPS]),
        tuple((price, by_price.get(price, 0)) for price in PRICES),
        sums("season", lambda group: group.is_in_season).get(True, 0), sums("weight", lambda group: group.is_by_weight).get(True, 0),
        sum(group.goods for group in groups) >= MOST_COUNTED,
    )  # fmt: skip


def of_cards(cards: Iterable[Card]) -> Groups:
    """The groups of cards that are all there are: no database is asked."""
    found: dict[Group, int] = {}
    for card in cards:
        alike = Group(
            card.category_id, card.merchant_code, card.merchant_name_zh, card.merchant_name_en, band(card.price.fen), card.is_in_season,
            card.is_by_weight, 0,
        )  # fmt: skip
        found[alike] = found.get(alike, 0) + 1
    return tuple(group._replace(goods=goods) for group, goods in found.items())


def band(fen: int) -> str:
    """The name of the range of prices that a price is in."""
    return next(name for name, (low, high) in PRICES.items() if (low is None or fen >= low) and (high is None or fen < high))


def grouped(listings: Any) -> sa.Select[Any]:
    """Listings, one row for those that are alike."""
    price: Any = sa.type_coerce(listings.c.price, sa.BigInteger())
    ranges = sa.case(*((price < high, name) for name, (_low, high) in PRICES.items() if high is not None), else_=list(PRICES)[-1])
    month: Any = listings.c.season_mask.op("&")(sa.bindparam("month", type_=sa.BigInteger()))
    some = sa.select(
        listings.c.category_id, listings.c.merchant_code.label("shop"), listings.c.merchant_name_zh, listings.c.merchant_name_en,
        ranges.label("price"), sa.and_(listings.c.season_mask != rules.ALL_YEAR, month != 0).label("is_in_season"), listings.c.is_by_weight,
    ).subquery()  # fmt: skip
    alike = (some.c.category_id, some.c.shop, some.c.price, some.c.is_in_season, some.c.is_by_weight)
    names = (sa.func.min(some.c.merchant_name_zh).label("name_zh"), sa.func.min(some.c.merchant_name_en).label("name_en"))
    return sa.select(*alike, *names, sa.func.count().label("goods")).group_by(*alike)


@lru_cache(maxsize=200)
def grouped_search(shape: matching.Shape) -> sa.Select[Any]:
    found = matching.candidates(shape).subquery()
    some = sa.select(LISTINGS).join(found, found.c.product_id == LISTINGS.c.product_id).subquery()
    return grouped(some)


@remember(seconds=30)
def of_search(session: Session, query: terms.Query, served: tuple[int, ...], shop_id: int | None) -> Groups:
    """The groups of what a search finds."""
    shape = matching.shape_of(session, query, bool(served), shop_id is not None)
    facts = {**matching.places_of(query), "served": list(served), "merchant_id": shop_id, "month": rules.month_bit(clock.today())}
    return tuple(all_as(Group, session.connection().execute(grouped_search(shape), facts)))


@cache
def grouped_shelf(shape: queries.Shape) -> queries.Prepared:
    asked, names = queries.conditions(shape)
    some = sa.select(LISTINGS).where(*asked).order_by(LISTINGS.c.rank, LISTINGS.c.product_id).limit(MOST_COUNTED).subquery()
    return queries.Prepared(grouped(some), frozenset(names | {"month"}))


@remember(seconds=30)
def of_shelf(session: Session, category_id: int, served: tuple[int, ...]) -> Groups:
    """The groups of the first goods of a category, of these merchants or of all."""
    wanted = Wanted(category_id=category_id)
    query = grouped_shelf(queries.shape_of(wanted, bool(served)))
    facts = queries.facts_of(wanted, served)
    return tuple(all_as(Group, session.connection().execute(query.statement, {name: facts[name] for name in query.names})))
