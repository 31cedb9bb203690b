"""What the address of a list may say: filters, order, and where the last page ended. What makes no sense is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from shop.catalog.queries import Wanted
from shop.catalog.shelves import Seller

ORDERS = ("rank", "price", "price_down")
PRICES: dict[str, tuple[int | None, int | None]] = {"0-10": (None, 1_000), "10-30": (1_000, 3_000), "30-": (3_000, None)}
"""Ranges by their name in the address: at least, and below, in fen."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What somebody narrowed a list by. `everywhere` also shows what does not come to their point."""

    sort: str = "rank"
    season: bool = False
    weight: bool = False
    shop: str = ""
    price: str = ""
    everywhere: bool = False

    @property
    def arguments(self) -> dict[str, str]:
        """The same in an address; what is not chosen is not named."""
        said = {
            "sort": "" if self.sort == "rank" else self.sort, "season": "1" if self.season else "",
            "weight": "1" if self.weight else "", "shop": self.shop, "price": self.price, "all": "1" if self.everywhere else "",
        }  # fmt: skip
        return {name: value for name, value in said.items() if value}

    @property
    def narrowing(self) -> list[str]:
        """The names of the filters that leave something out, as they stand in this record."""
        return [name for name in ("season", "weight", "shop", "price") if getattr(self, name)]

    def without(self, name: str) -> Filters:
        return replace(self, **{name: getattr(Filters(), name)})

    def wanted(self, shelf: Wanted, sellers: Sequence[Seller] = ()) -> Wanted:
        """The cards of a shelf that they ask for."""
        low, high = PRICES.get(self.price, (None, None))
        merchant_id = next((seller.id for seller in sellers if seller.code == self.shop), shelf.merchant_id)
        return replace(
            shelf, in_season=self.season, by_weight=self.weight, at_least=low, below=high, order=self.sort, merchant_id=merchant_id
        )


def filters_of(arguments: Mapping[str, str], sellers: Sequence[Seller] = ()) -> Filters:
    """The filters an address names; a shop only when it sells here."""
    said = {name: arguments.get(name, "") for name in ("sort", "shop", "price")}
    return Filters(
        sort=said["sort"] if said["sort"] in ORDERS else "rank",
        season=arguments.get("season") == "1",
        weight=arguments.get("weight") == "1",
        shop=said["shop"] if any(seller.code == said["shop"] for seller in sellers) else "",
        price=said["price"] if said["price"] in PRICES else "",
        everywhere=arguments.get("all") == "1",
    )


def place_of(arguments: Mapping[str, str]) -> tuple[int, int] | None:
    """Where the last page ended."""
    parts = arguments.get("after", "").split("-")
    if len(parts) == 2 and all(part.isascii() and part.isdigit() and len(part) < 16 for part in parts):
        return int(parts[0]), int(parts[1])
    return None
