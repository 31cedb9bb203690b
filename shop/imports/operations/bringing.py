"""A sheet is brought, and dropped again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.catalog.permissions import CatalogPermission
from shop.imports import queries
from shop.imports.errors import NoFile, NotToBeDecided, TooManyOpen
from shop.imports.permissions import ImportPermission
from shop.imports.sheets import within_bytes
from shop.imports.tags import Done
from shop.kernel import clock
from shop.kernel.db import insert_once, operation, take
from shop.kernel.errors import Forbidden, NotFound
from shop.kernel.text import name
from shop.models.imports import ImportFile, ImportKind, ImportState, ProductImport
from shop.platform import audit, outbox
from shop.platform.actor import Actor

CHECK = "imports.check"
MOST_OPEN = 5
LONGEST_NAME = 120


def may_bring(actor: Actor, merchant_id: int, kind: ImportKind) -> None:
    """Raises `NotFound` for another's shop, `Forbidden` for who may not list goods there."""
    if merchant_id not in actor.merchants(ImportPermission.SHEET_WRITE):
        raise NotFound()
    if kind is ImportKind.GOODS and merchant_id not in actor.merchants(CatalogPermission.GOODS_WRITE):
        raise Forbidden()


@operation
def bring(
    session: Session, actor: Actor, merchant_id: int, kind: ImportKind, file_name: str, content: bytes, usual: Mapping[str, Any], once: str
) -> str:
    """Keep a sheet to be read by a job; its reference. The same told again with the same `once` is the same import; a file that
    was repaired meanwhile is another.

    `usual` is what was said beside the file (`usual.py`). Raises `Forbidden`, `NotFound`, `NoFile`, `SheetTooLarge`, `EmptySheet`,
    `TooManyOpen`.
    """
    may_bring(actor, merchant_id, kind)
    if not content:
        raise NoFile()
    within_bytes(content)
    told = json.dumps([merchant_id, actor.kind, actor.user_id, kind, usual, once, hashlib.sha256(content).hexdigest()], sort_keys=True)
    made = hashlib.sha256(told.encode()).hexdigest()
    ref = f"IM-{made[:12].upper()}"
    if session.scalar(sa.select(ProductImport.id).where(ProductImport.ref == ref)) is not None:
        return ref
    if (there := queries.is_open(session, merchant_id)) >= MOST_OPEN:
        raise TooManyOpen(open=there)
    import_id = insert_once(
        session, ProductImport, ref=ref, merchant_id=merchant_id, kind=kind, state=ImportState.READING,
        file_name=name(file_name[:LONGEST_NAME], LONGEST_NAME) or "?", usual=dict(usual), layout="", headers={}, rows_total=0, rows_read=0,
        rows_applied=0, rows_failed=0, pictures=0, has_prices=False, refusal=None, created_by=actor.user_id, created_at=clock.now(),
    )  # fmt: skip
    if import_id is not None:
        session.add(ImportFile(import_id=import_id, content=content))
        audit.record(session, actor, Done.IMPORT_BROUGHT, "product_import", import_id, kind=kind.value, ref=ref)
        outbox.enqueue(session, CHECK, dedupe_key=f"{CHECK}:{import_id}", import_id=import_id)
    return ref


@operation
def drop(session: Session, actor: Actor, ref: str) -> None:
    """Nothing of a sheet is applied; dropped again, nothing changes.

    Raises `NotFound`, `Forbidden` (new prices of somebody else are for who may price), `NotToBeDecided` when it is being applied.
    """
    found = queries.get_import(session, actor.merchants(ImportPermission.SHEET_WRITE), ref)
    may_bring(actor, found.merchant_id, found.kind)
    is_own = found.created_by is not None and found.created_by == actor.user_id
    if found.has_prices and not is_own and found.merchant_id not in actor.merchants(CatalogPermission.PRICE_WRITE):
        raise Forbidden()
    if found.state in (ImportState.DROPPED, ImportState.REFUSED):
        return
    waiting = sa.update(ProductImport).where(
        ProductImport.id == found.id, ProductImport.state.in_((ImportState.READING, ImportState.CHECKED))
    )
    if not take(session, waiting.values(state=ImportState.DROPPED, finished_at=clock.now())):
        raise NotToBeDecided()
    session.execute(sa.delete(ImportFile).where(ImportFile.import_id == found.id))
    audit.record(session, actor, Done.IMPORT_DROPPED, "product_import", found.id, ref=ref)
