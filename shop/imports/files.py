"""What kind of file was brought, told by its first bytes and never by its name."""

from __future__ import annotations

from collections.abc import Callable

from shop.imports import delimited, workbook
from shop.imports.errors import NotASheet, OldWorkbook
from shop.imports.sheets import Sheet, within_bytes

OTHERS = {
    b"\x89PNG": "PNG", b"\xff\xd8\xff": "JPEG", b"GIF8": "GIF", b"%PDF": "PDF", b"RIFF": "WebP", b"BM": "BMP", b"{\\rtf": "RTF",
    b"\x1f\x8b": "GZIP", b"Rar!": "RAR", b"7z\xbc\xaf": "7z", b"MZ": "EXE", b"\x7fELF": "ELF",
}  # fmt: skip
"""How files begin that people send by mistake."""

PAGES = (b"<!doctype", b"<html", b"<?xml", b"<table")


def open_sheet(content: bytes, is_known: Callable[[str], bool]) -> Sheet:
    """The rows of whatever was brought. Raises the refusals of `shop.imports.errors`; nothing else, whatever the bytes are."""
    within_bytes(content)
    if content.startswith(b"PK"):
        return workbook.read(content, is_known)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise OldWorkbook()
    for beginning, kind in OTHERS.items():
        if content.startswith(beginning) and not is_text(content):
            raise NotASheet(kind=kind)
    if content.lstrip(b"\xef\xbb\xbf\r\n\t ")[:20].lower().startswith(PAGES):
        raise NotASheet(kind="HTML")
    return delimited.read(content, is_known)


def is_text(content: bytes) -> bool:
    """Whether it could be words after all: `BMW;…` begins like a picture."""
    return content[:200].isascii() and not any(byte < 9 for byte in content[:200]) and not content.startswith((b"%PDF", b"{\\rtf"))
