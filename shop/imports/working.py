"""Reading a sheet and applying it, from wherever it is asked for: a job, or a command."""

from __future__ import annotations

import logging
from dataclasses import replace

from sqlalchemy.exc import IntegrityError

from shop.accounts.queries import actor_of_user
from shop.catalog.permissions import CatalogPermission
from shop.imports import files, layouts, operations, queries, wishes
from shop.imports.cells import Reading
from shop.imports.comparing import May
from shop.imports.errors import BrokenWorkbook, EmptySheet, SheetRefused
from shop.imports.operations.applying import NobodyMay, NotFurther, RowsFailed
from shop.imports.wishes import Wish
from shop.kernel.db import finish_reading, perform, reading
from shop.kernel.errors import Busy, Forbidden, NotFound, ShopError
from shop.merchants.queries import by_ids
from shop.models.imports import Choice, ImportFile, ImportState, ProductImport
from shop.models.merchants import MerchantState
from shop.platform.actor import COMMAND, Actor, Grant
from shop.platform.grants import holders

log = logging.getLogger("shop.imports")


def check(import_id: int) -> None:
    """Read a sheet and keep what its rows mean, some at a time; begun again, it goes on after the last row that was kept."""
    found = reading().get_one(ProductImport, import_id)
    kept = reading().get(ImportFile, import_id)
    if found.state is not ImportState.READING or kept is None:
        return
    content, kind, usual, merchant_id = kept.content, found.kind, dict(found.usual), found.merchant_id
    shop = by_ids(reading(), [merchant_id])[merchant_id]
    may = may_of(actor_for(found.created_by, merchant_id), merchant_id, is_in_business=shop.state is MerchantState.ACTIVE)
    categories, named = queries.categories(reading())
    finish_reading()
    try:
        sheet = files.open_sheet(content, layouts.is_known)
        read = layouts.read(sheet, kind, is_yuan=usual.get("currency") == "CNY")
        decimal = usual.get("decimal", "")
        has_comma = decimal == "comma" or (decimal != "point" and read.has_decimal_comma)
        wanted = wishes.read(read.entries, kind, read.layout, Reading(has_comma, categories, named), shop.code)
        if not wanted:
            raise EmptySheet()
    except SheetRefused as refused:
        perform(operations.refuse, import_id, refused.message, refused.details)
        return
    except Exception as trouble:  # whatever a hostile file makes us say: tried again it would be the same, and nobody would be told
        log.error("import %s was not read: %s", import_id, type(trouble).__name__)
        perform(operations.refuse, import_id, BrokenWorkbook.message, {})
        return
    perform(operations.begin, import_id, read, len(wanted))
    keep(import_id, wanted, shop.code, may)


def keep(import_id: int, wanted: list[Wish], shop: str, may: May) -> None:
    """Keep the rows from the first that is not kept yet; ends when another worker is faster, or the import was dropped."""
    while True:
        found = reading().get_one(ProductImport, import_id, populate_existing=True)
        start, state = found.rows_read, found.state
        finish_reading()
        if state is not ImportState.READING:
            return
        perform(operations.keep_rows, import_id, start, wanted[start : start + queries.AT_ONCE], shop, may)


def may_of(actor: Actor | None, merchant_id: int, *, is_in_business: bool) -> May:
    """What somebody may decide at a shop now."""
    if actor is None:
        return May(price=False, goods=False, sell=False)
    return May(
        price=merchant_id in actor.merchants(CatalogPermission.PRICE_WRITE),
        goods=merchant_id in actor.merchants(CatalogPermission.GOODS_WRITE), sell=is_in_business,
    )  # fmt: skip


def actor_for(user_id: int | None, merchant_id: int) -> Actor | None:
    """Who asked for this, with the roles they hold now; a command speaks for the shop's owner. None when nobody is there any more."""
    if user_id is not None:
        return actor_of_user(reading(), user_id)
    return replace(COMMAND, grants=tuple(Grant(role.value, merchant_id) for role in holders(CatalogPermission.GOODS_WRITE)))


def apply(import_id: int) -> None:
    """Apply what was decided; begun again, it goes on with the rows that are not applied yet."""
    found = reading().get_one(ProductImport, import_id)
    if found.state is not ImportState.APPLYING:
        return
    merchant_id, choice = found.merchant_id, found.choice
    actor = actor_for(found.chosen_by, merchant_id)
    finish_reading()
    if actor is None:
        perform(operations.give_up, COMMAND, import_id, NobodyMay())
        return
    try:
        if choice is Choice.ALL:
            apply_all(actor, import_id)
        else:
            apply_good(actor, import_id)
    except (NotFound, Forbidden):
        perform(operations.give_up, actor, import_id, NobodyMay())
    except Busy:  # tried again it can succeed
        raise
    except (ShopError, IntegrityError) as trouble:  # tried again it would be the same, and nobody would be told
        log.error("import %s was not applied: %s", import_id, type(trouble).__name__)
        perform(operations.give_up, actor, import_id, NotFurther())


def apply_all(actor: Actor, import_id: int) -> None:
    try:
        perform(operations.apply_all, actor, import_id)
    except RowsFailed as refused:
        perform(operations.refuse_all, actor, import_id, refused.failed)
    else:
        perform(operations.finish, actor, import_id)


def apply_good(actor: Actor, import_id: int) -> None:
    while True:
        try:
            if not perform(operations.apply_some, actor, import_id):
                break
        except RowsFailed as refused:
            perform(operations.note_failed, import_id, refused.failed)
    perform(operations.finish, actor, import_id)
