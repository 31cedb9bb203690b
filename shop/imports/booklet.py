"""Writing XLSX: one sheet whose first row stays in view. Texts are texts, amounts, days and moments are numbers with a format."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from shop.kernel import clock
from shop.kernel.money import Money

Cell = str | int | Money | date | datetime | None
Row = Sequence[Cell]

FORMATS = {Money: "#,##0.00", date: "yyyy-mm-dd", datetime: "yyyy-mm-dd hh:mm"}

AS_THEY_ARE = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
"""Nothing in a text is looked at by whoever writes the file: what begins like a formula stays a text."""

LONGEST_TITLE = 31
NOT_IN_XML = re.compile("[\ud800-\udfff]")
NOT_IN_TITLE = re.compile(r"[\[\]:*?/\\']")


def written(rows: Iterable[Row], title: str) -> bytes:
    """The file. Rows are read one by one and not held."""
    import xlsxwriter  # needed only where sheets leave

    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"constant_memory": True, **AS_THEY_ARE}) as book:
        sheet = book.add_worksheet(NOT_IN_TITLE.sub("", title)[:LONGEST_TITLE] or "1")
        sheet.freeze_panes(1, 0)
        formats = {kind: book.add_format({"num_format": shape}) for kind, shape in FORMATS.items()}
        for number, row in enumerate(rows):
            for column, cell in enumerate(row):
                write(sheet, number, column, cell, formats)
    return file.getvalue()


def write(sheet: Any, row: int, column: int, cell: Cell, formats: dict[type, Any]) -> None:
    """One cell. Moments are those of the city's clock: spreadsheets know no zones."""
    if isinstance(cell, str):
        sheet.write_string(row, column, NOT_IN_XML.sub("", cell))
    elif isinstance(cell, Money):
        sheet.write_number(row, column, cell.fen / 100, formats[Money])
    elif isinstance(cell, datetime):
        sheet.write_datetime(row, column, clock.local(cell).replace(tzinfo=None), formats[datetime])
    elif isinstance(cell, date):
        sheet.write_datetime(row, column, cell, formats[date])
    elif cell is not None:
        sheet.write_number(row, column, cell)
