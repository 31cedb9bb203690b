"""What files are and what their cells say, as tables; hostile ones among them. Every file is read or refused with a sentence."""

from __future__ import annotations

import datetime
import io
import zipfile
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest

from shop.imports import cells, layouts, wishes
from shop.imports.cells import Reading
from shop.imports.columns import COLUMNS
from shop.imports.errors import (
    BreaksOff,
    BrokenQuotes,
    BrokenWorkbook,
    CellTooLong,
    ColumnMissing,
    ColumnTwice,
    EmptySheet,
    GoesOnEmpty,
    MergedCells,
    MixedLetters,
    NoKnownColumns,
    NotASheet,
    OldWorkbook,
    OtherCurrency,
    SheetRefused,
    SheetTooLarge,
    TooManyColumns,
    TooManyRows,
    UnreadableLetters,
    WhichCurrency,
    WithMacros,
)
from shop.imports.files import open_sheet
from shop.imports.layouts import is_known
from shop.imports.safe_text import plain_text
from shop.imports.saying import SENTENCES, Wrong
from shop.imports.sheets import Odd
from shop.imports.wishes import Wish
from shop.models.imports import ImportKind
from tests.support.sheets import OWN, as_csv, as_xlsx, row, saved, with_part

pytestmark = pytest.mark.one_engine

READING = Reading(False, {"fruit": 1, "水果": 1}, "水果")
COMMA = Reading(True, {}, "")


def wishes_of(content: bytes, kind: ImportKind = ImportKind.GOODS, *, is_yuan: bool = False) -> list[Wish]:
    read = layouts.read(open_sheet(content, is_known), kind, is_yuan=is_yuan)
    return wishes.read(read.entries, kind, read.layout, Reading(read.has_decimal_comma, READING.categories, "水果"), "coop")


@pytest.mark.parametrize("letters", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_letters_and_separators_are_found(letters: str, separator: str) -> None:
    (wish,) = wishes_of(as_csv([row("a", name="血橙，又大又甜")], letters=letters, separator=separator))
    assert wish.wrongs == []
    assert (wish.code, wish.values["name_zh"], wish.values["price"], wish.values["grams"]) == ("a", "血橙，又大又甜", 2_490, 2_500)


def test_a_workbook_says_the_same_as_text() -> None:
    (wish,) = wishes_of(as_xlsx([row("a", price=24.9, grams=2500, stock=60.0)]))
    assert (wish.wrongs, wish.values["price"], wish.values["stock"]) == ([], 2_490, 60)


def test_a_title_may_stand_above_and_a_line_may_name_the_separator() -> None:
    assert len(wishes_of("我店的商品,,\n".encode() + as_csv([row("a")]))) == 1
    assert len(wishes_of(b"sep=;\r\n" + as_csv([row("a")], separator=";"))) == 1


PRICES: list[tuple[str, int | str]] = [
    ("12.8", 1_280), ("12.80", 1_280), ("¥12.80", 1_280), ("12.80元", 1_280), ("1,280.00", 128_000), ("１２．８", 1_280),
    ("CNY 12.80", 1_280),
    ("5,80", "unclear_comma"), ("0", "price_not_positive"), ("0.00", "price_not_positive"), ("-5", "no_price"),
    ("abc", "no_price"),
    ("12.805", "no_price"), ("1e300", "no_price"), ("1E+05", "no_price"), ("NaN", "no_price"),
    ("$5", "other_money"), ("5 €", "other_money"),
    ("US$5", "other_money"), ("99999999", "no_price"), ("=1+1", "no_price"), ("5-6", "no_price"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "meant"), PRICES)
def test_prices(text: str, meant: int | str) -> None:
    assert outcome(lambda: cells.price(text, READING)) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [("5,80", 580), ("5,8", 580), ("1.234,50", 123_450), ("12", 1_200), ("12.80", 1_280), ("5,805", 580_500), ("1.234", 123_400)],
)  # fmt: skip
def test_prices_where_a_comma_stands_before_decimals(text: str, meant: int | str) -> None:
    assert outcome(lambda: cells.price(text, COMMA)) == meant


