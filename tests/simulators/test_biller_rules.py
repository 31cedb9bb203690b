"""The biller's arithmetic: tiers, late fees, months. The figures are the worked examples of the trade."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from simulators.biller.arrears import due_on, last_full_month, late_fee_fen, rounded_fen, step, tier_lines
from simulators.biller.behaviours import behaviour_of
from simulators.biller.registry import billers, tariffs

pytestmark = pytest.mark.one_engine


@pytest.mark.parametrize(
    ("usage", "fen"),
    [(0, 0), (90, 4702), (180, 9403), (181, 9465), (200, 10648), (280, 15627), (281, 15709), (300, 17272), (400, 25496)],
)
def test_power_tiers_give_the_worked_amounts(usage: int, fen: int) -> None:
    assert rounded_fen(tier_lines(tariffs()["power"], usage, "2026-09")) == fen


@pytest.mark.parametrize(("principal", "days", "fee"), [(9403, 0, 0), (9403, 1, 100), (9403, 10, 100), (9403, 11, 103), (50000, 7, 350)])
def test_power_late_fee_has_its_one_yuan_floor(principal: int, days: int, fee: int) -> None:
    due = date(2026, 9, 30)
    assert late_fee_fen(billers()["power"], principal, due, date.fromordinal(due.toordinal() + days)) == fee


def test_water_late_fee_has_no_floor_and_never_exceeds_the_principal() -> None:
    water, due = billers()["water-city"], date(2026, 9, 30)
    assert late_fee_fen(water, 3700, due, date(2026, 10, 1)) == 4
    assert late_fee_fen(water, 3700, due, date(2036, 10, 1)) == 3700
    assert late_fee_fen(replace(water, late_fee_bp_per_day=0), 3700, due, date(2036, 10, 1)) == 0


def test_months_step_over_the_year_and_are_due_at_the_end_of_the_next() -> None:
    assert step((2026, 1), -1) == (2025, 12)
    assert step((2025, 12), 1) == (2026, 1)
    assert last_full_month(date(2026, 1, 5)) == (2025, 12)
    assert due_on((2025, 12)) == date(2026, 1, 31)
    assert due_on((2026, 1)) == date(2026, 2, 28)


def test_the_last_digit_found_decides() -> None:
    assert behaviour_of("3-2-1209").file_difference
    assert behaviour_of("user4name").slow
    assert behaviour_of("nodigits").name == "one_period"


def test_every_metered_biller_has_a_tariff() -> None:
    metered = {code for code, biller in billers().items() if biller.category in {"electricity", "water"} or code.startswith("gas-")}
    assert metered == set(tariffs())
