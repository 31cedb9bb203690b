"""Sheets that leave: templates, a shop's goods, rows to repair, every list of its console. As CSV with a mark that spreadsheets know, or
as XLSX.

No cell becomes a formula: a text that begins like one has an apostrophe before it, which our own reading takes away again. What is a number
(a count, an amount) stays one, also below 0, and days and moments are such in XLSX: they can be added up and sorted.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import islice

from shop.imports import booklet
from shop.imports.booklet import Cell, Row
from shop.kernel import clock
from shop.kernel.money import Money

MOST_ROWS = 10_000
"""Of a list that leaves as a file, beside its heads: it is written while somebody waits."""

BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
LONGEST = 32_000
KINDS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def harmless(text: str) -> str:
    """The same text, which no spreadsheet takes for a formula."""
    text = UNSEEN.sub("", text)[:LONGEST]
    return f"'{text}" if text.lstrip(" ").startswith(BEGINS_A_FORMULA) else text


def without_guard(text: str) -> str:
    """What `harmless` was given."""
    return text[1:] if text.startswith("'") and text[1:].lstrip(" ").startswith(BEGINS_A_FORMULA) else text


def bounded(rows: Iterable[Row], most: int = MOST_ROWS) -> Iterator[Row]:
    """The heads and at most so many rows; no more are read."""
    return islice(rows, most + 1)


def plain(cell: Cell) -> str | int:
    """A cell of a CSV: amounts as `1234.50`, days as `2026-11-30`, moments on the city's clock."""
    if isinstance(cell, Money):
        return str(cell).replace(",", "")
    if isinstance(cell, datetime):
        return f"{clock.local(cell):%Y-%m-%d %H:%M}"
    if isinstance(cell, date):
        return cell.isoformat()
    return "" if cell is None else cell if isinstance(cell, int) else harmless(cell)


def as_csv(rows: Iterable[Row]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([plain(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def as_xlsx(rows: Iterable[Row], title: str) -> bytes:
    return booklet.written(([harmless(cell) if isinstance(cell, str) else cell for cell in row] for row in rows), title)


def written(kind: str, rows: Iterable[Row], title: str) -> bytes:
    """A file of one of `KINDS`."""
    return as_xlsx(rows, title) if kind == "xlsx" else as_csv(rows)
