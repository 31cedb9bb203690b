"""A file becomes rows of cells, whatever it is; what it cannot become is refused with a sentence.

Everything is bounded before it is unpacked or kept: bytes, rows, columns, characters of a cell. A formula is never worked out.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice

from shop.imports.errors import (
    CellTooLong,
    EmptySheet,
    GoesOnEmpty,
    NoKnownColumns,
    SheetTooLarge,
    TooManyColumns,
    TooManyRows,
)

MOST_BYTES = 20 * 1024 * 1024
MOST_ROWS = 10_000
MOST_LINES = 60_000
"""Rows with nothing in them are passed over, but not without end."""

MOST_COLUMNS = 200
LONGEST_CELL = 32_767
MOST_CHARACTERS = 24 * 1024 * 1024
"""Of all cells together: a workbook names one long text in many cells at no cost, and each row keeps its own."""

HEAD_WITHIN = 10
"""The names of the columns stand in one of the first rows; a title may stand above them."""

FEW_KNOWN = 2
SHOWN_HEADS = 6


@dataclass(frozen=True, slots=True)
class Odd:
    """A cell that holds no plain value: a formula, a date, an error of the spreadsheet. `text` is what stands there."""

    kind: str
    text: str

    def __str__(self) -> str:
        return self.text


Cell = str | Odd


@dataclass(frozen=True, slots=True)
class Line:
    """One row below the heads: its number as the sheet counts, a cell per head, and what is wrong with it as a whole."""

    number: int
    cells: list[Cell]
    trouble: str = ""


@dataclass(slots=True)
class Sheet:
    """Heads and rows. `has_decimal_comma`: the file itself says that a comma stands before the decimals."""

    heads: list[str]
    lines: list[Line] = field(default_factory=list)
    has_decimal_comma: bool = False


def is_empty(cells: Iterable[Cell]) -> bool:
    return not any(str(cell).strip() for cell in cells)


def folded(head: str) -> str:
    """A head as it is compared: half-width, small, without blanks and marks."""
    plain = unicodedata.normalize("NFKC", head).casefold()
    return "".join(character for character in plain if character.isalnum() or character in "()/%$€£¥")


def bounded(rows: Iterable[tuple[int, list[Cell]]]) -> Iterator[tuple[int, list[Cell]]]:
    """Rows with something in them, within all bounds."""
    filled = seen = characters = 0
    for seen, (number, cells) in enumerate(rows, 1):
        if seen > MOST_LINES:
            raise GoesOnEmpty(most=MOST_LINES) if filled <= MOST_ROWS else TooManyRows(most=MOST_ROWS)
        if is_empty(cells):
            continue
        filled += 1
        if filled > MOST_ROWS + HEAD_WITHIN:
            raise TooManyRows(most=MOST_ROWS)
        if len(cells) > MOST_COLUMNS:
            while cells and not str(cells[-1]).strip():
                cells.pop()
            if len(cells) > MOST_COLUMNS:
                raise TooManyColumns(most=MOST_COLUMNS)
        lengths = [len(str(cell)) for cell in cells]
        if max(lengths) > LONGEST_CELL:
            raise CellTooLong(row=number, most=LONGEST_CELL)
        characters += sum(lengths)
        if characters > MOST_CHARACTERS:
            raise SheetTooLarge()
        yield number, cells


def headed(rows: Iterable[tuple[int, list[Cell]]], is_known: Callable[[str], bool], *, needs_all_cells: bool = False) -> Sheet:
    """Find the heads among the first rows, and put every row below them. Raises `EmptySheet`, `NoKnownColumns`, and what `bounded` does.

    `needs_all_cells`: a row that is shorter than the heads was cut off or misread, as in a file of text.
    """
    filled = bounded(rows)
    first = list(islice(filled, HEAD_WITHIN))
    if not first:
        raise EmptySheet()
    known = [sum(is_known(folded(str(cell))) for cell in cells) for _, cells in first]
    place = known.index(max(known))
    if known[place] < FEW_KNOWN:
        named = [str(cell).strip()[:30] for cell in first[0][1] if str(cell).strip()]
        raise NoKnownColumns(found=", ".join(named[:SHOWN_HEADS]) + (" …" if len(named) > SHOWN_HEADS else ""))
    heads = [str(cell).strip() for cell in first[place][1]]
    while heads and not heads[-1]:
        heads.pop()
    sheet = Sheet(heads)
    for number, cells in chain(first[place + 1 :], filled):
        sheet.lines.append(fitted(number, cells, len(heads), needs_all_cells))
        if len(sheet.lines) > MOST_ROWS:
            raise TooManyRows(most=MOST_ROWS)
    if not sheet.lines:
        raise EmptySheet()
    return sheet


def fitted(number: int, cells: list[Cell], heads: int, needs_all_cells: bool) -> Line:
    """A row with exactly a cell per head. What stands beside the heads is never dropped without a word."""
    beyond = not is_empty(cells[heads:])
    short = needs_all_cells and len(cells) < heads
    trouble = "more_cells" if beyond and needs_all_cells else "fewer_cells" if short else ""
    kept = cells[:heads] + [""] * (heads - len(cells))
    return Line(number, kept, trouble)


def within_bytes(content: bytes) -> bytes:
    """Raises `SheetTooLarge`, `EmptySheet`."""
    if len(content) > MOST_BYTES:
        raise SheetTooLarge()
    if not content.strip(b"\xef\xbb\xbf\r\n\t \0"):
        raise EmptySheet()
    return content
