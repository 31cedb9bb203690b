"""Seasons, comparable prices, and prices that are likely a slip."""

from __future__ import annotations

from datetime import date

from shop.kernel.money import Money, divide_half_up
from shop.kernel.units import MILLILITRES_PER_LITRE
from shop.kernel.weight import GRAMS_PER_JIN, GRAMS_PER_KILOGRAM, price_per

ALL_YEAR = 0b111111111111


def season_mask(months: str) -> int:
    """The months of `"12-5"` (December to May) as bits, January lowest; nothing means all year. Raises ValueError."""
    if not months:
        return ALL_YEAR
    first, last = (int(month) for month in months.split("-"))
    if not (1 <= first <= 12 and 1 <= last <= 12):
        raise ValueError(f"not months: {months!r}")
    mask, month = 0, first
    while True:
        mask |= 1 << (month - 1)
        if month == last:
            return mask
        month = month % 12 + 1


def price_per_litre(price: Money, millilitres: int) -> Money:
    """What a litre costs of goods sold by volume, rounded half up once."""
    return price_per(price, millilitres, MILLILITRES_PER_LITRE)


def month_bit(day: date) -> int:
    return 1 << (day.month - 1)


def is_in_season(mask: int, day: date) -> bool:
    """Whether a product with a season has it now. What grows all year is not called seasonal."""
    return mask != ALL_YEAR and bool(mask & month_bit(day))


def comparable_prices(price: Money, net_weight_grams: int) -> tuple[Money, Money]:
    """The price per jin (500 g) and per kilogram."""
    return price_per(price, net_weight_grams, GRAMS_PER_JIN), price_per(price, net_weight_grams, GRAMS_PER_KILOGRAM)


FAR_PERCENT = 30


def is_price_far_off(old: Money, new: Money) -> bool:
    """Whether a price differs from the one before by more than `FAR_PERCENT`."""
    return abs(new.fen - old.fen) * 100 > FAR_PERCENT * old.fen


def times_as_much(old: Money, new: Money) -> str:
    """How many times the old price the new one is, to a tenth: `100`, `1.4`."""
    whole, tenth = divmod(divide_half_up(10 * new.fen, old.fen), 10)
    return f"{whole}.{tenth}" if tenth else str(whole)


def percent_less(old: Money, new: Money) -> str:
    """By how much the new price is lower, in whole percent but never all of it: `99%`."""
    return f"{min(divide_half_up(100 * (old.fen - new.fen), old.fen), 99)}%"
