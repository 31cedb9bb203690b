"""Selling units as people say them: 3斤, 2盒（每盒12枚）, ¥21.90/盒（12枚）, 3 jin.

A unit is a merchant's free text ("斤", "12枚/盒", "只(约3斤)", "2.5 kg box"). What is not understood stays as it was written.
"""

from __future__ import annotations

import re
from decimal import Decimal

MILLILITRES_PER_LITRE = 1_000
LONGER = {"公斤", "千克", "毫升", "礼盒"}
COUNTERS = LONGER | set("斤两克升个只条件把盒袋瓶箱包桶罐份台套枚颗粒根棵株块片张双卷束捆串提杯碗支本对组听筐卡头尾扎")
MEASURES = frozenset({"jin", "liang", "kg", "g", "L", "ml"})
WEIGHTS = frozenset({"斤", "公斤", "千克", "两", "克", "jin", "liang", "kg", "g"})

INSIDE = re.compile(r"(?P<inside>.+)/(?P<counter>[^/]+)")  # 12枚/盒
ABOUT = re.compile(r"(?P<counter>[^(（]+)[(（](?P<inside>.+)[)）]")  # 只(约3斤)


VOLUME = re.compile(
    r"(?<![\d.])(?:(?P<before>\d{1,4}) ?[×x] ?)?(?P<each>\d{1,5}(?:\.\d{1,3})?) ?(?P<measure>毫升|ml|升|l)(?![a-z])"
    r"(?: ?[×x] ?(?P<after>\d{1,4}))?",
    re.IGNORECASE,
)  # 245ml×6/组, 6 × 245 ml pack, 1.8L/桶


def millilitres_of(unit: str) -> int:
    """What one unit holds, in whole millilitres, of goods sold by volume: 1,800 of 1.8L/桶, 1,470 of 6 × 245 ml; 0 for all others."""
    found = VOLUME.search(unit)
    if found is None:
        return 0
    each = Decimal(found["each"]) * (1 if found["measure"].lower() in ("ml", "毫升") else MILLILITRES_PER_LITRE)
    return int(each * int(found["before"] or 1) * int(found["after"] or 1))


def counter_of(unit: str) -> str:
    """What is counted: 斤 of 斤, 盒 of 12枚/盒, 只 of 只(约3斤), jin; empty where the unit does not say."""
    return _parts(unit)[0]


def per_unit(unit: str) -> str:
    """The unit as it is read after a price and a stroke: 盒（12枚） for 12枚/盒."""
    counter, inside = _parts(unit)
    return f"{counter}（{inside}）" if inside else unit


def quantity_of(unit: str, quantity: int) -> str:
    """So many of a unit: 3斤, 1盒（12枚）, 2盒（每盒12枚）, 3 jin; `30枚 × 2` where nothing better is known."""
    counter, inside = _parts(unit)
    if not counter:
        return f"{unit} × {quantity}"
    if counter in MEASURES:
        return f"{quantity} {counter}"
    if not inside:
        return f"{quantity}{counter}"
    return f"{quantity}{counter}（{inside}）" if quantity == 1 else f"{quantity}{counter}（每{counter}{inside}）"


def _parts(unit: str) -> tuple[str, str]:
    """The counter of a unit and what one of it holds; both empty when it is written in no way that is known."""
    if unit in COUNTERS or unit in MEASURES:
        return unit, ""
    found = INSIDE.fullmatch(unit) or ABOUT.fullmatch(unit)
    if found is None or found["counter"] not in COUNTERS:
        return "", ""
    return found["counter"], found["inside"]
