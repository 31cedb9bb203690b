"""Sheets that leave: templates, a shop's goods, rows to repair. As CSV with a mark that spreadsheets know, or as XLSX.

No cell becomes a formula: what begins like one has an apostrophe before it, which our own reading takes away again.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

Row = Sequence[str | int]

BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
LONGEST = 32_000
KINDS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def harmless(cell: str | int) -> str | int:
    """The same cell, which no spreadsheet takes for a formula."""
    if isinstance(cell, int):
        return cell
    text = UNSEEN.sub("", cell)[:LONGEST]
    return f"'{text}" if text.lstrip(" ").startswith(BEGINS_A_FORMULA) else text


def without_guard(text: str) -> str:
    """What `harmless` was given."""
    return text[1:] if text.startswith("'") and text[1:].lstrip(" ").startswith(BEGINS_A_FORMULA) else text


def as_csv(rows: Iterable[Row]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([harmless(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def as_xlsx(rows: Iterable[Row], title: str) -> bytes:
    import openpyxl  # slow to import, needed only where sheets leave

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    for row in rows:
        sheet.append([harmless(cell) for cell in row])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def written(kind: str, rows: Iterable[Row], title: str) -> bytes:
    """A file of one of `KINDS`."""
    return as_xlsx(rows, title) if kind == "xlsx" else as_csv(rows)
