"""Text with commas, semicolons or tabs: UTF-8 with or without mark, UTF-16 as spreadsheets write it, GB18030."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator

from shop.imports.errors import BreaksOff, BrokenQuotes, CellTooLong, MixedLetters, NotASheet, UnreadableLetters
from shop.imports.sheets import HEAD_WITHIN, LONGEST_CELL, Cell, Sheet, folded, headed

SEPARATORS = (",", ";", "\t")
PIECE = 1024 * 1024
COMMA_BEFORE_DECIMALS = re.compile(r"[0-9]{1,7},[0-9]{1,2}")
POINT_BEFORE_DECIMALS = re.compile(r"[0-9]{1,7}\.[0-9]{1,2}")
SAID_SEPARATOR = re.compile(r"sep=(.)", re.IGNORECASE)


def read(content: bytes, is_known: Callable[[str], bool]) -> Sheet:
    """The rows of a text file. Raises the refusals of `sheets` and those of letters and quotation marks."""
    letters = letters_of(content)
    separator, skipped = separator_of(content, letters, is_known)
    sheet = headed(rows_of(content, letters, separator, skipped), is_known, needs_all_cells=True)
    if separator == ";":
        cells = [str(cell).strip() for line in sheet.lines for cell in line.cells]
        has_points = any(POINT_BEFORE_DECIMALS.fullmatch(cell) for cell in cells)
        sheet.has_decimal_comma = not has_points and any(COMMA_BEFORE_DECIMALS.fullmatch(cell) for cell in cells)
    return sheet


def letters_of(content: bytes) -> str:
    """The encoding of a text. Raises `NotASheet` for what is no text, `UnreadableLetters`, `MixedLetters`, `BreaksOff`."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return decodes_as(content, "utf-16") or refuse_letters()
    if b"\0" in content:
        raise NotASheet(kind="?")
    if content.startswith(codecs.BOM_UTF8):
        if (trouble := trouble_as_utf_8(content)) is not None:
            refuse_half(content, trouble)
        return "utf-8-sig"
    trouble = trouble_as_utf_8(content)
    if trouble is None:
        return "utf-8"
    sample = content[: 2 * PIECE].decode("utf-8", "replace")
    broken = sample.count("\N{REPLACEMENT CHARACTER}")
    if sum(not character.isascii() for character in sample) > 2 * broken:
        refuse_half(content, trouble)
    return decodes_as(content, "gb18030") or refuse_letters()


def trouble_as_utf_8(content: bytes) -> UnicodeDecodeError | None:
    try:
        codecs.utf_8_decode(content, "strict", True)
    except UnicodeDecodeError as error:
        return error
    return None


def refuse_half(content: bytes, trouble: UnicodeDecodeError) -> None:
    """What is UTF-8 for the most part was cut off, or put together of two."""
    if trouble.reason == "unexpected end of data" and trouble.end >= len(content):
        raise BreaksOff(row=content.count(b"\n") + 1)
    raise MixedLetters()


def decodes_as(content: bytes, letters: str) -> str:
    """The same encoding if it reads the whole content as characters that people write; else nothing."""
    decoder = codecs.getincrementaldecoder(letters)()
    try:
        for start in range(0, len(content), PIECE):
            piece = decoder.decode(content[start : start + PIECE], start + PIECE >= len(content))
            if any("\ue000" <= character <= "\uf8ff" or character == "\0" for character in piece):
                return ""
    except UnicodeDecodeError:
        return ""
    return letters


def refuse_letters() -> str:
    raise UnreadableLetters()


def separator_of(content: bytes, letters: str, is_known: Callable[[str], bool]) -> tuple[str, int]:
    """What parts the cells, and how many lines say only that (`sep=;`)."""
    beginning = io.TextIOWrapper(io.BytesIO(content), encoding=letters, newline="")
    lines = [beginning.readline(PIECE) for _ in range(HEAD_WITHIN + 1)]
    if (said := SAID_SEPARATOR.fullmatch(lines[0].strip("\r\n"))) and said[1] in SEPARATORS:
        return said[1], 1

    def known(separator: str) -> tuple[int, int]:
        best = 0
        for line in lines:
            try:
                cells = next(csv.reader([line], delimiter=separator), [])
            except csv.Error:  # a cell without end names no column
                continue
            best = max(best, sum(is_known(folded(cell)) for cell in cells))
        return best, lines[0].count(separator)

    return max(SEPARATORS, key=known), 0


def rows_of(content: bytes, letters: str, separator: str, skipped: int) -> Iterator[tuple[int, list[Cell]]]:
    """Numbered rows, read as they are asked for. Raises `BrokenQuotes`, `BreaksOff`, `CellTooLong`."""
    text = io.TextIOWrapper(io.BytesIO(content), encoding=letters, newline="")
    for _ in range(skipped):
        text.readline(PIECE)
    reader = csv.reader(text, delimiter=separator, strict=True)
    number = skipped
    try:
        for number, cells in enumerate(reader, skipped + 1):
            yield number, list(cells)
    except csv.Error as error:
        if "end of data" in str(error):
            raise BreaksOff(row=number + 1) from None
        if "field limit" in str(error):
            raise CellTooLong(row=number + 1, most=LONGEST_CELL) from None
        raise BrokenQuotes(row=number + 1) from None
