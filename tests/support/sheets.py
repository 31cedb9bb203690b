"""Sheets as merchants bring them, made from rows."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence
from typing import Any

import openpyxl

OWN = ["编码", "商品", "商品名称", "分类", "规格", "价格(元)", "净重(克)", "库存", "产地", "保质期(天)", "状态"]


def row(code: str, **said: Any) -> list[Any]:
    """A row of our columns that is good by itself."""
    usual = {
        "product": "", "name": f"资中血橙{code}", "category": "fruit", "unit": "5斤/箱", "price": "24.90", "grams": "2500", "stock": "60",
        "origin": "资中县", "days": "20", "state": "",
    }  # fmt: skip
    return [code, *{**usual, **said}.values()]


def as_csv(rows: Sequence[Sequence[Any]], heads: Sequence[str] = OWN, *, letters: str = "utf-8", separator: str = ",") -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator)
    writer.writerows([heads, *rows])
    return text.getvalue().encode(letters)


def as_xlsx(rows: Sequence[Sequence[Any]], heads: Sequence[str] = OWN) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    for line in [heads, *rows]:
        sheet.append(list(line))
    return saved(book)


def saved(book: Any) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def with_part(content: bytes, name: str, part: bytes) -> bytes:
    """The same workbook with another part, or with one exchanged."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            if entry.filename != name:
                new.writestr(entry.filename, old.read(entry))
        new.writestr(name, part)
    return made.getvalue()
