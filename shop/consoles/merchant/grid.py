"""The grid for the PC: type or paste into cells, and save all of them at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import flash

from shop.catalog.permissions import CatalogPermission
from shop.consoles.merchant.goods import back_to, listed
from shop.consoles.merchant.here import page, shop_of
from shop.consoles.merchant.views import bp
from shop.kernel import ids
from shop.kernel.db import perform
from shop.kernel.errors import NotFound
from shop.listings import operations
from shop.listings.errors import GridDoubtful, GridRefused
from shop.listings.operations import COLUMNS, Cell, written
from shop.platform.access import permitted
from shop.platform.actor import Actor
from shop.platform.asked import sent
from shop.platform.bodies import takes
from shop.platform.http import told
from shop.platform.language import gettext as _
from shop.platform.language import ngettext
from shop.platform.sure import is_sure, yes_to

SIZES = (50,)
CELL, WAS = "cell-", "was-"
MOST_CELLS = max(SIZES) * len(COLUMNS)
LONGEST = 80


@bp.get("/grid")
@permitted(CatalogPermission.GOODS_WRITE)
def grid(actor: Actor) -> Any:
    return grid_page(actor, {}, {}, "")


Words = Mapping[tuple[str, str], str]


def grid_page(actor: Actor, typed: Words, errors: Words, trouble: str, sure: str = "") -> str:
    return page(
        "grid", actor, "listings", **listed(actor, CatalogPermission.GOODS_WRITE, SIZES), typed=typed, errors=errors, trouble=trouble,
        sure=sure, columns=COLUMNS, written=written, once=ids.secret(),
    )  # fmt: skip


def cells() -> list[Cell]:
    """The cells that were changed, `cell-<column>-<code>` with `was-<column>-<code>` beside it. Raises `NotFound` for other names."""
    seen = sent.beginning_with(WAS, most=MOST_CELLS, limit=LONGEST)
    found = []
    for name, text in sent.beginning_with(CELL, most=MOST_CELLS, limit=LONGEST + 1).items():
        column, _dash, code = name.removeprefix(CELL).partition("-")
        was = seen.get(f"{WAS}{column}-{code}")
        if column not in COLUMNS or not code or was is None:
            raise NotFound()
        if text != was:
            found.append(Cell(column, code, was, text))
    return found


@bp.post("/grid")
@takes(most_bytes=256 * 1024, most_fields=2 * MOST_CELLS + 10)
@permitted(CatalogPermission.GOODS_WRITE)
def save_grid(actor: Actor) -> Any:
    """Everything that was typed, or nothing; what is wrong is marked in its cell, and stays. What may be a slip is asked about."""
    shop = shop_of(actor, CatalogPermission.GOODS_WRITE)
    changed = cells()
    typed = {(one.column, one.code): one.typed for one in changed}
    try:
        count = perform(
            operations.save_grid, actor, shop.id, changed, sent.word("once") or ids.secret(), sure=lambda doubt: is_sure(question_of(doubt))
        )
    except NotFound:
        raise
    except GridRefused as refusal:
        errors = {place: told(error) for place, error in refusal.refused.items()}
        sure = yes_to(question_of(refusal)) if isinstance(refusal, GridDoubtful) else ""
        return grid_page(actor, typed, errors, told(refusal), sure), refusal.status
    if count:
        flash(ngettext("Saved. %(num)s cell is new.", "Saved. %(num)s cells are new.", count), "success")
    else:
        flash(_("Nothing has changed."), "info")
    return back_to("merchant.grid", changed[0].code if changed else "")


def question_of(doubt: GridDoubtful) -> str:
    """All doubts in one: a yes is a yes to each of them, as they are now."""
    return " ".join(f"{column} {code} {told(error)}" for (column, code), error in sorted(doubt.refused.items(), key=lambda one: one[0]))
