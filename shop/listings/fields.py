"""What is typed into the fields of a product becomes values of its columns, or is refused with a sentence for each field."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from shop.kernel import quantities
from shop.kernel.errors import Invalid, ShopError
from shop.kernel.money import ZERO, Money
from shop.kernel.text import clean, name
from shop.listings.errors import (
    BarcodeNotUnderstood,
    FieldMissing,
    ListingIncomplete,
    NotOneOfThese,
    NumberNotUnderstood,
    PriceNotUnderstood,
    SeasonIncomplete,
    StepsDoNotFit,
    WeightNotUnderstood,
)
from shop.listings.rules import ALLERGENS, JIN_GRAMS, SELLING, UNITS, usual_of
from shop.models.catalog import Storage

LONGEST_NAME, LONGEST_UNIT, LONGEST_PLACE, LONGEST_DESCRIPTION = 80, 40, 60, 2_000
MOST_STOCK, MOST_ORDER, MOST_DAYS, MOST_GRAMS = 1_000_000, 1_000, 3_650, 1_000_000
BARCODE = re.compile(r"[0-9]{8}|[0-9]{12,14}")

YES_OR_NO = {"1": True, "0": False}

Typed = Mapping[str, str]

OF_PRODUCT = {
    "name_zh": LONGEST_NAME, "name_en": LONGEST_NAME, "category": 40, "storage": 20, "shelf_life": 40, "origin_zh": LONGEST_PLACE,
    "origin_en": LONGEST_PLACE, "season_from": 4, "season_to": 4, "is_agricultural": 1, "is_returnable": 1, "allergens": 80,
    "description_zh": LONGEST_DESCRIPTION, "description_en": LONGEST_DESCRIPTION,
}  # fmt: skip
OF_SIZE = {"unit_zh": LONGEST_UNIT, "unit_en": LONGEST_UNIT, "grams": 40, "barcode": 40, "minimum": 40, "multiple": 40}
OF_NEW_SIZE = {**OF_SIZE, "price": 40, "stock": 40}
OF_DRAFT = {**OF_PRODUCT, **OF_NEW_SIZE, "selling": 20}
"""The fields of each form, with the most characters that are kept of them."""


class Reader:
    """Reads fields one by one and gathers what is wrong with which, so that all of it is told at once."""

    def __init__(self, typed: Typed) -> None:
        self.typed = typed
        self.refused: dict[str, ShopError] = {}

    def said(self, field: str) -> str:
        return self.typed.get(field, "").strip()

    def read(self, field: str, how: Callable[[str], Any], usual: Any = None) -> Any:
        """The value of a field; `usual` where it is empty, without which it is missing."""
        said = self.said(field)
        try:
            if not said:
                if usual is None:
                    raise FieldMissing(field)
                return usual
            return how(said)
        except Invalid as refusal:
            self.refused[field] = refusal
            return usual

    def settle(self) -> None:
        """Raises `ListingIncomplete` when anything is wrong."""
        if self.refused:
            raise ListingIncomplete(self.refused)


def one_of(choices: Mapping[str, Any]) -> Callable[[str], Any]:
    def read(said: str) -> Any:
        if said not in choices:
            raise NotOneOfThese()
        return choices[said]

    return read


def number(least: int, most: int) -> Callable[[str], int]:
    def read(said: str) -> int:
        found = quantities.whole_number(said)
        if found is None or not least <= found <= most:
            raise NumberNotUnderstood(least=least, most=most)
        return found

    return read


def price(said: str) -> Money:
    found = quantities.yuan(said)
    if found is None or found <= ZERO:
        raise PriceNotUnderstood()
    return found


def grams(said: str) -> int:
    found = quantities.grams(said)
    if found is None or not 0 < found <= MOST_GRAMS:
        raise WeightNotUnderstood()
    return found


def barcode(said: str) -> str:
    plain = quantities.readable(said).replace(" ", "")
    if not BARCODE.fullmatch(plain):
        raise BarcodeNotUnderstood()
    return plain


def line(limit: int) -> Callable[[str], str]:
    return lambda said: name(said, limit)


def lines(said: str) -> str:
    return clean(said, LONGEST_DESCRIPTION, multiline=True)


def allergens(said: str) -> str:
    parts = {part for part in said.split("|") if part}
    if not parts <= set(ALLERGENS):
        raise NotOneOfThese()
    return "|".join(sorted(parts))


def season(reader: Reader) -> str:
    """`12-5`; empty for all year."""
    months = {str(month): month for month in range(1, 13)}
    first, last = (reader.read(field, one_of(months), 0) for field in ("season_from", "season_to"))
    if bool(first) != bool(last):
        reader.refused.setdefault("season_to" if first else "season_from", SeasonIncomplete())
    return f"{first}-{last}" if first and last else ""


def product_of(reader: Reader, categories: Mapping[str, int]) -> dict[str, Any]:
    """The columns of a product. Left empty, a field says what is usual in its category; English words are those in Chinese."""
    usual = usual_of(reader.said("category"))
    zh = reader.read("name_zh", line(LONGEST_NAME))
    place = reader.read("origin_zh", line(LONGEST_PLACE))
    return {
        "name_zh": zh, "name_en": reader.read("name_en", line(LONGEST_NAME), zh or ""),
        "category_id": reader.read("category", one_of(categories)),
        "storage": reader.read("storage", one_of({one.value: one for one in Storage}), Storage(usual.storage)),
        "shelf_life_days": reader.read("shelf_life", number(1, MOST_DAYS), int(usual.shelf_life)),
        "origin_zh": place, "origin_en": reader.read("origin_en", line(LONGEST_PLACE), place or ""),
        "season_months": season(reader),
        "is_agricultural": reader.read("is_agricultural", one_of(YES_OR_NO), YES_OR_NO[usual.is_agricultural]),
        "is_returnable_within_7_days": reader.read("is_returnable", one_of(YES_OR_NO), YES_OR_NO[usual.is_returnable]),
        "allergens": reader.read("allergens", allergens, ""),
        "description_zh": reader.read("description_zh", lines, ""), "description_en": reader.read("description_en", lines, ""),
    }  # fmt: skip


def size_of(reader: Reader, selling: str = "") -> dict[str, Any]:
    """The columns of a size. Sold by weight without a word, it is a jin; steps and minimum are 1."""
    zh_usual, en_usual = UNITS.get(selling, (None, None))
    zh = reader.read("unit_zh", line(LONGEST_UNIT), zh_usual)
    en = en_usual if zh == zh_usual else zh
    least, step = (reader.read(field, number(1, MOST_ORDER), 1) for field in ("minimum", "multiple"))
    if least % step:
        reader.refused["minimum"] = StepsDoNotFit()
    is_a_jin = selling == "weight" and zh == UNITS["weight"][0]
    return {
        "label_zh": zh, "label_en": reader.read("unit_en", line(LONGEST_UNIT), en or ""),
        "net_weight_grams": reader.read("grams", grams, int(JIN_GRAMS) if is_a_jin else None),
        "barcode": reader.read("barcode", barcode, "") or None, "minimum_quantity": least, "multiple": step,
    }  # fmt: skip


def selling_of(reader: Reader) -> str:
    """The word for how it is sold; what is usual in the category where nothing is said."""
    usual = usual_of(reader.said("category")).selling
    return str(reader.read("selling", one_of({word: word for word in SELLING}), usual))
