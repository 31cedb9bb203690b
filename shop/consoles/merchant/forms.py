"""Reading what a merchant types: weights, prices, quantities, and the place in a list that stands in the address."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from datetime import date

from shop.kernel.errors import Invalid, sentence
from shop.kernel.money import Money
from shop.kernel.weight import GRAMS_PER_JIN, GRAMS_PER_KILOGRAM


class WeightNotUnderstood(Invalid):
    code, field = "weight_not_understood", "grams"
    message = sentence("Please enter a weight such as 850 g, 1.7 jin or 0.85 kg; a gram is the smallest step.")


class PriceNotUnderstood(Invalid):
    code, field = "price_not_understood", "price"
    message = sentence("Please enter a price in yuan, for example 12.80.")


class QuantityNotUnderstood(Invalid):
    code, field = "quantity_not_understood", "quantity"
    message = sentence("Please enter a whole number.")


def plain(text: str) -> str:
    """What was meant: full-width figures and blanks do not matter."""
    return unicodedata.normalize("NFKC", text).strip().replace(" ", "").replace(",", "")


UNITS = {"g": 1, "jin": GRAMS_PER_JIN, "kg": GRAMS_PER_KILOGRAM}
SPELLINGS = {"": "", "g": "g", "克": "g", "jin": "jin", "斤": "jin", "kg": "kg", "公斤": "kg", "千克": "kg"}
LIANG_PER_JIN = 10


def unit_of(text: str | None) -> str:
    """The unit the scale shows: grams unless it says otherwise."""
    return text if text in UNITS else "g"


def grams_of(text: str, unit: str = "g") -> int:
    """A weight as a scale shows it or people say it: `850`, `1.7斤`, `1斤7两`, `0.85 kg`; without a unit it is in `unit`.

    Never rounded: raises `WeightNotUnderstood` for anything that is not whole grams.
    """
    if re.search("[,，]", text):  # somewhere it is a decimal point, elsewhere not: ten times the weight is no small mistake
        raise WeightNotUnderstood()
    meant = plain(text).lower()
    spoken = re.fullmatch(r"(\d{1,6})斤(\d)两?", meant, re.ASCII)
    if spoken:
        return int(spoken[1]) * GRAMS_PER_JIN + int(spoken[2]) * GRAMS_PER_JIN // LIANG_PER_JIN
    found = re.fullmatch(r"(\d{1,9})(?:\.(\d{1,3}))?([a-z\u4e00-\u9fff]*)", meant, re.ASCII)
    if found is None or found[3] not in SPELLINGS:
        raise WeightNotUnderstood()
    thousandths = int(found[1]) * 1_000 + int((found[2] or "").ljust(3, "0"))
    grams, rest = divmod(thousandths * UNITS[SPELLINGS[found[3]] or unit], 1_000)
    if rest:
        raise WeightNotUnderstood()
    return grams


def weights_of(form: Mapping[str, str], unit: str = "g") -> dict[int, int]:
    """The weights of a packing form, `grams-<line>`; empty fields are left out. Raises `WeightNotUnderstood` naming the field."""
    found: dict[int, int] = {}
    for name, text in form.items():
        line = re.fullmatch(r"grams-(\d{1,15})", name)
        if line is None or not plain(text):
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


def cursor_of(text: str | None) -> int | None:
    """A place in a list; anything else is the beginning."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 16 else None


def size_of(text: str | None, sizes: Sequence[int]) -> int:
    """How many rows a page shows: one of the sizes on offer, else the smallest."""
    return next((size for size in sizes if str(size) == text), sizes[0])


def sort_of(text: str | None, sorts: Collection[str], usual: str) -> str:
    """By what a list is sorted: a known column, with a minus from the top down."""
    return text if text and text.removeprefix("-") in sorts else usual


def month_of(text: str | None, today: date) -> date | None:
    """The first day of a month such as `2026-11`; None for no month, and for one that has not begun."""
    found = re.fullmatch(r"(20\d\d)-(0[1-9]|1[0-2])", text or "", re.ASCII)
    first = date(int(found[1]), int(found[2]), 1) if found else None
    return first if first and first <= today else None
