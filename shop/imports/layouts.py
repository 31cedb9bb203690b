"""Whose columns a sheet has, and its rows by our names: our own, those of Shopify's and WooCommerce's product exports.

A row that only carries a further picture of a product is no row of goods; it is counted and passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from shop.imports import shopify, woocommerce
from shop.imports.columns import BY_KEY, CODE, COLUMNS, FIGURES, PRICE, Column, column_of, money_of
from shop.imports.errors import ColumnMissing, ColumnTwice, NoKnownColumns, OtherCurrency, WhichCurrency
from shop.imports.sheets import Cell, Sheet, folded
from shop.models.imports import ImportKind

OWN, SHOPIFY, WOOCOMMERCE = "own", "shopify", "woocommerce"
NAMES = {SHOPIFY: "Shopify", WOOCOMMERCE: "WooCommerce"}


@dataclass(slots=True)
class Entry:
    """One row of goods by our names of the columns. Empty cells are left out. `trouble` is what is wrong with the row as a whole."""

    number: int
    cells: dict[str, Cell]
    trouble: str = ""


@dataclass(slots=True)
class Read:
    """A whole sheet by our names."""

    layout: str
    heads: dict[str, str]
    entries: list[Entry]
    has_decimal_comma: bool
    pictures: int = 0
    unknown: list[str] = field(default_factory=list)


def is_known(head: str) -> bool:
    """Whether a folded head is one of anybody's columns."""
    return head in KNOWN or bool(money_of(head))


KNOWN = frozenset({name for column in COLUMNS for name in column.names} | set(shopify.HEADS) | set(woocommerce.HEADS))


def read(sheet: Sheet, kind: ImportKind, *, is_yuan: bool) -> Read:
    """The rows by our names. `is_yuan`: who brought it says that its prices are in yuan.

    Raises `ColumnMissing`, `ColumnTwice`, `OtherCurrency`, `WhichCurrency` for shops whose exports name no currency.
    """
    heads = [folded(head) for head in sheet.heads]
    if kind is ImportKind.GOODS:
        for layout, module in ((SHOPIFY, shopify), (WOOCOMMERCE, woocommerce)):
            if set(module.MARKS) <= set(heads):
                if not is_yuan:
                    raise WhichCurrency(shop=NAMES[layout])
                return of_another_shop(sheet, layout, heads)
    return of_our_own(sheet, kind)


def of_our_own(sheet: Sheet, kind: ImportKind) -> Read:
    wanted = FIGURES if kind is ImportKind.FIGURES else COLUMNS
    places: dict[str, int] = {}
    unknown = []
    for place, head in enumerate(sheet.heads):
        if head and (currency := money_of(head)):
            raise OtherCurrency(currency=currency)
        column = column_of(head) if head else None
        if column is None or column not in wanted:
            if head:
                unknown.append(head)
            continue
        if column.key in places:
            raise ColumnTwice(column=f"{sheet.heads[places[column.key]]}, {head}")
        places[column.key] = place
    refuse_missing(places, kind)
    entries = [
        Entry(line.number, {key: line.cells[place] for key, place in places.items() if str(line.cells[place]).strip()}, line.trouble)
        for line in sheet.lines
    ]
    pictures = sum("pictures" in entry.cells for entry in entries)
    return Read(
        OWN, {key: sheet.heads[place] for key, place in places.items()}, entries, sheet.has_decimal_comma, pictures, unknown
    )  # fmt: skip


def refuse_missing(places: Mapping[str, int], kind: ImportKind) -> None:
    if not places:
        raise NoKnownColumns(found="")
    if CODE.key not in places:
        raise ColumnMissing(column=f"{CODE.zh} / {CODE.en}")
    if kind is ImportKind.FIGURES and len(places) == 1:
        raise ColumnMissing(column=f"{PRICE.zh} / {PRICE.en}")


def of_another_shop(sheet: Sheet, layout: str, heads: list[str]) -> Read:
    module = shopify if layout == SHOPIFY else woocommerce
    rows: list[tuple[int, dict[str, Cell], str]] = []
    for line in sheet.lines:
        named: dict[str, Cell] = {}
        for head, cell in zip(heads, line.cells, strict=True):
            if head and head not in named and str(cell).strip():
                named[head] = cell
        rows.append((line.number, named, line.trouble))
    entries = [Entry(number, cells, trouble) for number, cells, trouble in module.entries(rows)]
    written = {folded(head): head for head in sheet.heads}
    shown = {key: next((written[head] for head in theirs if head in written), "") for key, theirs in module.COLUMNS.items()}
    return Read(
        layout, {key: head for key, head in shown.items() if head}, entries, sheet.has_decimal_comma,
        module.pictures(named for _, named, _ in rows),
    )  # fmt: skip


def heads_of(key: str) -> Iterator[str]:
    """What a column is called in both languages."""
    column: Column = BY_KEY[key]
    yield from (column.zh, column.en)
