"""What the address of a list may say: filters, order, and where the last page ended. What makes no sense is left out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from shop.catalog.facets import PRICES, Chosen
from shop.catalog.queries import CategoryFacts, Wanted
from shop.kernel import gate
from shop.platform.asked import Asked

ORDERS = ("rank", "price", "price_down")
IN_ADDRESS = ("sort", "category", "season", "weight", "shop", "price", "all")
"""What narrows and orders a list, by its name in the address."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What somebody narrowed a list by. `everywhere` also shows what does not come to their point."""

    sort: str = "rank"
    season: bool = False
    weight: bool = False
    shop: str = ""
    price: str = ""
    category: str = ""
    everywhere: bool = False

    @property
    def arguments(self) -> dict[str, str]:
        """The same in an address; what is not chosen is not named."""
        said = {
            "sort": "" if self.sort == "rank" else self.sort, "season": "1" if self.season else "",
            "weight": "1" if self.weight else "", "shop": self.shop, "price": self.price, "category": self.category,
            "all": "1" if self.everywhere else "",
        }  # fmt: skip
        return {name: value for name, value in said.items() if value}

    @property
    def narrowing(self) -> list[str]:
        """The names of the filters that leave something out, as they stand in this record."""
        return [name for name in ("category", "season", "weight", "shop", "price") if getattr(self, name)]

    def without(self, name: str) -> Filters:
        return replace(self, **{name: getattr(Filters(), name)})

    def wanted(self, shelf: Wanted, category_id: int | None = None, merchant_id: int | None = None) -> Wanted:
        """The cards of a shelf that they ask for; the category and the shop by their ids."""
        low, high = PRICES.get(self.price, (None, None))
        return replace(
            shelf, in_season=self.season, by_weight=self.weight, at_least=low, below=high, order=self.sort,
            category_id=category_id or shelf.category_id, merchant_id=merchant_id or shelf.merchant_id,
        )  # fmt: skip

    def chosen(self, category_id: int | None = None) -> Chosen:
        """What is counted beside each choice."""
        return Chosen(category_id, self.shop, self.price, self.season, self.weight)


def filters_of(address: Asked, shops: Collection[str] = (), categories: Sequence[CategoryFacts] = ()) -> Filters:
    """The filters an address names; a shop only when it is one of these, a category when it is one of these."""
    if address.names().isdisjoint(IN_ADDRESS):  # most lists are looked at as they are
        return Filters()
    return Filters(
        sort=address.choice("sort", ORDERS, "rank"), season=address.is_on("season"), weight=address.is_on("weight"),
        shop=address.choice("shop", shops), price=address.choice("price", PRICES),
        category=address.choice("category", {category.slug for category in categories}), everywhere=address.is_on("all"),
    )  # fmt: skip


def place_of(address: Asked) -> tuple[int, int] | None:
    """Where the last page ended."""
    if not address.has("after"):
        return None
    rank, _, product_id = address.word("after").partition("-")
    place = gate.number(rank), gate.number(product_id)
    return None if place[0] is None or place[1] is None else (place[0], place[1])
