"""Reading what a merchant types: grams, prices, quantities."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from shop.kernel.errors import Invalid, sentence
from shop.kernel.money import Money


class WeightNotUnderstood(Invalid):
    code, field = "weight_not_understood", "grams"
    message = sentence("Please enter the weight in whole grams, for example 850.")


class PriceNotUnderstood(Invalid):
    code, field = "price_not_understood", "price"
    message = sentence("Please enter a price in yuan, for example 12.80.")


class QuantityNotUnderstood(Invalid):
    code, field = "quantity_not_understood", "quantity"
    message = sentence("Please enter a whole number.")


def plain(text: str) -> str:
    """What was meant: full-width figures and blanks do not matter."""
    return unicodedata.normalize("NFKC", text).strip().replace(" ", "").replace(",", "")


def weights_of(form: Mapping[str, str]) -> dict[int, int]:
    """The weights of a packing form, `grams-<line>`; empty fields are left out. Raises `WeightNotUnderstood` naming the field."""
    found: dict[int, int] = {}
    for name, text in form.items():
        line = re.fullmatch(r"grams-(\d{1,15})", name)
        if line is None or not plain(text):
            continue
        if not re.fullmatch(r"\d{1,9}", plain(text), re.ASCII):
            raise WeightNotUnderstood(field=name)
        found[int(line[1])] = int(plain(text))
    return found


def price_of(text: str) -> Money:
    """A price typed in yuan, as fen. Raises `PriceNotUnderstood`."""
    found = re.fullmatch(r"¥?(\d{1,7})(?:\.(\d{1,2}))?", plain(text), re.ASCII)
    if found is None:
        raise PriceNotUnderstood()
    return Money(int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0")))


def quantity_of(text: str) -> int:
    """A whole number. Raises `QuantityNotUnderstood`."""
    if not re.fullmatch(r"\d{1,9}", plain(text), re.ASCII):
        raise QuantityNotUnderstood()
    return int(plain(text))
