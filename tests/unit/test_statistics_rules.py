"""Spans, shares and sums of a shop's figures: the tables of docs/algorithms/figures.md."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from shop.kernel.errors import ShopError
from shop.kernel.money import ZERO, Money
from shop.orders.sold import Goods, Sold, SoldLine, as_document, from_document, hour_of_week, sold
from shop.statistics import rules
from shop.statistics.rules import Buyers, Kind, OfProduct, Span

pytestmark = pytest.mark.one_engine

TODAY = date(2026, 3, 31)


def span(first: str, last: str, before_first: str, before_last: str) -> Span:
    return Span(*(date.fromisoformat(f"2026-{day}") for day in (first, last, before_first, before_last)))


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        (Kind.TODAY, span("03-31", "03-31", "03-30", "03-30")),
        (Kind.WEEK, span("03-25", "03-31", "03-18", "03-24")),
        (Kind.THIRTY, span("03-02", "03-31", "01-31", "03-01")),
        (Kind.MONTH, span("03-01", "03-31", "02-01", "02-28")),
    ],
)
def test_a_span_and_the_days_it_is_compared_with(kind: Kind, wanted: Span) -> None:
    assert rules.span_of(kind, TODAY) == wanted


def test_a_year_is_no_longer_than_a_span_may_be() -> None:
    assert rules.span_of(Kind.YEAR, TODAY).days <= rules.MOST_DAYS


def test_a_month_that_has_not_ended_is_compared_with_the_same_days() -> None:
    assert rules.of_month(date(2026, 2, 1), TODAY) == span("02-01", "02-28", "01-01", "01-31")
    assert rules.of_month(date(2026, 3, 1), date(2026, 3, 30)) == span("03-01", "03-30", "02-01", "02-28")
    assert rules.of_month(date(2026, 3, 1), date(2026, 3, 9)) == span("03-01", "03-09", "02-01", "02-09")


def test_days_of_ones_own_choice() -> None:
    assert rules.chosen(date(2026, 3, 10), date(2026, 3, 12), TODAY) == span("03-10", "03-12", "03-07", "03-09")
    assert rules.chosen(None, None, TODAY) is None
    cut = rules.chosen(date(2026, 3, 30), date(2026, 12, 31), TODAY)
    assert cut is not None
    assert cut.last == TODAY, "what has not come is left off"
    longest = rules.chosen(date(2025, 3, 31), TODAY, TODAY)
    assert longest is not None
    assert longest.days == 366


@pytest.mark.parametrize(
    ("first", "last", "code", "field"),
    [
        (None, TODAY, "day_missing", "first"), (TODAY, None, "day_missing", "last"),
        (TODAY, date(2026, 3, 30), "span_turned_round", "last"), (date(2026, 4, 1), date(2026, 4, 2), "span_not_begun", "first"),
        (date(2025, 3, 30), TODAY, "span_too_long", "last"),
    ],
)  # fmt: skip
def test_days_that_make_no_span_are_refused(first: date | None, last: date | None, code: str, field: str) -> None:
    with pytest.raises(ShopError) as refused:
        rules.chosen(first, last, TODAY)
    assert (refused.value.code, refused.value.field) == (code, field)


@pytest.mark.parametrize(
    ("units", "spoiled", "left", "told"),
    [(3, 2, 95, 30), (30, 0, 0, 1_000), (0, 0, 12, 0), (2, 1, 0, 667), (5, 0, None, None), (0, 0, 0, None)],
)
def test_sell_through(units: int, spoiled: int, left: int | None, told: int | None) -> None:
    assert product(1, units=units, spoiled=spoiled, left=left).sell_through == told


@pytest.mark.parametrize(("people", "again", "told"), [(4, 2, None), (5, 1, 200), (5, 0, 0), (7, 2, 286), (0, 0, None)])
def test_the_share_of_repeat_buyers(people: int, again: int, told: int | None) -> None:
    assert Buyers(people, again).repeat_share == told


@pytest.mark.parametrize(
    ("now", "before", "told"), [(300, 100, 2_000), (50, 100, -500), (100, 100, 0), (5, 0, None), (0, 3, -1_000), (4, 3, 333)]
)
def test_a_change_is_told_where_there_was_something_before(now: int, before: int, told: int | None) -> None:
    assert rules.change(now, before) == told


def product(number: int, *, units: int, money: int = 0, spoiled: int = 0, left: int | None = 0) -> OfProduct:
    return OfProduct(number, f"p{number}", "", "", 0, units, Money(money), spoiled, ZERO, 0, ZERO, left)


def test_what_sells_best_and_what_does_not() -> None:
    goods = [product(1, units=1, money=500, left=9), product(2, units=5, money=500, left=5), product(3, units=0, left=40),
             product(4, units=9, money=100), product(5, units=0, left=41)]  # fmt: skip
    assert [one.product_id for one in rules.best_sellers(goods, 3)] == [2, 1, 4]
    assert [one.product_id for one in rules.slow_sellers(goods, 3)] == [5, 3, 1], "what is all sold is not slow"


def test_hours_are_those_of_the_citys_clock() -> None:
    assert hour_of_week(datetime(2026, 3, 29, 16, 30, tzinfo=UTC)) == 0, "Monday, half past midnight"
    assert hour_of_week(datetime(2026, 3, 29, 15, 59, tzinfo=UTC)) == 167
    hours = {0: 2, 24 + 13: 1, 6 * 24 + 13: 4}
    assert rules.by_weekday(hours) == [2, 1, 0, 0, 0, 0, 4]
    assert rules.by_hour(hours)[13] == 5
    assert rules.best(rules.by_weekday(hours)) == 6
    assert rules.best([0, 0]) is None


def line(order: int, product_id: int, *, quantity: int = 1, short: int = 0, price: int = 100, final: int | None = None) -> SoldLine:
    moment = datetime(2026, 3, 30, 2, tzinfo=UTC)
    return SoldLine(
        order, moment, moment, product_id, quantity, short, Money(price), ZERO, 500, None if final is None else Money(final)
    )  # fmt: skip


def test_lines_add_up_to_goods_and_orders_to_hours() -> None:
    found = sold([line(1, 7, quantity=3, short=1), line(1, 7), line(2, 7, final=88), line(2, 8, quantity=2, short=2)])
    assert found.goods == {7: Goods(2, 4, Money(388), 1, Money(100)), 8: Goods(0, 0, ZERO, 2, Money(200))}
    assert found.hours == {10: 2}
    assert found.units == 4
    assert from_document(as_document(found)) == found
    twice = Sold.total([found, found])
    assert (twice.goods[7], twice.hours) == (Goods(4, 8, Money(776), 2, Money(200)), {10: 4})
    assert sold([]) == Sold()
