"""Writing XLSX: one sheet whose first row stays in view, in a tenth of the time that a library for all of Excel takes.

Rows go into the ZIP as they come. Texts are texts (`inlineStr`): nothing in them is looked at by whoever opens the file, least of all as a
formula. Amounts, days and moments are numbers with a format.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from xml.sax.saxutils import escape

from shop.kernel import clock
from shop.kernel.money import Money

Cell = str | int | Money | date | datetime | None
Row = Sequence[Cell]

BEFORE_THE_FIRST_DAY = date(1899, 12, 30)
"""Spreadsheets count days from here on."""

SECONDS_OF_A_DAY = 86_400
PLAIN, AMOUNT, DAY, MOMENT = 0, 1, 2, 3
"""The formats, by their places in STYLES."""

NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"

TYPES = (
    f'{HEAD}<Types xmlns="{PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{KIND}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{KIND}.worksheet+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{KIND}.styles+xml"/></Types>'
)
TOP = (
    f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
)
PARTS = (
    f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{OFFICE}/styles" Target="styles.xml"/></Relationships>'
)
STYLES = (
    f'{HEAD}<styleSheet xmlns="{MAIN}"><numFmts count="3"><numFmt numFmtId="164" formatCode="#,##0.00"/>'
    '<numFmt numFmtId="165" formatCode="yyyy-mm-dd"/><numFmt numFmtId="166" formatCode="yyyy-mm-dd hh:mm"/></numFmts>'
    '<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="4">'
    '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="166" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)
BEFORE_ROWS = (
    f'{HEAD}<worksheet xmlns="{MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft"'
    ' state="frozen"/></sheetView></sheetViews><sheetFormatPr defaultRowHeight="15"/><sheetData>'
)
AFTER_ROWS = "</sheetData></worksheet>"


def book(title: str) -> str:
    name = escape(NOT_IN_XML.sub("", title)[:31], {'"': "&quot;"})
    sheets = f'<sheets><sheet name="{name}" sheetId="1" r:id="rId1"/></sheets>'
    return f'{HEAD}<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">{sheets}</workbook>'


def cell_of(cell: Cell) -> str:
    """A cell as XML; a text is taken as it is."""
    if cell is None or cell == "":
        return "<c/>"
    if isinstance(cell, str):
        return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(NOT_IN_XML.sub("", cell))}</t></is></c>'
    if isinstance(cell, Money):
        return f'<c s="{AMOUNT}"><v>{str(cell).replace(",", "")}</v></c>'
    if isinstance(cell, datetime):
        local = clock.local(cell)
        seconds = local.hour * 3_600 + local.minute * 60 + local.second
        return f'<c s="{MOMENT}"><v>{(local.date() - BEFORE_THE_FIRST_DAY).days + seconds / SECONDS_OF_A_DAY:.9f}</v></c>'
    if isinstance(cell, date):
        return f'<c s="{DAY}"><v>{(cell - BEFORE_THE_FIRST_DAY).days}</v></c>'
    return f"<c><v>{int(cell)}</v></c>"


def written(rows: Iterable[Row], title: str) -> bytes:
    """The file. Rows are read one by one."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as parts:
        for name, text in (
            ("[Content_Types].xml", TYPES), ("_rels/.rels", TOP), ("xl/workbook.xml", book(title)), ("xl/_rels/workbook.xml.rels", PARTS),
            ("xl/styles.xml", STYLES),
        ):  # fmt: skip
            parts.writestr(name, text)
        with parts.open("xl/worksheets/sheet1.xml", "w") as sheet:
            sheet.write(BEFORE_ROWS.encode())
            for row in rows:
                sheet.write(f"<row>{''.join(map(cell_of, row))}</row>".encode())
            sheet.write(AFTER_ROWS.encode())
    return file.getvalue()
