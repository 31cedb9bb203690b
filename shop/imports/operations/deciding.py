"""The merchant looks at the rows and decides: which questions are right, and whether all rows or only the good ones are applied."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.catalog.permissions import CatalogPermission
from shop.imports import queries
from shop.imports.errors import NothingToApply, NotToBeDecided, TooManyAtOnce, WrongRows
from shop.imports.operations.bringing import may_bring
from shop.imports.permissions import ImportPermission
from shop.imports.tags import Done
from shop.kernel.db import operation, take
from shop.kernel.errors import Forbidden
from shop.models.imports import Choice, ImportRow, ImportState, ProductImport
from shop.platform import audit, outbox
from shop.platform.actor import Actor

APPLY = "imports.apply"
MOST_AT_ONCE = 2_000
"""All or nothing is one transaction; a longer one would keep buyers of these goods waiting."""


def open_import(session: Session, actor: Actor, ref: str) -> ProductImport:
    """An import that this person may decide about. Raises `NotFound`, `Forbidden`."""
    found = queries.get_import(session, actor.merchants(ImportPermission.SHEET_WRITE), ref)
    may_bring(actor, found.merchant_id, found.kind)
    if found.has_prices and found.merchant_id not in actor.merchants(CatalogPermission.PRICE_WRITE):
        raise Forbidden()
    return found


@operation
def say_sure(session: Session, actor: Actor, ref: str, numbers: Sequence[int] | None, *, is_sure: bool = True) -> int:
    """Say of rows, or of all (None), that what was asked about them is right, or take that back; how many rows that changed.

    Raises `NotFound`, `Forbidden`, `NotToBeDecided`.
    """
    found = open_import(session, actor, ref)
    still = sa.update(ProductImport).where(ProductImport.id == found.id, ProductImport.state == ImportState.CHECKED)
    if not take(session, still.values(state=ImportState.CHECKED)):
        raise NotToBeDecided()
    asked = sa.update(ImportRow).where(ImportRow.import_id == found.id, ImportRow.is_asked, ImportRow.is_sure != is_sure)
    if numbers is not None:
        asked = asked.where(ImportRow.number.in_(numbers))
    changed = session.execute(
        asked.values(is_sure=is_sure).returning(ImportRow.id).execution_options(synchronize_session=False)
    ).all()  # fmt: skip
    return len(changed)


@operation
def decide(session: Session, actor: Actor, ref: str, choice: Choice) -> None:
    """Apply a sheet by a job: every row or none, or the good rows. Decided once, whoever presses twice.

    Raises `NotFound`, `Forbidden`, `NotToBeDecided`, `WrongRows` (all or nothing, and some are not good), `TooManyAtOnce`,
    `NothingToApply`.
    """
    found = open_import(session, actor, ref)
    waiting = sa.update(ProductImport).where(ProductImport.id == found.id, ProductImport.state == ImportState.CHECKED)
    if not take(session, waiting.values(state=ImportState.APPLYING, choice=choice, chosen_by=actor.user_id)):
        raise NotToBeDecided()
    counts = queries.counts(session, found.id)
    if choice is Choice.ALL and counts.wrong + counts.asked:
        raise WrongRows(rows=counts.wrong + counts.asked)
    if not counts.to_apply:
        raise NothingToApply()
    if choice is Choice.ALL and counts.to_apply > MOST_AT_ONCE:
        raise TooManyAtOnce(most=MOST_AT_ONCE)
    audit.record(session, actor, Done.IMPORT_CHOSEN, "product_import", found.id, ref=ref, choice=choice.value, rows_wanted=counts.to_apply)
    outbox.enqueue(session, APPLY, dedupe_key=f"{APPLY}:{found.id}", import_id=found.id)
