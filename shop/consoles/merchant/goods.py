"""Goods of a merchant: the shelf, prices, and what is owed for what was collected."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from shop.consoles.merchant import forms, operations
from shop.consoles.merchant.here import page, shop_of
from shop.consoles.merchant.views import bp, staff
from shop.fulfilment import orders_to_pack
from shop.kernel import ids
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound, ShopError
from shop.models.stock import MovementKind
from shop.platform.actor import Actor
from shop.platform.http import told
from shop.platform.language import gettext as _
from shop.stock import counting, shelves
from shop.wallet import queries as wallet

KINDS = (MovementKind.RECEIVED, MovementKind.CORRECTION, MovementKind.SPOILAGE, MovementKind.OFFLINE_SALE)


def listed(actor: Actor) -> dict[str, Any]:
    """The variants of the shop, from the words and the place in the address."""
    words = request.args.get("q", "").strip()[:60]
    after = request.args.get("cursor", "")[:64] or None
    rows, following = shelves.list_shelves(reading(), [shop_of(actor).id], text=words, after=after)
    return {"shelves": rows, "next_cursor": following, "q": words}


def back_to(endpoint: str) -> Response:
    """The same list at the same place."""
    kept: dict[str, Any] = {name: request.form[name][:64] for name in ("q", "cursor") if request.form.get(name)}
    return redirect(url_for(endpoint, **kept), 303)


@bp.get("/stock")
@staff
def stock(actor: Actor) -> Any:
    return page("stock", actor, "stock", **listed(actor), kinds=[kind.value for kind in KINDS], once=ids.secret())


@bp.post("/stock")
@staff
def adjust(actor: Actor) -> Response:
    """Write down what came, was counted, spoiled or was sold across the counter. The page's own number makes it happen once."""
    code = request.form.get("code", "")[:64]
    try:
        kind = next((kind for kind in KINDS if kind.value == request.form.get("kind")), None)
        if kind is None:
            raise NotFound()
        quantity = forms.quantity_of(request.form.get("quantity", ""))
        once = request.form.get("once", "")[:64] or ids.secret()
        changed = perform(counting.adjust, actor, code, kind, quantity, f"shelf:{actor.user_id}:{once}:{code}")
        flash(_("Saved.") if changed else _("Nothing has changed."), "success" if changed else "info")
    except NotFound:
        raise
    except ShopError as error:
        flash(told(error), "error")
    return back_to("merchant.stock")


@bp.get("/products")
@staff
def products(actor: Actor) -> Any:
    return page("products", actor, "products", **listed(actor))


@bp.post("/products/price")
@staff
def price(actor: Actor) -> Response:
    """A new price from now on; orders already placed keep theirs."""
    try:
        perform(operations.change_price, actor, request.form.get("code", "")[:64], forms.price_of(request.form.get("price", "")))
        flash(_("Saved."), "success")
    except NotFound:
        raise
    except ShopError as error:
        flash(told(error), "error")
    return back_to("merchant.products")


@bp.get("/statement")
@staff
def statement(actor: Actor) -> Any:
    """What is owed now, what is on its way to being owed, and the orders that brought it."""
    shop, data = shop_of(actor), reading()
    cursor = request.args.get("cursor", "")
    before = int(cursor) if cursor.isascii() and cursor.isdigit() and len(cursor) < 16 else None
    rows, following = orders_to_pack.collected_orders(data, shop.id, before)
    return page(
        "statement", actor, "statement", payable=wallet.balance(data, f"merchant:{shop.id}"),
        escrow=orders_to_pack.in_escrow(data, shop.id), orders=rows, next_cursor=following,
    )  # fmt: skip