def outcome(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except Wrong as wrong:
        return wrong.code if SENTENCES[wrong.code] % wrong.facts else ""


CELLS: list[tuple[str, Any, Any]] = [
    ("stock", "60", 60), ("stock", "60.0", 60), ("stock", "1,000", 1_000), ("stock", "-3", "count_too_small"),
    ("stock", "1.5", "no_count"),
    ("stock", "1e300", "no_count"), ("stock", "99999999", "count_too_large"), ("stock", Odd("formula", "=A1"), "formula"),
    ("stock", Odd("error", "#N/A"), "error"), ("grams", "1.7斤", 850), ("grams", "0.85 kg", 850), ("grams", "0", "count_too_small"),
    ("grams", "1e9", "no_weight"), ("season", "12-5", "12-5"), ("season", "12月至5月", "12-5"), ("season", "13-1", "no_season"),
    ("season", Odd("date", "2026-12-05"), "date"), ("season", "全年", ""), ("state", "上架", "on_sale"), ("state", "On sale", "on_sale"),
    ("state", "maybe", "no_choice"), ("barcode", "6901234567892", "6901234567892"), ("barcode", "6.9E+12", "no_barcode"),
    ("barcode", "123", "no_barcode"), ("category", "水果", 1), ("category", "星星", "no_category"), ("allergens", "鸡蛋、milk", "egg|milk"),
    ("allergens", "石头", "no_choice"), ("name_zh", "x" * 81, "too_long"), ("name_zh", "a\x07b", "unreadable"),
    ("is_returnable", "是", True),
    ("is_returnable", "perhaps", "no_choice"), ("description_zh", "<p>甜</p><script>alert(1)</script>", "甜"),
    ("sold_by", "称重", ["weight", "weight"]), ("shelf_life", "0", "count_too_small"),
]  # fmt: skip


@pytest.mark.parametrize(("column", "cell", "meant"), CELLS)
def test_cells(column: str, cell: Any, meant: Any) -> None:
    assert outcome(lambda: cells.READERS[column](cell, READING)) == meant


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        ("A 01_b", "a-01-b"),
        ("орех", "no_code"),
        ("x" * 61, "no_code"),
        ("../etc", "etc"),
        ("a?b", "no_code"),
        ("a--b", "a-b"),
        (Odd("date", "2026-01-02"), "date"),
    ],
)
def test_codes(cell: Any, meant: str) -> None:
    assert outcome(lambda: cells.slug(cell)) == meant


def bomb(size: int) -> bytes:
    return with_part(as_xlsx([row("a")]), "xl/media/image1.png", b"\0" * size)


def laughs() -> bytes:
    text = '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><sst>&b;</sst>'
    return with_part(as_xlsx([row("a")]), "xl/sharedStrings.xml", text.encode())


def workbook(change: Callable[[Any], None]) -> bytes:
    book = openpyxl.Workbook()
    book.active.append(OWN)
    book.active.append(row("a"))
    change(book.active)
    return saved(book)


