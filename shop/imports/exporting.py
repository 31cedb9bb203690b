"""A shop's goods, the template, and rows to repair, as rows of a sheet in our own columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from shop.imports import queries
from shop.imports.booklet import Cell, Row
from shop.imports.columns import COLUMNS, FIGURES, Column
from shop.imports.comparing import Known
from shop.imports.layouts import OWN
from shop.kernel.money import Money
from shop.models.imports import ImportKind, ImportRow, ProductImport

IN_WORDS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "state": {"on_sale": ("上架", "on sale"), "off_sale": ("下架", "off sale"), "draft": ("草稿", "draft")},
    "storage": {"ambient": ("常温", "room temperature"), "chilled": ("冷藏", "chilled"), "frozen": ("冷冻", "frozen")},
    "sold_by": {
        "pack/pack": ("按份", "pack"), "piece/pack": ("按个", "piece"), "weight/weight": ("称重", "weight"),
        "piece/weight": ("按个称重", "weighed piece"),
    },
    "flag": {"True": ("是", "yes"), "False": ("否", "no")},
}  # fmt: skip
"""What is read and written in words, in Chinese and English."""

FLAGS = ("is_agricultural", "is_returnable")
NOT_WRITTEN = ("pictures",)


def columns_of(kind: ImportKind) -> tuple[Column, ...]:
    return FIGURES if kind is ImportKind.FIGURES else tuple(column for column in COLUMNS if column.key not in NOT_WRITTEN)


def heads(columns: Sequence[Column], locale: str) -> list[str]:
    return [column.zh if locale == "zh" else column.en for column in columns]


def template(kind: ImportKind, locale: str) -> Iterator[Row]:
    """The heads, and one example that can be overwritten."""
    columns = columns_of(kind)
    yield heads(columns, locale)
    yield [column.example for column in columns]


def goods(session: Session, merchant_id: int, locale: str) -> Iterator[Row]:
    """All goods of a shop, drafts among them; read in again, every row is the same."""
    columns = columns_of(ImportKind.GOODS)
    names = queries.category_names(session, locale)
    yield heads(columns, locale)
    after = ""
    while found := queries.shelf_of(session, merchant_id, after):
        after = found[-1].code
        for one in found:
            yield [cell_of(column.key, one, names, locale) for column in columns]


def cell_of(key: str, one: Known, categories: Mapping[int, str], locale: str) -> Cell:
    if key == "price" and one.values[key] is not None:
        return Money(one.values[key])
    if key in ("code", "product"):
        return one.code if key == "code" else one.product
    if key == "currency":
        return "CNY"
    return written(key, one.values[key], categories, locale)


def written(key: str, value: Any, categories: Mapping[int, str], locale: str) -> str | int:
    """A value of a column as people write it, and as `cells` reads it."""
    place = 0 if locale == "zh" else 1
    if value is None:
        return ""
    if key == "price":
        return str(Money(value)).replace(",", "")
    if key == "category":
        return categories.get(value, "")
    if key in FLAGS:
        return IN_WORDS["flag"][str(bool(value))][place]
    if key == "sold_by":
        return IN_WORDS["sold_by"]["/".join(value)][place] if "/".join(value) in IN_WORDS["sold_by"] else "/".join(value)
    if key in IN_WORDS:
        return IN_WORDS[key][value][place]
    if key == "season" and value:
        first, _, last = value.partition("-")
        return f"{first}月至{last}月"
    return value if isinstance(value, int) else str(value)


def to_repair(found: ProductImport, rows: Sequence[ImportRow], told: Mapping[int, str], locale: str) -> Iterator[Row]:
    """The rows that were not good, as they were written, each with what to write instead (`told` by number); to be brought again.

    Codes that were made for goods of another shop stand as we made them.
    """
    columns = columns_of(found.kind)
    yield [*heads(columns, locale), *(("行号", "要改什么") if locale == "zh" else ("Row", "What to repair"))]
    for row in rows:
        cells = dict(row.cells)
        if found.layout != OWN and row.code:
            cells["code"] = row.code
        yield [*(str(cells.get(column.key, "")) for column in columns), row.number, told.get(row.number, "")]
