"""Amounts, counts and weights as people type them: a comma is read rightly or refused, and never dropped."""

from __future__ import annotations

import pytest

from shop.kernel import quantities
from shop.kernel.money import Money
from shop.kernel.quantities import UnclearComma

pytestmark = pytest.mark.one_engine

YUAN = {
    "12.80": 1280, "12.8": 1280, "5": 500, "0.5": 50, "0": 0, "007": 700, "¥12.80": 1280, "￥ 12.80": 1280, "12.80元": 1280,
    "12.80 元": 1280, "１２．８０": 1280, "5。80": 580, "5｡80": 580, " 5.80 ": 580, "5.80\u200b": 580, "1,000": 100_000, "1，000": 100_000,
    "1,280.00": 128_000, "12,800": 1_280_000, "1,234,567.8": 123_456_780, "1 280": 128_000, "¥1,280.00": 128_000,
    "9999999.99": 999_999_999, "8块": 800,
}  # fmt: skip

NO_YUAN = (
    "", "abc", "-5", "+5", "5.", ".5", "5.805", "1.280,00", "1,28,000", "0,500", "12,8000", "5 80", "1 2", "1,280 000", "1e3",
    "0x10", "1_000", "10000000", "9" * 41, "五", "٥", "5.8.0", "5,80,00", "5、80", "5..8", "¥", "元",
)  # fmt: skip

UNCLEAR = {
    "5,80": ("5.80", "580"), "12，80": ("12.80", "1280"), "1,5": ("1.5", "15"), "¥5,80": ("5.80", "580"), "5,80元": ("5.80", "580"),
    "0,5": ("0.5", "5"),
}  # fmt: skip


@pytest.mark.parametrize(("typed", "fen"), YUAN.items())
def test_an_amount_in_yuan_is_read(typed: str, fen: int) -> None:
    assert quantities.yuan(typed) == Money(fen)


@pytest.mark.parametrize("typed", NO_YUAN)
def test_what_is_no_amount_is_none(typed: str) -> None:
    assert quantities.yuan(typed) is None


@pytest.mark.parametrize(("typed", "meant"), UNCLEAR.items())
def test_a_comma_that_could_be_a_point_is_refused_with_both_readings(typed: str, meant: tuple[str, str]) -> None:
    with pytest.raises(UnclearComma) as refusal:
        quantities.yuan(typed)
    assert (refusal.value.details["point"], refusal.value.details["whole"]) == meant


@pytest.mark.parametrize(
    ("typed", "count"),
    [
        ("12", 12), ("１２", 12), (" 12 ", 12), ("1,000", 1_000), ("1，000", 1_000), ("0", 0), ("12\u200b", 12), ("999999999", 999_999_999),
        ("1,5", None), ("1，5", None), ("1.5", None), ("1.0", None), ("1 5", None), ("-1", None), ("+1", None), ("1_0", None), ("", None),
        ("x", None), ("9" * 10, None), ("9" * 50, None), ("٥", None), ("1.", None),
    ],
)  # fmt: skip
def test_a_count_is_a_whole_number(typed: str, count: int | None) -> None:
    assert quantities.whole_number(typed) == count


@pytest.mark.parametrize(
    ("typed", "unit", "weight"),
    [
        ("850", "g", 850), ("８５０", "g", 850), ("850 g", "kg", 850), ("0.85 kg", "g", 850), ("0。85公斤", "g", 850), ("1.7斤", "g", 850),
        ("1.7", "jin", 850), ("1斤7两", "g", 850), ("1 斤 7 两", "g", 850), ("1斤7", "g", 850), ("1.7 JIN", "g", 850),
        ("850克\u200b", "g", 850), ("1,7", "jin", None), ("1，7斤", "g", None), ("1,250", "g", None),
        ("1 7", "jin", None), ("1 250", "g", None),
        ("0.0005", "kg", None), ("1.7两", "g", None), ("850 g g", "g", None), ("", "g", None), ("-5", "g", None),
        ("9" * 50, "g", None), ("1.001", "g", None),
    ],
)  # fmt: skip
def test_a_weight_is_whole_grams_and_never_ten_times_as_much(typed: str, unit: str, weight: int | None) -> None:
    assert quantities.grams(typed, unit) == weight
