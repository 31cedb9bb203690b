"""XLSX: a ZIP of XML. Both are bounded before anything is kept, and XML that declares entities is refused before it is parsed."""

from __future__ import annotations

import codecs
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from shop.imports.errors import BrokenWorkbook, MergedCells, NotASheet, SheetTooLarge, WithMacros
from shop.imports.sheets import MOST_COLUMNS, Cell, Odd, Sheet, folded, headed, is_empty
from shop.kernel.errors import ShopError

MOST_UNPACKED = 64 * 1024 * 1024
MOST_SHARED = 24 * 1024 * 1024
"""Of texts that cells share: they are held in memory, all at once."""

MOST_PARTS = 2_000
MOST_MARKS = 2_000_000
"""Of XML in all parts together: enough for 10,000 rows of all our columns with another text in every cell."""

PIECE = 256 * 1024
MERGED = re.compile(rb'<(?:x:)?mergeCell ref="([A-Z]{1,3}[0-9]{1,7}):[A-Z]{1,3}([0-9]{1,7})"')
DECLARATION = re.compile(rb"<!(?:DOCTYPE|ENTITY)")
LONGEST_MARK = 80
SHOWN_MERGED = 5
FIGURES_OF_EXCEL = 15


def read(content: bytes, is_known: Callable[[str], bool]) -> Sheet:
    """The first sheet whose heads we know, else the first that can be seen. Raises the refusals of `sheets` and of workbooks."""
    try:
        checked_parts(content)
        return first_known(content, is_known)
    except ShopError:
        raise
    except Exception:  # whatever a hostile file makes the library say
        raise BrokenWorkbook() from None


def checked_parts(content: bytes) -> None:
    """See that the parts of the ZIP are within all bounds.

    Sizes are those the ZIP promises; what unpacks to more than it promises is cut off there by the reader of the ZIP, and is broken.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        entries = file.infolist()
        if len(entries) > MOST_PARTS:
            raise SheetTooLarge()
        parts = {entry.filename: entry.file_size for entry in entries}
        is_locked = any(entry.flag_bits & 1 for entry in entries)
        refuse_beyond(parts)
        if not is_locked:
            refuse_declarations(file, parts)
    if "[Content_Types].xml" not in parts or not any(name.startswith("xl/") for name in parts):
        raise NotASheet(kind="ZIP")
    if any(name.lower().endswith("vbaproject.bin") for name in parts):
        raise WithMacros()
    if is_locked or len(parts) < len(entries):
        raise BrokenWorkbook()


def refuse_beyond(parts: dict[str, int]) -> None:
    """Raises `SheetTooLarge`."""
    texts = sum(size for name, size in parts.items() if name.lower().endswith(("sharedstrings.xml", "styles.xml")))
    if sum(parts.values()) > MOST_UNPACKED or texts > MOST_SHARED:
        raise SheetTooLarge()


def refuse_declarations(file: zipfile.ZipFile, parts: dict[str, int]) -> None:
    """No workbook declares a type of document or entities of its own; one that does wants to be a thousand times as large once read.

    A part is looked at whatever its name, for a sheet may have any; and its marks are counted, for each is an object once it is read.
    """
    marks = 0
    for name in parts:
        with file.open(name) as part:
            before = part.read(len(codecs.BOM_UTF8) + 1)
            is_wide = b"\0" in before or before.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
            if is_wide and name.lower().endswith((".xml", ".rels")):
                raise BrokenWorkbook()
            while piece := part.read(PIECE):
                if DECLARATION.search((before + piece).replace(b"\0", b"")):
                    raise BrokenWorkbook()
                marks += piece.count(b"<")
                if marks > MOST_MARKS:
                    raise SheetTooLarge()
                before = piece[-LONGEST_MARK:]


def first_known(content: bytes, is_known: Callable[[str], bool]) -> Sheet:
    import openpyxl  # slow to import, needed only where sheets come in

    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
    try:
        seen = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"] or book.worksheets
        if not seen:
            raise BrokenWorkbook()
        chosen = next((sheet for sheet in seen if knows(sheet, is_known)), seen[0])
        found = headed(rows_of(chosen), is_known)
        refuse_merged(content, chosen._worksheet_path, found.lines[0].number)
        return found
    finally:
        book.close()


def knows(sheet: Any, is_known: Callable[[str], bool]) -> bool:
    """Whether the first rows name two columns of ours."""
    first = sheet.iter_rows(max_row=10, max_col=MOST_COLUMNS)
    return any(sum(is_known(folded(str(text_of(cell)))) for cell in row) > 1 for row in first)


def rows_of(sheet: Any) -> Iterator[tuple[int, list[Cell]]]:
    """Numbered rows; one column more than is allowed, so that it is seen that there are more."""
    sheet.reset_dimensions()
    for number, row in enumerate(sheet.iter_rows(max_col=MOST_COLUMNS + 1), 1):
        cells = [text_of(cell) for cell in row]
        yield number, [] if is_empty(cells) else cells


def text_of(cell: Any) -> Cell:
    """What a cell says, as it would be typed; numbers with the figures that a spreadsheet knows."""
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "f":
        return Odd("formula", str(getattr(value, "text", None) or value)[:200])
    if cell.data_type == "e":
        return Odd("error", str(value)[:40])
    if isinstance(value, datetime | date | time | timedelta):
        return Odd("date", str(value)[:40])
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value) if abs(value) < 10**18 else f"{value:.3e}"
    if isinstance(value, float):
        if value.is_integer() and abs(value) < 10**FIGURES_OF_EXCEL:
            return str(int(value))
        return f"{value:.{FIGURES_OF_EXCEL}g}"
    return str(value).replace("_x000D_", "").replace("\r\n", "\n")


def refuse_merged(content: bytes, place: str, first: int) -> None:
    """Raises `MergedCells` where cells from the first row of goods on are merged: all but one of them would be read as empty."""
    merged: list[str] = []
    with zipfile.ZipFile(io.BytesIO(content)) as file, file.open(place.lstrip("/")) as part:
        before = b""
        while piece := part.read(PIECE):
            text = before + piece
            for found in MERGED.finditer(text):
                if int(found[2]) >= first and len(merged) < SHOWN_MERGED:
                    merged.append(found[0].partition(b'ref="')[2].rstrip(b'"').decode())
            before = text[-LONGEST_MARK:]
    if merged:
        raise MergedCells(cells=", ".join(dict.fromkeys(merged)))