def archive(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name in names:
            made.writestr(name, "x")
    return file.getvalue()


def flipped(content: bytes) -> bytes:
    """A byte in the middle of what was packed is another one."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        entry = file.getinfo("xl/worksheets/sheet1.xml")
    place = entry.header_offset + 30 + len(entry.filename)
    return content[:place] + b"\xff" * 8 + content[place + 8 :]


def of_cells(cells: bytes) -> bytes:
    """A workbook whose sheet is one row of these cells."""
    sheet = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row>%s</row></sheetData></worksheet>'
    return with_part(GOOD_XLSX, "xl/worksheets/sheet1.xml", sheet % cells)


GOOD_XLSX = as_xlsx([row("a")])
HOSTILE: dict[str, tuple[Callable[[], bytes], type[SheetRefused]]] = {
    "empty": (lambda: b"", EmptySheet),
    "only a mark": (lambda: b"\xef\xbb\xbf\r\n", EmptySheet),
    "only heads": (lambda: as_csv([]), EmptySheet),
    "too many bytes": (lambda: b"x" * (20 * 1024 * 1024 + 1), SheetTooLarge),
    "too many rows": (lambda: as_csv([row(f"a{number}") for number in range(10_001)]), TooManyRows),
    "rows without end": (lambda: as_csv([]) + b"\n,,,,,,,,,," * 60_001, GoesOnEmpty),
    "a row far below": (lambda: workbook(lambda sheet: sheet.cell(1_000_000, 1, "x")), GoesOnEmpty),
    "too many columns": (lambda: as_csv([], [*OWN, *(f"x{number}" for number in range(200))]), TooManyColumns),
    "a column far right": (lambda: workbook(lambda sheet: sheet.cell(1, 201, "x")), TooManyColumns),
    "a long cell": (lambda: as_csv([row("a", name="x" * 40_000)]), CellTooLong),
    "a picture": (lambda: b"\x89PNG\r\n\x1a\n" + b"\0" * 100, NotASheet),
    "a photo named xlsx": (lambda: b"\xff\xd8\xff\xe0" + b"\0" * 100, NotASheet),
    "a PDF": (lambda: b"%PDF-1.7\n%x", NotASheet),
    "a page": (lambda: b"<!DOCTYPE html><table><tr><td>code</td></tr></table>", NotASheet),
    "bytes of nothing": (lambda: b"abc\0\1\2\3", NotASheet),
    "an old workbook": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, OldWorkbook),
    "another ZIP": (lambda: archive("readme.txt"), NotASheet),
    "a text document": (lambda: archive("[Content_Types].xml", "word/document.xml"), NotASheet),
    "an empty workbook": (lambda: archive("[Content_Types].xml", "xl/workbook.xml"), BrokenWorkbook),
    "half a workbook": (lambda: GOOD_XLSX[: len(GOOD_XLSX) // 2], BrokenWorkbook),
    "the head of a ZIP": (lambda: b"PK\3\4" + b"x" * 50, BrokenWorkbook),
    "a bomb": (lambda: bomb(65 * 1024 * 1024), SheetTooLarge),
    "a bomb of texts": (lambda: with_part(GOOD_XLSX, "xl/sharedStrings.xml", b" " * (25 * 1024 * 1024)), SheetTooLarge),
    "a billion laughs": (laughs, BrokenWorkbook),
    "macros": (lambda: with_part(GOOD_XLSX, "xl/vbaProject.bin", b"x"), WithMacros),
    "many parts": (lambda: archive("[Content_Types].xml", *(f"xl/{number}" for number in range(2_100))), SheetTooLarge),
    "broken XML": (lambda: with_part(GOOD_XLSX, "xl/worksheets/sheet1.xml", b"<worksheet><sheetData><row"), BrokenWorkbook),
    "merged goods": (lambda: workbook(lambda sheet: (sheet.append(row("b")), sheet.merge_cells("A2:A3"))), MergedCells),
    "other heads": (lambda: as_csv([["1", "2"]], ["foo", "bar"]), NoKnownColumns),
    "no code": (lambda: as_csv([["x", "5"]], ["商品名称", "价格"]), ColumnMissing),
    "twice the same": (lambda: as_csv([["x", "5", "6"]], ["编码", "价格", "售价"]), ColumnTwice),
    "dollars in the head": (lambda: as_csv([["x", "5"]], ["code", "price (USD)"]), OtherCurrency),
    "half a quote": (lambda: as_csv([]) + b'"a,b\n', BreaksOff),
    "a quote in the middle": (lambda: as_csv([]) + b'"a"b,c\n', BrokenQuotes),
    "cut within a letter": (lambda: as_csv([row("血橙血橙血橙")])[:-30] + "血".encode()[:2], BreaksOff),
    "two kinds of letters": (lambda: as_csv([row("a"), row("b")]) + "血橙".encode("gb18030") + "血橙".encode() * 9, MixedLetters),
    "a cell without end in the first row": (lambda: b"code,price\n" + b"x" * 200_000 + b",5\n", CellTooLong),
    "a head without end": (lambda: b"x" * 200_000 + b",code,price\n1,2,3\n", CellTooLong),
    "a flipped byte": (lambda: flipped(GOOD_XLSX), BrokenWorkbook),
    "one long text in many cells": (lambda: as_xlsx([row(f"a{number}", name="x" * 32_000) for number in range(800)]), SheetTooLarge),
    "a row of millions of cells": (lambda: of_cells(b"<c/>" * 2_000_001), SheetTooLarge),
    "laughs under another name": (
        lambda: with_part(GOOD_XLSX, "xl/worksheets/sheet.dat", '<!DOCTYPE l [<!ENTITY a "ha">]>'.encode("utf-16")), BrokenWorkbook,
    ),
    "letters of nobody": (lambda: b"code,price\n\xff\xff\x80\x80,5\n", UnreadableLetters),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_what_cannot_be_read_is_refused_with_a_sentence(name: str) -> None:
    make, refusal = HOSTILE[name]
    with pytest.raises(SheetRefused) as refused:
        wishes_of(make())
    assert type(refused.value) is refusal
    assert str(refused.value)


def test_odd_cells_are_wrong_by_themselves() -> None:
    def odd(sheet: Any) -> None:
        sheet.append(row("b", price="=A1*2"))
        sheet.append(row("c", days=datetime.date(2026, 1, 2)))
        sheet.append(row("d", price=1e300))
        sheet.append(row("e", stock=True))

    good, *others = wishes_of(workbook(odd))
    assert good.wrongs == []
    assert [(wish.wrongs[0].column, wish.wrongs[0].code) for wish in others] == [
        ("price", "formula"), ("shelf_life", "date"), ("price", "no_price"), ("stock", "no_count"),
    ]  # fmt: skip


def test_a_comma_without_quotes_is_seen_and_nothing_is_dropped() -> None:
    content = b"code,price,stock\na,5,80,3\nb,5.80\n"
    assert [[wrong.code for wrong in wish.wrongs] for wish in wishes_of(content, ImportKind.FIGURES)] == [["more_cells"], ["fewer_cells"]]


def test_semicolons_tell_of_decimal_commas() -> None:
    assert wishes_of(b"code;price\na;5,80\n", ImportKind.FIGURES)[0].values == {"price": 580}
    mixed = wishes_of(b"code;price\na;5,80\nb;5.80\n", ImportKind.FIGURES)
    assert [wish.values.get("price") for wish in mixed] == [None, 580]


def test_a_code_in_two_rows_and_a_product_told_in_two_ways_are_wrong_in_the_second() -> None:
    content = as_csv([row("a", product="x"), row("A", product="y"), row("b", product="x", name="别的")])
    first, second, third = wishes_of(content)
    assert (first.wrongs, [wrong.code for wrong in second.wrongs], [wrong.code for wrong in third.wrongs]) == (
        [], ["code_twice"], ["of_other_product"],
    )  # fmt: skip


def test_what_only_a_later_row_says_of_a_product_holds_for_its_first_too() -> None:
    says = [{"name": "橙"}, {"name": "", "state": "上架"}, {"name": "", "state": "草稿"}]
    found = wishes_of(as_csv([row(f"a{number}", product="x", **said) for number, said in enumerate(says)]))
    assert [wish.values["state"] for wish in found] == ["on_sale", "on_sale", "draft"]
    assert [[wrong.code for wrong in wish.wrongs] for wish in found] == [[], [], ["of_other_product"]]


def test_a_code_with_and_without_the_shop_before_it_is_the_same_code() -> None:
    content = as_csv([row("eggs", product="hen"), row("coop-eggs", product="coop-hen", name="别的")])
    assert [[wrong.code for wrong in wish.wrongs] for wish in wishes_of(content)] == [[], ["code_twice", "of_other_product"]]


SHOPIFY = (
    "Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant SKU,Variant Grams,"
    "Variant Inventory Qty,Variant Price,Variant Barcode,Image Src,Status\n"
    'blood-orange,资中血橙,"<p>甜 <b>多汁</b></p><script>x()</script>",V,水果,,true,Size,5斤,Grade,A,BO-5A,2500,60,24.90,,https://x/1.jpg,active\n'
    "blood-orange,,,,,,,,10斤,,A,,5000,12,46.00,,,\n"
    "blood-orange,,,,,,,,,,,,,,,,https://x/2.jpg,\n"
    "纸巾,纸巾,,V,水果,,false,Title,Default Title,,,'001,0,5,9.90,,,draft\n"
).encode()


def test_the_export_of_shopify_becomes_sizes_of_products() -> None:
    with pytest.raises(WhichCurrency):
        wishes_of(SHOPIFY)
    small, large, paper = wishes_of(SHOPIFY, is_yuan=True)
    assert (small.code, small.product, small.values["unit_zh"], small.values["price"]) == ("bo-5a", "blood-orange", "5斤 / A", 2_490)
    assert small.values["description_zh"] == "甜 多汁"
    assert large.product == "blood-orange"
    assert (large.values["name_zh"], large.values["unit_zh"], large.values["state"]) == ("资中血橙", "10斤 / A", "on_sale")
    assert large.code.startswith("blood-orange-10-a-"), "a code of its own, always the same"
    assert (paper.code, "grams" in paper.values, paper.values["state"]) == ("001", False, "draft")
    assert layouts.read(open_sheet(SHOPIFY, is_known), ImportKind.GOODS, is_yuan=True).pictures == 2


WOO = (
    "ID,Type,SKU,Name,Published,Short description,Description,Stock,Weight (kg),Sale price,Regular price,Categories,Images,Parent,"
    "Attribute 1 name,Attribute 1 value(s)\n"
    '7,variable,EGG,土鸡蛋,1,"<ul><li>散养</li></ul>",,,,,,"食品 > 水果",https://x/1.jpg,,Size,"12枚, 30枚"\n'
    "8,variation,EGG-12,土鸡蛋 - 12枚,1,,,40,0.7,,19.90,,,EGG,Size,12枚\n"
    "9,variation,EGG-30,土鸡蛋 - 30枚,1,,,20,1.8,,45,,,id:7,Size,30枚\n"
    "10,simple,RICE,大米,0,,,5,2.5,,30.00,水果,,,,\n"
    "11,external,LINK,别家,1,,,,,,1.00,水果,,,,\n"
).encode()


def test_the_export_of_woocommerce_becomes_sizes_of_products() -> None:
    dozen, thirty, rice, link = wishes_of(WOO, is_yuan=True)
    assert [(wish.code, wish.product, wish.values["name_zh"]) for wish in (dozen, thirty)] == [
        ("egg-12", "egg", "土鸡蛋"), ("egg-30", "egg", "土鸡蛋"),
    ]  # fmt: skip
    assert (dozen.values["grams"], dozen.values["unit_zh"], dozen.values["category"], dozen.values["description_zh"]) == (
        700,
        "12枚",
        1,
        "散养",
    )
    assert (rice.product, rice.values["state"], rice.values["grams"]) == ("rice", "draft", 2_500)
    assert [wrong.code for wrong in link.wrongs] == ["not_sold_by_us"]


@pytest.mark.parametrize(
    ("html", "said"),
    [
        ("甜", "甜"), ("<b>a</b> &amp; b", "a & b"), ("<p>a</p><p>b</p>", "a\nb"), ("<style>x{}</style>y", "y"), ("a<br/>b", "a\nb"),
        ("<script>alert(1)", ""), ("<img src=x onerror=alert(1)>", ""), ("&lt;script&gt;", "<script>"), ("<" * 1000, "<" * 1000),
        ("<![foo[", "<![foo["), ("a<!-- <b>x</b> -->b<!-- c", "ab"), ("1 < 2 > 0", "1 < 2 > 0"),
        ("<script>if (a<b) '<script>'</script>y", "y"),
        ("<a " * 10_900, ("<a " * 10_900).strip()), ("<!--" * 8_000, ""), ("<p " * 5_000 + ">", ("<p " * 4_999).strip()),
        ("&#" + "9" * 5_000, "&#" + "9" * 5_000), ("<svg/>a<SCRIPT x>b</Script >c", "ac"),
    ],
)  # fmt: skip
def test_html_becomes_plain_text(html: str, said: str) -> None:
    assert plain_text(html) == said


def test_every_column_has_a_reader_and_names_of_its_own() -> None:
    assert {column.key for column in COLUMNS} == set(cells.READERS) | wishes.UNREAD
    names = [name for column in COLUMNS for name in column.names]
    assert len(names) == len(set(names))
