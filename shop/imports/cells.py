"""What stands in a cell becomes a value, or is `Wrong` with what to write instead. Nothing is guessed and nothing is dropped."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shop.imports.columns import OTHER_MONEY
from shop.imports.safe_text import plain_text
from shop.imports.saying import Wrong
from shop.imports.sheets import Cell, Odd
from shop.imports.writing import without_guard
from shop.kernel import quantities, text
from shop.kernel.quantities import UnclearComma
from shop.kernel.text import TextTooLong, UnreadableText
from shop.models.catalog import PricedBy, ProductState, SoldBy, Storage

LONGEST_CODE, LONGEST_NAME, LONGEST_UNIT, LONGEST_PLACE, LONGEST_DESCRIPTION = 60, 80, 40, 60, 2_000
MOST_COUNT, MOST_ORDER, MOST_DAYS, MOST_GRAMS = 1_000_000, 1_000, 3_650, 1_000_000
SHOWN = 40

STATES = {
    "on_sale": ProductState.ON_SALE, "on sale": ProductState.ON_SALE, "上架": ProductState.ON_SALE, "在售": ProductState.ON_SALE,
    "off_sale": ProductState.OFF_SALE, "off sale": ProductState.OFF_SALE, "下架": ProductState.OFF_SALE, "停售": ProductState.OFF_SALE,
    "draft": ProductState.DRAFT, "草稿": ProductState.DRAFT, "未上架": ProductState.DRAFT,
}  # fmt: skip
SELLING = {
    "pack": (SoldBy.PACK, PricedBy.PACK), "按份": (SoldBy.PACK, PricedBy.PACK), "按包装": (SoldBy.PACK, PricedBy.PACK),
    "piece": (SoldBy.PIECE, PricedBy.PACK), "按个": (SoldBy.PIECE, PricedBy.PACK), "按件": (SoldBy.PIECE, PricedBy.PACK),
    "weight": (SoldBy.WEIGHT, PricedBy.WEIGHT), "按重量": (SoldBy.WEIGHT, PricedBy.WEIGHT), "称重": (SoldBy.WEIGHT, PricedBy.WEIGHT),
    "weighed piece": (SoldBy.PIECE, PricedBy.WEIGHT), "按个称重": (SoldBy.PIECE, PricedBy.WEIGHT),
}  # fmt: skip
STORING = {
    "ambient": Storage.AMBIENT, "room temperature": Storage.AMBIENT, "常温": Storage.AMBIENT, "阴凉": Storage.AMBIENT,
    "chilled": Storage.CHILLED, "冷藏": Storage.CHILLED, "frozen": Storage.FROZEN, "冷冻": Storage.FROZEN,
}  # fmt: skip
YES_OR_NO = {
    **dict.fromkeys(("yes", "y", "true", "1", "是", "有", "支持"), True),
    **dict.fromkeys(("no", "n", "false", "0", "否", "无", "不支持"), False),
}
ALLERGENS = {
    **dict.fromkeys(("egg", "eggs", "蛋", "鸡蛋"), "egg"),
    **dict.fromkeys(("fish", "鱼", "鱼类"), "fish"),
    **dict.fromkeys(("milk", "奶", "乳", "牛奶"), "milk"),
    **dict.fromkeys(("peanut", "花生"), "peanut"),
    **dict.fromkeys(("sesame", "芝麻"), "sesame"),
    **dict.fromkeys(("soy", "soya", "大豆"), "soy"),
    **dict.fromkeys(("wheat", "小麦", "麸质"), "wheat"),
}
STATES_SHOWN = ("上架 / on sale", "下架 / off sale", "草稿 / draft")
SELLING_SHOWN = ("按份 / pack", "按个 / piece", "称重 / weight", "按个称重 / weighed piece")
STORING_SHOWN = ("常温 / room temperature", "冷藏 / chilled", "冷冻 / frozen")
YES_OR_NO_SHOWN = ("是 / yes", "否 / no")

WITH_DECIMAL_COMMA = re.compile(r"[0-9]{1,7}(?:,[0-9]{1,2})?")
THOUSANDS_BY_POINT = re.compile(r"[0-9]{1,3}(?:\.[0-9]{3}){1,2}(?:,[0-9]{1,2})?")
WHOLE_AS_DECIMAL = re.compile(r"([0-9]{1,12})\.0{1,4}")
SEASON = re.compile(r"(1[0-2]|0?[1-9])月?(?:[-~至到](1[0-2]|0?[1-9])月?)?")
FIGURES = frozenset({8, 12, 13, 14})
CODE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Reading:
    """How cells of one file are read."""

    has_decimal_comma: bool
    categories: Mapping[str, int]
    category_names: str


def shown(cell: Cell) -> str:
    return text.clipped(str(cell), SHOWN)


def plain(cell: Cell) -> str:
    """A cell as one half-width line. Raises `Wrong` for formulas, dates and errors of the spreadsheet."""
    if isinstance(cell, Odd):
        raise Wrong(cell.kind, text=shown(cell))
    return " ".join(unicodedata.normalize("NFKC", cell).replace("\ufeff", "").split())


def price(cell: Cell, manner: Reading) -> int:
    """Fen."""
    said = plain(cell)
    for mark in ("us$", "hk$", "$", "€", "£", "usd", "eur", "hkd", "美元", "欧元", "港币"):
        if mark in said.casefold():
            raise Wrong("other_money", text=shown(cell), currency=OTHER_MONEY[mark])
    said = said.removeprefix("CNY").removeprefix("RMB").removesuffix("CNY").removesuffix("RMB").strip()
    try:
        found = quantities.yuan(with_point(said, manner))
    except UnclearComma as unclear:
        raise Wrong("unclear_comma", text=shown(cell), **unclear.details) from None
    if found is None:
        raise Wrong("no_price", text=shown(cell))
    if not found:
        raise Wrong("price_not_positive")
    return found.fen


def with_point(said: str, manner: Reading) -> str:
    """The same number with a point before its decimals, where the file says that it has a comma there."""
    if not manner.has_decimal_comma:
        return said
    figures = said.strip("¥元块 ")
    if WITH_DECIMAL_COMMA.fullmatch(figures):
        return figures.replace(",", ".")
    if THOUSANDS_BY_POINT.fullmatch(figures):
        return figures.replace(".", "").replace(",", ".")
    return said


def count(cell: Cell, least: int, most: int) -> int:
    said = plain(cell)
    if said.startswith("-") and said[1:].isdigit():
        raise Wrong("count_too_small", text=shown(cell), least=least)
    whole = WHOLE_AS_DECIMAL.fullmatch(said)
    found = quantities.whole_number(whole[1] if whole else said)
    if found is None:
        raise Wrong("no_count", text=shown(cell))
    if found < least:
        raise Wrong("count_too_small", text=shown(cell), least=least)
    if found > most:
        raise Wrong("count_too_large", text=shown(cell), most=most)
    return found


def grams(cell: Cell, manner: Reading) -> int:
    said = plain(cell)
    found = quantities.grams(with_point(said, manner))
    if found is None:
        raise Wrong("no_weight", text=shown(cell))
    if found < 1:
        raise Wrong("count_too_small", text=shown(cell), least=1)
    if found > MOST_GRAMS:
        raise Wrong("count_too_large", text=shown(cell), most=MOST_GRAMS)
    return found


def slug(cell: Cell) -> str:
    """A code as it stands in addresses. Raises `Wrong` where characters would be lost."""
    said = plain(cell).casefold()
    made = "-".join(part for part in re.split(r"[ _./\\-]", said) if part)
    if len(made) > LONGEST_CODE or not CODE.fullmatch(made):
        raise Wrong("no_code", text=shown(cell), most=LONGEST_CODE)
    return made


def line(cell: Cell, most: int) -> str:
    """A name: one line."""
    if isinstance(cell, Odd):
        raise Wrong(cell.kind, text=shown(cell))
    said = without_guard(cell.replace("\ufeff", ""))
    return cleaned(lambda: text.name(" ".join(said.split()), most), most)


def description(cell: Cell, _reading: Reading) -> str:
    """A few lines of plain text; HTML loses its marks."""
    if isinstance(cell, Odd):
        raise Wrong(cell.kind, text=shown(cell))
    return cleaned(
        lambda: text.clean(plain_text(without_guard(cell).replace("\t", " ")), LONGEST_DESCRIPTION, multiline=True), LONGEST_DESCRIPTION
    )


def cleaned(read: Callable[[], str], most: int) -> str:
    try:
        return read()
    except TextTooLong:
        raise Wrong("too_long", most=most) from None
    except UnreadableText:
        raise Wrong("unreadable") from None


def one_of(cell: Cell, choices: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    said = plain(cell).casefold()
    if said not in choices:
        raise Wrong("no_choice", text=shown(cell), choices=", ".join(names))
    return choices[said]


def category(cell: Cell, manner: Reading) -> int:
    said = plain(cell).casefold()
    if said not in manner.categories:
        raise Wrong("no_category", text=shown(cell), choices=manner.category_names)
    return manner.categories[said]


def season(cell: Cell, _reading: Reading) -> str:
    said = plain(cell).replace(" ", "").replace("–", "-").replace("to", "-")
    if said in ("全年", "allyear"):
        return ""
    found = SEASON.fullmatch(said)
    if found is None:
        raise Wrong("no_season", text=shown(cell))
    first = int(found[1])
    return f"{first}-{int(found[2] or first)}"


def allergens(cell: Cell, _reading: Reading) -> str:
    parts = [part.strip().casefold() for part in re.split(r"[|/;,、；，]", plain(cell)) if part.strip()]
    if parts in (["无"], ["none"]):
        return ""
    for part in parts:
        if part not in ALLERGENS:
            raise Wrong("no_choice", text=part[:SHOWN], choices="蛋/egg, 鱼/fish, 奶/milk, 花生/peanut, 芝麻/sesame, 大豆/soy, 小麦/wheat")
    return "|".join(sorted({ALLERGENS[part] for part in parts}))


def barcode(cell: Cell, _reading: Reading) -> str:
    said = plain(cell).replace(" ", "").lstrip("'")
    if not (said.isascii() and said.isdigit() and len(said) in FIGURES):
        raise Wrong("no_barcode", text=shown(cell))
    return said


READERS: Mapping[str, Callable[[Cell, Reading], Any]] = {
    "name_zh": lambda cell, _: line(cell, LONGEST_NAME), "name_en": lambda cell, _: line(cell, LONGEST_NAME),
    "unit_zh": lambda cell, _: line(cell, LONGEST_UNIT), "unit_en": lambda cell, _: line(cell, LONGEST_UNIT),
    "origin_zh": lambda cell, _: line(cell, LONGEST_PLACE), "origin_en": lambda cell, _: line(cell, LONGEST_PLACE),
    "category": category, "price": price, "grams": grams, "season": season, "allergens": allergens, "barcode": barcode,
    "description_zh": description, "description_en": description,
    "stock": lambda cell, _: count(cell, 0, MOST_COUNT), "shelf_life": lambda cell, _: count(cell, 1, MOST_DAYS),
    "minimum": lambda cell, _: count(cell, 1, MOST_ORDER), "multiple": lambda cell, _: count(cell, 1, MOST_ORDER),
    "state": lambda cell, _: one_of(cell, STATES, STATES_SHOWN).value,
    "sold_by": lambda cell, _: [part.value for part in one_of(cell, SELLING, SELLING_SHOWN)],
    "storage": lambda cell, _: one_of(cell, STORING, STORING_SHOWN).value,
    "is_agricultural": lambda cell, _: one_of(cell, YES_OR_NO, YES_OR_NO_SHOWN),
    "is_returnable": lambda cell, _: one_of(cell, YES_OR_NO, YES_OR_NO_SHOWN),
}  # fmt: skip
"""How the cells of each column are read; codes and currencies apart."""
