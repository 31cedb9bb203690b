"""Reading what a merchant types: weights, prices, quantities."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from shop.kernel import quantities
from shop.kernel.errors import Invalid, sentence
from shop.kernel.money import Money


class WeightNotUnderstood(Invalid):
    code, field = "weight_not_understood", "grams"
    message = sentence("Please enter a weight such as 850 g, 1.7 jin or 0.85 kg; a gram is the smallest step.")


class PriceNotUnderstood(Invalid):
    code, field = "price_not_understood", "price"
    message = sentence("Please enter a price in yuan, for example 12.80.")


class QuantityNotUnderstood(Invalid):
    code, field = "quantity_not_understood", "quantity"
    message = sentence("Please enter a whole number.")


def unit_of(text: str | None) -> str:
    """The unit the scale shows: grams unless it says otherwise."""
    return text if text in quantities.FACTORS else "g"


def grams_of(text: str, unit: str = "g") -> int:
    """A weight in whole grams (`quantities.grams`). Raises `WeightNotUnderstood`."""
    weight = quantities.grams(text, unit)
    if weight is None:
        raise WeightNotUnderstood()
    return weight


def weights_of(form: Mapping[str, str], unit: str = "g") -> dict[int, int]:
    """The weights of a packing form, `grams-<line>`; empty fields are left out. Raises `WeightNotUnderstood` naming the field."""
    found: dict[int, int] = {}
    for name, text in form.items():
        line = re.fullmatch(r"grams-(\d{1,15})", name)
        if line is None or not text.strip():
            continue
        try:
            found[int(line[1])] = grams_of(text, unit)
        except WeightNotUnderstood:
            raise WeightNotUnderstood(field=name) from None
    return found


def sure_of(form: Mapping[str, str]) -> dict[int, int]:
    """The weights that were said to be right although they are far off, `sure-<line>` with the grams that were asked about."""
    ticks = ((re.fullmatch(r"sure-(\d{1,15})", name), text) for name, text in form.items())
    return {int(line[1]): int(text) for line, text in ticks if line and re.fullmatch(r"\d{1,9}", text, re.ASCII)}


def price_of(text: str) -> Money:
    """A price typed in yuan, as fen. Raises `PriceNotUnderstood`, and `UnclearComma` for `5,80`."""
    price = quantities.yuan(text)
    if price is None:
        raise PriceNotUnderstood()
    return price


def quantity_of(text: str) -> int:
    """A whole number. Raises `QuantityNotUnderstood`."""
    quantity = quantities.whole_number(text)
    if quantity is None:
        raise QuantityNotUnderstood()
    return quantity


def month_of(first: date | None, today: date) -> date | None:
    """The month that was asked for, by its first day; None for no month, and for one that has not begun."""
    return first if first and first <= today else None
