"""Sheets of goods by API: bring one, look at its rows, decide."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from shop.imports import operations, queries
from shop.imports.errors import (
    EmptySheet,
    NotASheet,
    NothingToApply,
    NotToBeDecided,
    SheetTooLarge,
    TooManyAtOnce,
    TooManyOpen,
    WrongRows,
)
from shop.imports.permissions import ImportPermission
from shop.imports.saying import SENTENCES
from shop.imports.sheets import MOST_BYTES
from shop.kernel import ids
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound
from shop.merchants.queries import by_code
from shop.models.imports import Choice, ImportKind, ImportRow, ImportState, Outcome, ProductImport, Verdict
from shop.platform.access import permitted
from shop.platform.actor import Actor
from shop.platform.api.core import Schema, decode_cursor, encode_cursor, route
from shop.platform.api.fields import READABLE, Cursor
from shop.platform.language import words
from shop.platform.permissions import Permission

TAG = "merchant"
MOST_WRITTEN = MOST_BYTES * 4 // 3 + 4
CODE = Field(max_length=64, pattern=r"^[a-z0-9-]+$")


class ImportIn(Schema):
    merchant: Annotated[str, CODE]
    kind: Literal["goods", "figures"]
    file_name: Annotated[str, Field(max_length=80), READABLE]
    content: str = Field(max_length=MOST_WRITTEN, pattern=r"^[A-Za-z0-9+/=]*$", description="The file, base64.")
    prices_in_yuan: bool = Field(default=False, description="Say so for exports of Shopify and WooCommerce, which name no currency.")
    decimal_comma: bool | None = Field(default=None, description="Left out, the file itself says it.")


class ImportOut(Schema):
    ref: str
    merchant_id: int
    kind: ImportKind
    state: ImportState
    file_name: str
    created_at: AwareDatetime
    rows_total: int
    rows_read: int
    rows_applied: int
    rows_failed: int
    refusal: str | None = Field(description="Why the file could not be read, or nothing more was applied.")


class ImportDetail(ImportOut):
    new: int
    changed: int
    same: int
    wrong: int
    to_confirm: int


class ImportPage(Schema):
    items: list[ImportOut]
    next_cursor: str | None


class SaidOfRow(Schema):
    column: str = Field(description="Our name of the column; empty for the row as a whole.")
    code: str
    message: str


class RowChange(Schema):
    column: str
    before: Any
    after: Any


class RowOut(Schema):
    row: int
    code: str
    name: str
    verdict: Verdict
    changes: list[RowChange]
    wrong: list[SaidOfRow]
    questions: list[SaidOfRow]
    confirmed: bool
    outcome: Outcome | None


class RowPage(Schema):
    items: list[RowOut]
    next_cursor: str | None


class ImportsQuery(Schema):
    merchant: Annotated[str, CODE] | None = Field(default=None, description="One of your shops; left out, all of them.")
    cursor: Cursor | None = None
    limit: int = Field(default=30, ge=1, le=100)


class RowsQuery(Schema):
    which: Literal["new", "changed", "same", "wrong", "asked", "failed", "repair"] | None = None
    cursor: Cursor | None = None
    limit: int = Field(default=100, ge=1, le=200)


class SureIn(Schema):
    rows: Annotated[list[Annotated[int, Field(ge=1, le=100_000)]], Field(max_length=10_000)] | None = Field(
        description="The numbers of the rows that are right; null for all that are asked about."
    )


class DecisionIn(Schema):
    choice: Literal["all", "good"]


def shops_of(actor: Actor, permission: Permission, code: str | None) -> list[int]:
    """The shops meant: the one named, or all. Raises `NotFound` for another's."""
    own = actor.merchants(permission)
    if code is None:
        return list(own)
    found = by_code(reading(), code)
    if found is None or found.id not in own:
        raise NotFound()
    return [found.id]


def import_out(found: ProductImport) -> dict[str, Any]:
    refusal = None
    if found.refusal:
        said, facts = found.refusal["message"], found.refusal["facts"]
        refusal = words(said, **facts)
    return {
        "ref": found.ref, "merchant_id": found.merchant_id, "kind": found.kind, "state": found.state, "file_name": found.file_name,
        "created_at": found.created_at, "rows_total": found.rows_total, "rows_read": found.rows_read, "rows_applied": found.rows_applied,
        "rows_failed": found.rows_failed, "refusal": refusal,
    }  # fmt: skip


def detail(actor: Actor, ref: str) -> dict[str, Any]:
    found = queries.get_import(reading(), actor.merchants(ImportPermission.SHEET_READ), ref)
    counts = queries.counts(reading(), found.id)
    return import_out(found) | {
        "new": counts.new, "changed": counts.changed, "same": counts.same, "wrong": counts.wrong, "to_confirm": counts.asked,
    }  # fmt: skip


