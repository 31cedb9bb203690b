"""What the load knows of a prepared city. A house of any release writes it, and what two of them have in common is asked of both."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class Person:
    """Somebody signed in, with an access token and a browser's cookie, who collects at a point."""

    token: str
    cookie: str
    point: str


@dataclass(frozen=True)
class Goods:
    """What can be put into a cart, and whose it is."""

    variant: str
    merchant: str


@dataclass(frozen=True)
class DueBill:
    """A bill that is to be paid, by the person of that token."""

    token: str
    ref: str
    total: int


@dataclass(frozen=True)
class City:
    points: list[str]
    categories: list[str]
    products: list[str]
    names: list[str]
    """Of the products, one by one."""
    goods: dict[str, list[Goods]]
    """By point: what can be ordered there."""
    readers: list[Person]
    shoppers: list[Person]
    buyers: list[Person]
    crowd: list[Person]
    """Who all want the hot thing at once."""
    hot: str
    bills: list[DueBill]
    keeper: str
    visits: list[str]
    pin: str

    def write(self, place: Path) -> None:
        place.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, place: Path) -> City:
        told = json.loads(place.read_text(encoding="utf-8"))
        people = {name: [Person(**one) for one in told[name]] for name in ("readers", "shoppers", "buyers", "crowd")}
        goods = {point: [Goods(**one) for one in there] for point, there in told["goods"].items()}
        return cls(**{**told, **people, "goods": goods, "bills": [DueBill(**one) for one in told["bills"]]})


def meet(cities: Sequence[City]) -> list[City]:
    """The same cities with what all of them have: releases may have other goods in their demo city, and all are asked the same."""

    def common(name: str) -> list[str]:
        return [one for one in getattr(cities[0], name) if all(one in getattr(city, name) for city in cities)]

    products, points = common("products"), common("points")
    names = [cities[0].names[cities[0].products.index(slug)] for slug in products]
    goods = {point: [one for one in cities[0].goods[point] if all(one in city.goods[point] for city in cities)] for point in points}
    found = {"products": products, "names": names, "points": points, "categories": common("categories"), "goods": goods}
    return [replace(city, **found) for city in cities]  # type: ignore[arg-type]
