"""What runs low: the list, and with how many left the shop wants to be told."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, url_for

from shop.consoles.merchant import forms
from shop.consoles.merchant.goods import shelf_page
from shop.consoles.merchant.here import page, shop_of
from shop.consoles.merchant.views import bp
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound, ShopError
from shop.platform.access import permitted
from shop.platform.actor import Actor
from shop.platform.asked import address, sent
from shop.platform.http import told
from shop.platform.language import gettext as _
from shop.platform.language import name_of
from shop.stock import low as watching
from shop.stock import shelves
from shop.stock.permissions import StockPermission


def mark_of(typed: str) -> int | None:
    """The figure, or None for an empty field. Raises `QuantityNotUnderstood`."""
    return forms.quantity_of(typed) if typed.strip() else None


@bp.get("/low")
@permitted(StockPermission.SHELF_READ)
def low(actor: Actor) -> Any:
    """What is on sale and runs low, the fewest first; and from how many on."""
    default = watching.default_of(reading(), shop_of(actor, StockPermission.SHELF_READ).id)
    return low_page(actor, "" if default is None else str(default))


def low_page(actor: Actor, typed: str, error: str = "") -> str:
    shop, size = shop_of(actor, StockPermission.SHELF_READ), address.size(shelves.SIZES)
    rows, following = shelves.list_shelves(
        reading(), [shop.id], sort="available", only_few=True, after=address.word("cursor") or None, limit=size
    )
    return page(
        "low", actor, "stock", shelves=rows, next_cursor=following, size=size, sizes=shelves.SIZES, typed=typed, error=error,
        usual=shelves.FEW,
    )  # fmt: skip


@bp.post("/low")
@permitted(StockPermission.LOW_WRITE)
def set_default(actor: Actor) -> Any:
    """With so many left everything in the shop runs low that has no figure of its own."""
    shop, typed = shop_of(actor, StockPermission.LOW_WRITE), sent.raw("low_mark", 20)
    try:
        mark = mark_of(typed)
        perform(watching.set_default, actor, shop.id, mark)
    except ShopError as error:
        return low_page(actor, typed, told(error)), error.status
    if mark is None:
        flash(_("Saved. You are told only of goods that have a figure of their own."), "success")
    else:
        flash(_("Saved. You are told once when only %(count)s of something are left to sell.", count=mark), "success")
    return redirect(url_for("merchant.low"), 303)


@bp.post("/stock/<code>/low-mark")
@permitted(StockPermission.LOW_WRITE)
def set_mark(actor: Actor, code: str) -> Any:
    """With so many left this one runs low."""
    shelf = shelves.get_shelf(reading(), actor.merchants(StockPermission.LOW_WRITE), code)
    typed = sent.raw("low_mark", 20)
    try:
        perform(watching.set_mark, actor, code, mark_of(typed))
    except NotFound:
        raise
    except ShopError as error:
        return shelf_page(actor, code, low_typed=typed, low_error=told(error)), error.status
    flash(_("Saved for %(goods)s.", goods=name_of(shelf)), "success")
    return redirect(url_for("merchant.shelf_history", code=code), 303)
