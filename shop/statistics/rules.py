"""Which days figures are of, what they are compared with, and the shares that are worked out of them (docs/algorithms/figures.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from shop.kernel.money import ZERO, Money, divide_half_up
from shop.statistics.errors import DayMissing, SpanNotBegun, SpanTooLong, SpanTurnedRound

MOST_DAYS = 366
FEWEST_BUYERS = 5
"""Of fewer buyers nothing is said: it would be said of people who are known."""

WHOLE = 1_000
ONE_DAY = timedelta(days=1)
DAY_BY_DAY = 62
"""Longer spans are drawn month by month."""


class Kind(StrEnum):
    """Spans that are chosen by one press."""

    TODAY = "today"
    WEEK = "week"
    THIRTY = "30days"
    MONTH = "month"
    YEAR = "year"


USUAL = Kind.WEEK
LENGTHS = {Kind.TODAY: 1, Kind.WEEK: 7, Kind.THIRTY: 30, Kind.YEAR: 365}


@dataclass(frozen=True, slots=True)
class Span:
    """Days from the first to the last, both counted; and those they are compared with."""

    first: date
    last: date
    before_first: date
    before_last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


def span_of(kind: Kind, today: date) -> Span:
    """So many days up to today, compared with as many before them; this month up to today, with the same days of the month before."""
    if kind is Kind.MONTH:
        return of_month(today.replace(day=1), today)
    return of_days(today - ONE_DAY * (LENGTHS[kind] - 1), today)


def of_days(first: date, last: date) -> Span:
    """Compared with as many days right before them."""
    return Span(first, last, first - (last - first) - ONE_DAY, first - ONE_DAY)


def of_month(first: date, today: date) -> Span:
    """A month, compared with the one before: whole with whole, and one that has not ended with the same days of the one before it, or
    with all of them when it has fewer."""
    last_of_it = (first + timedelta(days=32)).replace(day=1) - ONE_DAY
    before_last = first - ONE_DAY
    before_first = before_last.replace(day=1)
    if today >= last_of_it:
        return Span(first, last_of_it, before_first, before_last)
    return Span(first, today, before_first, min(before_last, before_first + (today - first)))


def chosen(first: date | None, last: date | None, today: date) -> Span | None:
    """The days somebody chose; none for none. What has not come yet is left off the end.

    Raises `DayMissing` for one without the other, `SpanTurnedRound`, `SpanNotBegun`, `SpanTooLong`.
    """
    if first is None and last is None:
        return None
    if first is None or last is None:
        raise DayMissing("first" if first is None else "last")
    if last < first:
        raise SpanTurnedRound()
    if first > today:
        raise SpanNotBegun()
    last = min(last, today)
    if (last - first).days >= MOST_DAYS:
        raise SpanTooLong(most=MOST_DAYS)
    return of_days(first, last)


def change(now: int, before: int) -> int | None:
    """By how many thousandths it is more than before, or less; none where there was nothing to compare with."""
    return divide_half_up((now - before) * WHOLE, before) if before > 0 else None


def share(part: int, whole: int) -> int | None:
    """In thousandths, half up; none of nothing."""
    return divide_half_up(part * WHOLE, whole) if whole > 0 else None


@dataclass(frozen=True, slots=True)
class Buyers:
    """How many people bought, and how many of them paid for more than one order."""

    all: int
    again: int

    @property
    def are_few(self) -> bool:
        """So few that nothing is said of them."""
        return self.all < FEWEST_BUYERS

    @property
    def repeat_share(self) -> int | None:
        """How many of them came again, in thousandths; none where they are few."""
        return None if self.are_few else share(self.again, self.all)


@dataclass(frozen=True, slots=True)
class OfProduct:
    """A product in a span: what was sold of it, what spoiled, what was ordered and not there, and what is left of it now.

    `left` is none for a span that ends before today: what was left then is not kept.
    """

    product_id: int
    slug: str
    name_zh: str
    name_en: str
    orders: int
    units: int
    money: Money
    spoiled: int
    spoiled_money: Money
    short_units: int
    short_money: Money
    left: int | None

    @property
    def stocked(self) -> int | None:
        """What was there to be sold: what was sold, what spoiled and what is left."""
        return None if self.left is None else self.units + self.spoiled + self.left

    @property
    def sell_through(self) -> int | None:
        """How much of what was there was sold, in thousandths; none where nothing was there, or nobody knows what is left."""
        return None if self.stocked is None else share(self.units, self.stocked)


@dataclass(frozen=True, slots=True)
class Waste:
    """What brought no money: units and their worth at selling prices. Undelivered are orders of which nothing came."""

    spoiled: int = 0
    spoiled_money: Money = ZERO
    short_units: int = 0
    short_money: Money = ZERO
    undelivered: int = 0
    undelivered_money: Money = ZERO

    @property
    def money(self) -> Money:
        return self.spoiled_money + self.short_money + self.undelivered_money


def best_sellers(goods: Sequence[OfProduct], most: int) -> list[OfProduct]:
    """What brought the most money, the most first; equal ones by their units, then as they were listed."""
    return sorted((one for one in goods if one.units), key=lambda one: (-one.money.fen, -one.units, one.product_id))[:most]


def slow_sellers(goods: Sequence[OfProduct], most: int) -> list[OfProduct]:
    """Of what there was the least was sold; of equal ones that first of which most is left."""
    stocked = [one for one in goods if one.sell_through is not None and one.left]
    return sorted(stocked, key=lambda one: (one.sell_through or 0, -(one.left or 0), one.product_id))[:most]


def by_weekday(hours: Mapping[int, int]) -> list[int]:
    """Orders on Monday, Tuesday and so on."""
    return [sum(hours.get(24 * day + hour, 0) for hour in range(24)) for day in range(7)]


def by_hour(hours: Mapping[int, int]) -> list[int]:
    """Orders in each hour of the day, whichever day it was."""
    return [sum(hours.get(24 * day + hour, 0) for day in range(7)) for hour in range(24)]


def best(counts: Sequence[int]) -> int | None:
    """The place with the most, the first of equal ones; none where there is nothing."""
    return counts.index(max(counts)) if any(counts) else None
