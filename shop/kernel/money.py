"""Amounts of the one currency, CNY, counted in whole fen (1/100 yuan)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

CURRENCY = "CNY"


@dataclass(frozen=True, order=True, slots=True)
class Money:
    """A whole number of fen. Never a float; multiplied by counts only, divided by `share`."""

    fen: int

    def __post_init__(self) -> None:
        if type(self.fen) is not int:
            raise TypeError(f"Money counts whole fen, got {self.fen!r}")

    def __add__(self, other: Money) -> Money:
        return Money(self.fen + other.fen)

    def __sub__(self, other: Money) -> Money:
        return Money(self.fen - other.fen)

    def __neg__(self) -> Money:
        return Money(-self.fen)

    def __mul__(self, times: int) -> Money:
        return Money(self.fen * times)

    def __bool__(self) -> bool:
        return self.fen != 0

    def __str__(self) -> str:
        sign = "-" if self.fen < 0 else ""
        yuan, fen = divmod(abs(self.fen), 100)
        return f"{sign}{yuan:,}.{fen:02d}"

    @classmethod
    def total(cls, amounts: Iterable[Money]) -> Money:
        """The sum; nothing sums to zero."""
        return cls(sum(amount.fen for amount in amounts))


ZERO = Money(0)


def divide_half_up(numerator: int, denominator: int) -> int:
    """Whole-number division, half away from zero: the shop's one rounding. `denominator` is positive."""
    if denominator <= 0:
        raise ValueError("denominator must be positive")
    quotient = (2 * abs(numerator) + denominator) // (2 * denominator)
    return quotient if numerator >= 0 else -quotient


def basis_points(amount: Money, bps: int) -> Money:
    """`bps` ten-thousandths of an amount, half up: commission and fees."""
    return Money(divide_half_up(amount.fen * bps, 10_000))


def share(amount: Money, weights: Sequence[int]) -> list[Money]:
    """Split an amount over weights exactly, by largest remainder; ties go to the earlier place.

    Weights of zero throughout split evenly. The parts always sum to the amount (domain rules 6.2).
    """
    if not weights:
        raise ValueError("nothing to share over")
    if any(weight < 0 for weight in weights):
        raise ValueError("weights cannot be negative")
    sign = -1 if amount.fen < 0 else 1
    fen = abs(amount.fen)
    parts = list(weights) if sum(weights) else [1] * len(weights)
    whole = sum(parts)
    shares = [fen * part // whole for part in parts]
    remainders = [fen * part % whole for part in parts]
    for place in sorted(range(len(parts)), key=lambda index: (-remainders[index], index))[: fen - sum(shares)]:
        shares[place] += 1
    return [Money(sign * part) for part in shares]
