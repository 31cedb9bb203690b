"""Money as it is written."""

from __future__ import annotations

import pytest

from shop.kernel.money import Money
from shop.platform.language import yuan


@pytest.mark.parametrize(
    ("fen", "written"),
    [(0, "0.00"), (5, "0.05"), (1280, "12.80"), (99_999, "999.99"), (100_000, "1,000.00"), (123_456_789, "1,234,567.89"),
     (-647_114, "-6,471.14")],
)  # fmt: skip
def test_thousands_are_told_apart(fen: int, written: str) -> None:
    assert str(Money(fen)) == written


def test_the_sign_stands_before_the_currency() -> None:
    assert yuan(Money(-647_114)) == "−¥6,471.14"
