"""What a sheet says is kept row by row, some hundred at a time: a worker that dies goes on where it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.imports import queries
from shop.imports.comparing import Judged, May, judge
from shop.imports.layouts import Read
from shop.imports.wishes import Wish
from shop.kernel import clock
from shop.kernel.db import operation, take
from shop.kernel.statements import table
from shop.kernel.text import clipped
from shop.models.imports import ImportFile, ImportRow, ImportState, ProductImport, Verdict

ROWS = table(ImportRow)
NOT_KEPT = frozenset({"pictures"})
LONGEST_HEAD, MOST_UNKNOWN = 40, 20


@operation
def begin(session: Session, import_id: int, read: Read, rows: int) -> None:
    """Say how many rows there are and whose columns they have; said again, it is the same."""
    reading = sa.update(ProductImport).where(ProductImport.id == import_id, ProductImport.state == ImportState.READING)
    headers: dict[str, Any] = {key: clipped(head, LONGEST_HEAD) for key, head in read.heads.items()}
    headers["?"] = [clipped(head, LONGEST_HEAD) for head in read.unknown[:MOST_UNKNOWN]]
    take(session, reading.values(rows_total=rows, layout=read.layout, headers=headers, pictures=read.pictures))


@operation
def refuse(session: Session, import_id: int, message: str, facts: Mapping[str, Any]) -> None:
    """The file as a whole is of no use: `message` says why, in the words of a refusal."""
    reading = sa.update(ProductImport).where(ProductImport.id == import_id, ProductImport.state == ImportState.READING)
    refusal = {"message": message, "facts": dict(facts)}
    if take(session, reading.values(state=ImportState.REFUSED, refusal=refusal, finished_at=clock.now())):
        session.execute(sa.delete(ImportFile).where(ImportFile.import_id == import_id))


@operation
def keep_rows(session: Session, import_id: int, start: int, wishes: Sequence[Wish], shop: str, may: May) -> bool:
    """Keep what the rows from place `start` on mean now; with the last of them the sheet is read and its bytes are forgotten.

    False when somebody else kept them, or the import was dropped meanwhile: whoever reads on must look first.
    """
    found = session.get(ProductImport, import_id)
    assert found is not None
    until = start + len(wishes)
    is_last = until == found.rows_total
    state = ImportState.CHECKED if is_last else ImportState.READING
    here = sa.update(ProductImport).where(
        ProductImport.id == import_id, ProductImport.state == ImportState.READING, ProductImport.rows_read == start
    )
    if not take(session, here.values(rows_read=until, state=state)):
        return False
    around = queries.around(session, found.merchant_id, wishes, shop)
    judged = [judge(wish, found.kind, found.layout, shop, around, may, found.usual.get("goods", {})) for wish in wishes]
    if rows := [row_of(one, import_id, found.merchant_id) for one in judged]:
        session.execute(sa.insert(ROWS), rows)
    if any("price" in one.values for one in judged if one.verdict is Verdict.CHANGED):
        session.execute(sa.update(ProductImport).where(ProductImport.id == import_id).values(has_prices=True))
    if is_last:
        session.execute(sa.delete(ImportFile).where(ImportFile.import_id == import_id))
    return True


def row_of(one: Judged, import_id: int, merchant_id: int) -> dict[str, Any]:
    """A row as it is kept."""
    return {
        "import_id": import_id, "merchant_id": merchant_id, "number": one.wish.number, "code": one.code, "name": one.name[:200],
        "verdict": one.verdict, "cells": {key: text for key, text in one.wish.written.items() if key not in NOT_KEPT}, "values": one.values,
        "changes": [list(change) for change in one.changes], "questions": [question.kept() for question in one.questions],
        "wrongs": [wrong.kept() for wrong in one.wish.wrongs], "is_asked": bool(one.questions), "is_sure": False, "outcome": None,
    }  # fmt: skip
