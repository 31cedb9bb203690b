"""Weighing, splitting and cycle times in figures; docs/algorithms works them out."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import NamedTuple

import pytest

from shop.cart.rules import next_allowed
from shop.kernel.money import ZERO, Money
from shop.orders.rules import COMES_FROM, DONE, State, final_total, release_split
from shop.pickup.rules import cycle_times, is_open
from shop.stock.rules import Wanted, totals

pytestmark = pytest.mark.one_engine


class Agreed(NamedTuple):
    unit_price: Money
    quantity: int
    unit_grams: int
    discount_total: Money = ZERO
    short_quantity: int = 0


@pytest.mark.parametrize(
    ("price", "unit_grams", "quantity", "grams", "owed"),
    [
        (580, 500, 2, 1_000, 1_160),  # exactly as ordered
        (580, 500, 2, 930, 1_079),  # 1078.8
        (580, 500, 2, 1_200, 1_160),  # heavier: the ceiling
        (333, 500, 1, 250, 167),  # 166.5: half up
        (4_800, 1_250, 1, 1_180, 4_531),  # a rabbit of about 2.5 jin: 4531.2
        (1, 500, 1, 249, 0),
    ],
)
def test_a_weighed_line_is_rounded_once_and_capped(price: int, unit_grams: int, quantity: int, grams: int, owed: int) -> None:
    agreed = Agreed(Money(price), quantity, unit_grams)
    assert final_total(agreed, grams) == Money(owed)


@pytest.mark.parametrize(
    ("total", "refunded", "bps", "merchant", "commission"),
    [(2_000, 0, 300, 1_940, 60), (1_160, 81, 300, 1_047, 32), (999, 0, 250, 974, 25), (1_000, 1_000, 300, 0, 0), (50, 0, 0, 50, 0)],
)
def test_what_was_kept_is_split_without_losing_a_fen(total: int, refunded: int, bps: int, merchant: int, commission: int) -> None:
    assert release_split(Money(total), Money(refunded), bps) == (Money(merchant), Money(commission))


@pytest.mark.parametrize(
    ("moment", "open_"),
    [
        ("2026-11-23T22:59:59+08:00", True), ("2026-11-23T22:59:59.999999+08:00", True),
        ("2026-11-23T23:00:00+08:00", False), ("2026-11-23T23:00:01+08:00", False),
    ],
)
def test_orders_are_taken_up_to_the_cut_off_not_at_it(moment: str, open_: bool) -> None:
    times = cycle_times(date(2026, 11, 24), time(23, 0), 1, time(16, 0))
    assert times is not None
    assert times.cut_off_at == datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
    assert times.arrives_at == datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
    assert is_open(times.cut_off_at, datetime.fromisoformat(moment)) is open_


def test_terms_that_close_after_the_goods_are_there_make_no_delivery() -> None:
    assert cycle_times(date(2026, 11, 24), time(23, 0), 0, time(16, 0)) is None
    same_day = cycle_times(date(2026, 11, 24), time(9, 30), 0, time(16, 0))
    assert same_day is not None
    assert same_day.cut_off_at == datetime(2026, 11, 24, 1, 30, tzinfo=UTC)


def test_quantities_add_up_per_variant_and_come_in_order() -> None:
    wanted = [Wanted(9, 1, 2), Wanted(3, 2, 1), Wanted(9, 3, 4)]
    assert list(totals(wanted).items()) == [(3, 1), (9, 6)]


@pytest.mark.parametrize(
    ("wanted", "minimum", "multiple", "allowed"), [(1, 1, 1, 1), (1, 4, 2, 4), (5, 4, 2, 6), (6, 4, 2, 6), (1, 5, 2, 6), (7, 1, 6, 12)]
)
def test_the_next_quantity_that_is_sold(wanted: int, minimum: int, multiple: int, allowed: int) -> None:
    assert next_allowed(wanted, minimum, multiple) == allowed


def test_every_state_can_be_reached_and_done_orders_are_never_prepared_again() -> None:
    assert set(COMES_FROM) == set(State)
    reached, frontier = {State.PLACED}, {State.PLACED}
    while frontier:
        frontier = {state for state, sources in COMES_FROM.items() if frontier.intersection(sources)} - reached
        reached |= frontier
    assert reached == set(State)
    for state in (State.ACCEPTED, State.PACKED, State.IN_TRANSIT, State.READY):
        assert not set(COMES_FROM[state]).intersection(DONE)
