"""What was sold on a day, product by product, and when it was ordered: kept with the sum of the day as a document, and added up from it.

It names goods and hours and nobody. docs/algorithms/figures.md says what each figure counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shop.kernel import clock
from shop.kernel.money import ZERO, Money
from shop.orders.rules import ceiling

HOURS_OF_A_WEEK = 7 * 24


@dataclass(frozen=True, slots=True)
class SoldLine:
    """A line of an order whose money is its merchant's; `settled_at` is since when."""

    sub_order_id: int
    settled_at: datetime
    placed_at: datetime
    product_id: int
    quantity: int
    short_quantity: int
    unit_price: Money
    discount_total: Money
    unit_grams: int
    final_total: Money | None

    @property
    def units(self) -> int:
        return self.quantity - self.short_quantity

    @property
    def money(self) -> Money:
        """What its buyer paid for what was there: of what was weighed, by its weight."""
        return ceiling(self) if self.final_total is None else self.final_total


@dataclass(frozen=True, slots=True)
class Goods:
    """So many orders with a product, their units and what was paid for them; and what was not there, at the price it was ordered at."""

    orders: int = 0
    units: int = 0
    money: Money = ZERO
    short_units: int = 0
    short_money: Money = ZERO

    def __add__(self, other: Goods) -> Goods:
        return Goods(
            self.orders + other.orders, self.units + other.units, self.money + other.money, self.short_units + other.short_units,
            self.short_money + other.short_money,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sold:
    """Goods by product, and how many orders were placed in each hour of the week, from Monday 0:00."""

    goods: Mapping[int, Goods] = field(default_factory=dict)
    hours: Mapping[int, int] = field(default_factory=dict)

    @property
    def units(self) -> int:
        return sum(one.units for one in self.goods.values())

    @classmethod
    def total(cls, several: Iterable[Sold]) -> Sold:
        goods: dict[int, Goods] = {}
        hours: dict[int, int] = {}
        for one in several:
            for product_id, more in one.goods.items():
                goods[product_id] = goods[product_id] + more if product_id in goods else more
            for hour, orders in one.hours.items():
                hours[hour] = hours.get(hour, 0) + orders
        return cls(goods, hours)


def hour_of_week(moment: datetime) -> int:
    """0 is Monday from 0:00 to 1:00 on the city's clock, 167 the last hour of Sunday."""
    local = clock.local(moment)
    return local.weekday() * 24 + local.hour


def sold(lines: Iterable[SoldLine]) -> Sold:
    """What these lines come to. Two lines of one product in one order are one order of it."""
    goods: dict[int, Goods] = {}
    placed: dict[int, datetime] = {}
    known: set[tuple[int, int]] = set()
    for line in lines:
        placed[line.sub_order_id] = line.placed_at
        is_new = line.units > 0 and (line.sub_order_id, line.product_id) not in known
        if is_new:
            known.add((line.sub_order_id, line.product_id))
        more = Goods(int(is_new), line.units, line.money, line.short_quantity, line.unit_price * line.short_quantity)
        goods[line.product_id] = goods.get(line.product_id, Goods()) + more
    hours: dict[int, int] = {}
    for moment in placed.values():
        hour = hour_of_week(moment)
        hours[hour] = hours.get(hour, 0) + 1
    return Sold(goods, hours)


def as_document(what: Sold) -> dict[str, Any]:
    """As it is kept: whole numbers by product and hour."""
    return {
        "goods": {
            str(product_id): [one.orders, one.units, one.money.fen, one.short_units, one.short_money.fen]
            for product_id, one in sorted(what.goods.items())
        },
        "hours": {str(hour): orders for hour, orders in sorted(what.hours.items())},
    }


def from_document(kept: Mapping[str, Any]) -> Sold:
    """What `as_document` made."""
    return Sold(
        {
            int(product_id): Goods(orders, units, Money(money), short_units, Money(short_money))
            for product_id, (orders, units, money, short_units, short_money) in kept["goods"].items()
        },
        {int(hour): orders for hour, orders in kept["hours"].items()},
    )
