"""Amounts, counts and weights as people type them. What could be meant in two ways is refused and never guessed (decision 33).

A full stop is a decimal point, also that of a Chinese keyboard. A comma or a blank parts thousands and nothing else: `5,80` is not 580.
"""

from __future__ import annotations

import re
import unicodedata

from shop.kernel.errors import Invalid, sentence
from shop.kernel.money import Money
from shop.kernel.weight import GRAMS_PER_JIN, GRAMS_PER_KILOGRAM

MOST_CHARACTERS = 40
MOST_YUAN = 9_999_999

NUMBER = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,3}))?")
THOUSANDS = re.compile(r"[1-9][0-9]{0,2}(?:(?:,[0-9]{3}){1,2}|(?: [0-9]{3}){1,2})(?:\.[0-9]{1,3})?")
UNCLEAR = re.compile(r"([0-9]{1,7}),([0-9]{1,2})")

FACTORS = {"g": 1, "jin": GRAMS_PER_JIN, "kg": GRAMS_PER_KILOGRAM}
SPELLINGS = {"": "", "g": "g", "克": "g", "jin": "jin", "斤": "jin", "kg": "kg", "公斤": "kg", "千克": "kg"}
WEIGHT = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,3}))? ?([a-z\u4e00-\u9fff]{0,3})")
JIN_AND_LIANG = re.compile(r"([0-9]{1,6}) ?斤 ?([0-9]) ?两?")
LIANG_PER_JIN = 10


class UnclearComma(Invalid):
    code = "unclear_comma"
    message = sentence("Is that %(point)s or %(whole)s? Please type it without a comma.")


def readable(text: str) -> str:
    """Half-width, with single blanks, `。` as a point, without marks that nobody sees; empty for what is too long to be a number."""
    if len(text) > MOST_CHARACTERS:
        return ""
    plain = unicodedata.normalize("NFKC", text).replace("。", ".")
    seen = "".join(character for character in plain if unicodedata.category(character) != "Cf")
    return " ".join(seen.split())[:MOST_CHARACTERS]


def _number(plain: str) -> tuple[int, str] | None:
    """Whole part and decimals. Raises `UnclearComma` for `5,80`."""
    if unclear := UNCLEAR.fullmatch(plain):
        raise UnclearComma(point=f"{unclear[1]}.{unclear[2]}", whole=str(int(unclear[1] + unclear[2])))
    if THOUSANDS.fullmatch(plain):
        plain = plain.replace(",", "").replace(" ", "")
    found = NUMBER.fullmatch(plain)
    return (int(found[1]), found[2] or "") if found else None


def yuan(text: str) -> Money | None:
    """An amount typed in yuan: `12.8`, `¥12.80`, `1,280.00`, `12.80 元`. None when it is none, `UnclearComma` for `12,80`."""
    plain = readable(text)
    for sign in ("¥", "元", "块"):
        plain = (plain.removeprefix(sign) if sign == "¥" else plain.removesuffix(sign)).strip()
    found = _number(plain)
    if found is None or len(found[1]) > 2:
        return None
    whole, decimals = found
    if whole > MOST_YUAN:
        return None
    return Money(whole * 100 + int(decimals.ljust(2, "0")))


def whole_number(text: str) -> int | None:
    """A count: `12`, `1,000`. None when it is none, also for `1,5`."""
    try:
        found = _number(readable(text))
    except UnclearComma:
        return None
    return found[0] if found and not found[1] else None


def grams(text: str, unit: str = "g") -> int | None:
    """A weight as a scale shows it or people say it: `850`, `1.7斤`, `1斤7两`, `0.85 kg`; without a unit it is in `unit`.

    Never rounded, and None for anything that is not whole grams. Any comma is refused: `1,250` is a thousand grams or one kilogram.
    """
    plain = readable(text).lower()
    if spoken := JIN_AND_LIANG.fullmatch(plain):
        return int(spoken[1]) * GRAMS_PER_JIN + int(spoken[2]) * GRAMS_PER_JIN // LIANG_PER_JIN
    found = WEIGHT.fullmatch(plain)
    if found is None or found[3] not in SPELLINGS:
        return None
    thousandths = int(found[1]) * 1_000 + int((found[2] or "").ljust(3, "0"))
    weight, rest = divmod(thousandths * FACTORS[SPELLINGS[found[3]] or unit], 1_000)
    return None if rest else weight
