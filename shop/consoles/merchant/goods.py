"""Goods of a merchant: the shelf, prices, and what is owed for what was collected."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from shop.consoles.merchant import forms, operations
from shop.consoles.merchant.here import page, shop_ids, shop_of
from shop.consoles.merchant.views import bp, staff
from shop.fulfilment import orders_to_pack
from shop.kernel import clock, ids
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound, ShopError
from shop.models.stock import MovementKind
from shop.platform.actor import Actor
from shop.platform.http import told
from shop.platform.language import gettext as _
from shop.platform.language import name_of, yuan
from shop.stock import counting, shelves
from shop.wallet import queries as wallet

KINDS = (MovementKind.RECEIVED, MovementKind.CORRECTION, MovementKind.SPOILAGE, MovementKind.OFFLINE_SALE)


KEPT = ("q", "sort", "size", "few", "cursor")
"""What the lists of goods keep in their address."""


def listed(actor: Actor) -> dict[str, Any]:
    """The variants of the shop; words, order, page size and place stand in the address."""
    words = request.args.get("q", "").strip()[:60]
    sort = forms.sort_of(request.args.get("sort"), shelves.SORTS, "code")
    only_few = request.args.get("few") == "1"
    after = request.args.get("cursor", "")[:64] or None
    size = forms.size_of(request.args.get("size"), shelves.SIZES)
    rows, following = shelves.list_shelves(
        reading(), [shop_of(actor).id], text=words, sort=sort, only_few=only_few, after=after, limit=size
    )
    return {
        "shelves": rows, "next_cursor": following, "q": words, "sort": sort, "few": only_few, "size": size, "sizes": shelves.SIZES,
        "kept": kept(),
    }  # fmt: skip


def kept() -> dict[str, Any]:
    """What the address of the list says; forms are sent to the same address, so that they come back to the same list."""
    return {name: request.args[name][:64] for name in KEPT if request.args.get(name)}


def back_to(endpoint: str, code: str) -> Response:
    """The same list at the same place, at the row that was changed."""
    return redirect(url_for(endpoint, **kept(), _anchor=f"row-{code}"), 303)


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed into a row and refused: it stays there, with the reason beside it."""

    code: str
    value: str
    error: str
    kind: str = ""


@bp.get("/stock")
@staff
def stock(actor: Actor) -> Any:
    return stock_page(actor)


def stock_page(actor: Actor, typed: Typed | None = None) -> str:
    return page("stock", actor, "stock", **listed(actor), kinds=[kind.value for kind in KINDS], once=ids.secret(), typed=typed)


@bp.post("/stock")
@staff
def adjust(actor: Actor) -> Any:
    """Write down what came, was counted, spoiled or was sold across the counter. The page's own number makes it happen once."""
    code = request.form.get("code", "")[:64]
    kind = next((kind for kind in KINDS if kind.value == request.form.get("kind")), None)
    if kind is None:
        raise NotFound()
    try:
        quantity = forms.quantity_of(request.form.get("quantity", ""))
        once = request.form.get("once", "")[:64] or ids.secret()
        changed = perform(counting.adjust, actor, code, kind, quantity, f"shelf:{actor.user_id}:{once}:{code}")
    except NotFound:
        raise
    except ShopError as error:
        return stock_page(actor, Typed(code, request.form.get("quantity", "")[:20], told(error), kind.value)), error.status
    if changed:
        shelf = shelves.get_shelf(reading(), shop_ids(actor), code)
        flash(_("Saved. %(goods)s: %(count)s on the shelf.", goods=name_of(shelf), count=shelf.on_hand), "success")
    else:
        flash(_("Nothing has changed."), "info")
    return back_to("merchant.stock", code)


@bp.get("/products")
@staff
def products(actor: Actor) -> Any:
    return products_page(actor)


def products_page(actor: Actor, typed: Typed | None = None) -> str:
    return page("products", actor, "products", **listed(actor), typed=typed)


@bp.post("/products")
@staff
def price(actor: Actor) -> Any:
    """A new price from now on; orders already placed keep theirs."""
    code = request.form.get("code", "")[:64]
    try:
        perform(operations.change_price, actor, code, forms.price_of(request.form.get("price", "")))
    except NotFound:
        raise
    except ShopError as error:
        return products_page(actor, Typed(code, request.form.get("price", "")[:20], told(error))), error.status
    shelf = shelves.get_shelf(reading(), shop_ids(actor), code)
    flash(_("Saved. %(goods)s now costs %(price)s.", goods=name_of(shelf), price=yuan(shelf.price)), "success")
    return back_to("merchant.products", code)


@bp.get("/statement")
@staff
def statement(actor: Actor) -> Any:
    """What is owed now, what is on its way to being owed, and the orders of a month (or all) that brought it, figure by figure."""
    shop, data = shop_of(actor), reading()
    month = forms.month_of(request.args.get("month"), clock.today())
    since, until = (clock.at(first, time(0)) for first in (month, following_month(month))) if month else (None, None)
    size = forms.size_of(request.args.get("size"), orders_to_pack.SIZES)
    rows, following = orders_to_pack.collected_orders(
        data, shop.id, forms.cursor_of(request.args.get("cursor")), size, since=since, until=until
    )
    return page(
        "statement", actor, "statement", payable=wallet.balance(data, f"merchant:{shop.id}"),
        escrow=orders_to_pack.in_escrow(data, shop.id), earned=orders_to_pack.earned(data, shop.id, since, until), orders=rows,
        next_cursor=following, month=month, months=months_back(clock.today()), size=size, sizes=orders_to_pack.SIZES,
    )  # fmt: skip


def following_month(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1)


def months_back(today: date, count: int = 12) -> list[date]:
    """The first days of this month and those before it."""
    months = [today.replace(day=1)]
    while len(months) < count:
        months.append((months[-1] - timedelta(days=1)).replace(day=1))
    return months
