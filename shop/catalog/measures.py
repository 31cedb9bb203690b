"""How much, as people write it beside the name of a thing: 5斤, 2.5 kg, 两斤, 500g, 1.8L, 30枚. The same amount is the same term.

Weights become grams (`g:2500`), volumes millilitres (`v:1800`), counted things their number (`c:30`), so that 5斤, 2.5公斤 and 五斤 find
the same box. What is typed after a thing puts those sizes first; it leaves nothing out.
"""

from __future__ import annotations

import re
from decimal import Decimal

from shop.kernel.units import millilitres_of

GRAMS = {"斤": 500, "市斤": 500, "jin": 500, "公斤": 1_000, "千克": 1_000, "kg": 1_000, "两": 50, "克": 1, "g": 1}
MILLILITRES = {"升": 1_000, "l": 1_000, "毫升": 1, "ml": 1}
COUNTED = frozenset("个只枚条颗粒包袋盒瓶卷片罐桶")
DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九十")} | {"两": 2, "俩": 2}
MOST = 10_000_000

WRITTEN = re.compile(
    r"(?<![0-9.a-z])([0-9]{1,6}(?:\.[0-9]{1,3})?) ?"
    r"(公斤|千克|市斤|斤|两|克|毫升|升|kg|g|jin|ml|l|[个只枚条颗粒包袋盒瓶卷片罐桶])(?![a-z])装?"
)
SPOKEN = re.compile(r"([一二两俩三四五六七八九十半])(公斤|千克|市斤|斤|两|升)(半?)装?")
TIMES = re.compile(r"[×x] ?([0-9]{1,3})(?![0-9.])|(?<![0-9.])([0-9]{1,3}) ?[×x]")
"""How many are in a pack, on either side: 245ml×6/组, 6 × 245 ml."""
COUNTED_IN_ENGLISH = re.compile(r"(?<![0-9.])([0-9]{1,4}) (?:eggs?|packs?|rolls?|pieces?|bottles?|cups?|bags?|boxes)")


def amount(number: Decimal, unit: str) -> str:
    """The term of so many of a unit; empty for what is no amount."""
    for letter, sizes in (("g", GRAMS), ("v", MILLILITRES)):
        if unit in sizes:
            value = int(number * sizes[unit])
            return f"{letter}:{value}" if 0 < value <= MOST else ""
    return f"c:{int(number)}" if unit in COUNTED and number == int(number) and number > 1 else ""


def taken_out(folded: str) -> tuple[list[str], str]:
    """The amounts in what somebody typed, and the rest of it with a space in the place of each."""
    found: list[str] = []

    def read(number: Decimal, unit: str, written: str) -> str:
        term = amount(number, unit)
        found.extend([term] if term and term not in found else [])
        return " " if term else written

    rest = WRITTEN.sub(lambda at: read(Decimal(at[1]), at[2], at[0]), folded)
    rest = SPOKEN.sub(lambda at: read(spoken(at[1]) + (Decimal("0.5") if at[3] else 0), at[2], at[0]), rest)
    return found, rest


def spoken(character: str) -> Decimal:
    return Decimal("0.5") if character == "半" else Decimal(DIGITS[character])


def of_size(label_zh: str, label_en: str, net_weight_grams: int) -> set[str]:
    """The terms of a size: what it weighs or holds, and how many are in it. `label_*` are folded."""
    found = {f"g:{net_weight_grams}"}
    if volume := millilitres_of(label_zh) or millilitres_of(label_en):
        found.add(f"v:{volume}")
    found |= set(taken_out(label_zh)[0])
    numbers = [int(one or other) for one, other in TIMES.findall(label_zh)] + [int(one) for one in COUNTED_IN_ENGLISH.findall(label_en)]
    return found | {f"c:{number}" for number in numbers if number > 1}
