"""The arithmetic of the shelf: docs/algorithms/stock.md, and what is likely a slip."""

from __future__ import annotations

import pytest

from shop.catalog.rules import is_price_far_off, percent_less, times_as_much
from shop.kernel.money import Money
from shop.stock import rules
from shop.stock.rules import Change, Lying


@pytest.mark.parametrize(
    ("lying", "on_shelf", "available"),
    [
        (Lying(on_hand=3, reserved=0, missing=0, waiting=0), 3, 3),
        (Lying(on_hand=1, reserved=0, missing=0, waiting=2), 3, 1),
        (Lying(on_hand=5, reserved=2, missing=0, waiting=4), 9, 3),
        (Lying(on_hand=0, reserved=0, missing=1, waiting=2), 1, 0),
        (Lying(on_hand=5, reserved=0, missing=1, waiting=2), 6, 4),
        (Lying(on_hand=0, reserved=0, missing=1, waiting=0), 0, 0),
    ],
)
def test_what_lies_there_is_what_is_free_held_or_sold_and_not_packed(lying: Lying, on_shelf: int, available: int) -> None:
    assert (lying.on_shelf, lying.available) == (on_shelf, available)


@pytest.mark.parametrize(
    ("lying", "quantity", "change", "available"),
    [
        (Lying(1, 0, 0, 2), 3, Change(0), 1),  # all there
        (Lying(1, 0, 0, 2), 5, Change(2), 3),
        (Lying(1, 0, 0, 2), 2, Change(-1), 0),
        (Lying(1, 0, 0, 2), 1, Change(-1, 1), 0),  # one of the two sold is not there
        (Lying(1, 0, 0, 2), 0, Change(-1, 2), 0),
        (Lying(5, 2, 0, 4), 5, Change(-3, 1), 0),  # two held stay held
        (Lying(0, 0, 1, 2), 2, Change(0, -1), 0),  # it was found again
        (Lying(0, 0, 1, 2), 6, Change(4, -1), 4),
        (Lying(0, 0, 1, 0), 0, Change(0, -1), 0),  # packed after all
    ],
)
def test_a_count_keeps_promises_first_and_frees_the_rest(lying: Lying, quantity: int, change: Change, available: int) -> None:
    assert rules.counted(lying, quantity) == change
    after = Lying(lying.on_hand + change.quantity, lying.reserved, lying.missing + change.missing_by, lying.waiting)
    assert (after.on_shelf, after.available) == (quantity, available)
    assert after.on_hand >= after.reserved


@pytest.mark.parametrize(
    ("lying", "quantity", "change"),
    [(Lying(5, 2, 0, 4), 3, Change(-3)), (Lying(5, 2, 0, 4), 4, Change(-3, 1)), (Lying(0, 0, 0, 2), 2, Change(0, 2))],
)
def test_what_spoils_is_free_goods_first(lying: Lying, quantity: int, change: Change) -> None:
    assert rules.taken(lying, quantity) == change
    after = Lying(lying.on_hand + change.quantity, lying.reserved, lying.missing + change.missing_by, lying.waiting)
    assert after.on_shelf == lying.on_shelf - quantity


@pytest.mark.parametrize(
    ("quantity", "most", "is_many"),
    [(1_000, 0, False), (1_001, 0, True), (50, 1, False), (51, 1, True), (500, 50, False), (501, 50, True), (1_001, 900, True)],
)
def test_ten_times_the_most_so_far_is_asked_about(quantity: int, most: int, is_many: bool) -> None:
    assert rules.is_very_many(quantity, most) is is_many


@pytest.mark.parametrize(
    ("expected", "quantity", "is_far"),
    [(3, 3, False), (6, 1, False), (10, 5, False), (11, 5, True), (10, 20, True), (100, 60, False), (0, 6, True)],
)
def test_a_count_that_is_off_by_more_than_half_is_asked_about(expected: int, quantity: int, is_far: bool) -> None:
    assert rules.is_count_far_off(expected, quantity) is is_far


@pytest.mark.parametrize(
    ("old", "new", "is_far"),
    [(580, 580, False), (580, 754, False), (580, 755, True), (580, 406, False), (580, 405, True), (580, 58_000, True)],
)
def test_a_price_is_far_off_beyond_thirty_percent(old: int, new: int, is_far: bool) -> None:
    assert is_price_far_off(Money(old), Money(new)) is is_far


def test_how_far_prices_are_apart_is_said_in_words_people_use() -> None:
    assert times_as_much(Money(580), Money(58_000)) == "100"
    assert times_as_much(Money(1_000), Money(1_440)) == "1.4"
    assert percent_less(Money(8_900), Money(100)) == "99%"
    assert percent_less(Money(1_000), Money(600)) == "40%"
    assert percent_less(Money(100_000), Money(1)) == "99%"