def said_of(saying: dict[str, Any]) -> dict[str, Any]:
    told, facts = SENTENCES[saying["code"]], saying["facts"]
    return {"column": saying["column"], "code": saying["code"], "message": words(told, **facts)}


def row_out(row: ImportRow) -> dict[str, Any]:
    return {
        "row": row.number, "code": row.code, "name": row.name, "verdict": row.verdict,
        "changes": [{"column": column, "before": old, "after": new} for column, old, new in row.changes],
        "wrong": [said_of(saying) for saying in row.wrongs], "questions": [said_of(saying) for saying in row.questions],
        "confirmed": row.is_sure, "outcome": row.outcome,
    }  # fmt: skip


@route(
    "GET", "/merchant/imports", permitted(ImportPermission.SHEET_READ), summary="Sheets that were brought, newest first", tag=TAG,
    query=ImportsQuery, answers={200: ImportPage},
)  # fmt: skip
def list_imports(actor: Actor, query: ImportsQuery) -> Any:
    place = decode_cursor(query.cursor, int)
    shops = shops_of(actor, ImportPermission.SHEET_READ, query.merchant)
    rows, after = queries.list_imports(reading(), shops, place[0] if place else None, query.limit)
    return {"items": [import_out(row) for row in rows], "next_cursor": encode_cursor(after) if after is not None else None}


@route(
    "POST", "/merchant/imports", permitted(ImportPermission.SHEET_WRITE),
    summary="Bring a sheet; a job reads it, nothing changes", tag=TAG, body=ImportIn, answers={201: ImportDetail},
    refuses=(EmptySheet, SheetTooLarge, NotASheet, TooManyOpen), most_bytes=MOST_WRITTEN + 4_096,
)  # fmt: skip
def bring_import(actor: Actor, body: ImportIn) -> Any:
    try:
        content = base64.b64decode(body.content, validate=True)
    except binascii.Error:
        raise NotASheet("content", kind="base64") from None
    decimal = {None: "", True: "comma", False: "point"}[body.decimal_comma]
    usual: dict[str, Any] = {"currency": "CNY" if body.prices_in_yuan else "", "decimal": decimal, "goods": {}}
    (shop,) = shops_of(actor, ImportPermission.SHEET_WRITE, body.merchant)
    ref = perform(operations.bring, actor, shop, ImportKind(body.kind), body.file_name, content, usual, ids.secret())
    return detail(actor, ref), 201


@route(
    "GET", "/merchant/imports/<ref>", permitted(ImportPermission.SHEET_READ), summary="One sheet: how far it is, its rows counted",
    tag=TAG, answers={200: ImportDetail},
)  # fmt: skip
def get_product_import(actor: Actor, ref: str) -> Any:
    return detail(actor, ref)


@route(
    "GET", "/merchant/imports/<ref>/rows", permitted(ImportPermission.SHEET_READ), summary="What each row means, in plain words",
    tag=TAG, query=RowsQuery, answers={200: RowPage},
)  # fmt: skip
def import_rows(actor: Actor, ref: str, query: RowsQuery) -> Any:
    found = queries.get_import(reading(), actor.merchants(ImportPermission.SHEET_READ), ref)
    place = decode_cursor(query.cursor, int)
    rows, after = queries.list_rows(reading(), found.id, query.which or "", place[0] if place else None, query.limit)
    return {"items": [row_out(row) for row in rows], "next_cursor": encode_cursor(after) if after is not None else None}


@route(
    "POST", "/merchant/imports/<ref>/sure", permitted(ImportPermission.SHEET_WRITE),
    summary="Say that rows which are asked about are right", tag=TAG, body=SureIn, answers={200: ImportDetail}, refuses=(NotToBeDecided,),
)  # fmt: skip
def confirm_import_rows(actor: Actor, ref: str, body: SureIn) -> Any:
    perform(operations.say_sure, actor, ref, body.rows)
    return detail(actor, ref)


@route(
    "POST", "/merchant/imports/<ref>/decide", permitted(ImportPermission.SHEET_WRITE), summary="Apply all rows or the good ones",
    tag=TAG, body=DecisionIn, answers={200: ImportDetail}, refuses=(NotToBeDecided, WrongRows, TooManyAtOnce, NothingToApply),
)  # fmt: skip
def decide_import(actor: Actor, ref: str, body: DecisionIn) -> Any:
    perform(operations.decide, actor, ref, Choice(body.choice))
    return detail(actor, ref)


@route(
    "POST", "/merchant/imports/<ref>/drop", permitted(ImportPermission.SHEET_WRITE), summary="Apply nothing of a sheet", tag=TAG,
    answers={200: ImportDetail}, refuses=(NotToBeDecided,),
)  # fmt: skip
def drop_import(actor: Actor, ref: str) -> Any:
    perform(operations.drop, actor, ref)
    return detail(actor, ref)
