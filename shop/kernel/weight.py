"""Weights in whole grams. One jin (斤) is 500 g, one liang (两) 50 g, one kilogram 1,000 g."""

from __future__ import annotations

from shop.kernel.money import Money, divide_half_up

GRAMS_PER_JIN = 500
GRAMS_PER_KILOGRAM = 1_000


def price_of_weight(price: Money, grams: int, per_grams: int) -> Money:
    """What `grams` cost at `price` for `per_grams`, half up to the fen, once (domain rule 3.1)."""
    if grams < 0:
        raise ValueError("a weight cannot be negative")
    return Money(divide_half_up(price.fen * grams, per_grams))


def price_per(price: Money, net_grams: int, unit_grams: int) -> Money:
    """The comparable price of `unit_grams`, for a pack of `net_grams` at `price`."""
    return Money(divide_half_up(price.fen * unit_grams, net_grams))
