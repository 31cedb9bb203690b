"""What a shop is late with, what of it is missing at a point, and what comes back because nobody collected it."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, url_for
from werkzeug.wrappers import Response

from shop.consoles.merchant.here import page, shop_of
from shop.consoles.merchant.views import bp
from shop.fulfilment import orders_to_pack, overdue
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound, ShopError
from shop.orders import operations as orders
from shop.orders.permissions import OrderPermission
from shop.platform.access import permitted
from shop.platform.actor import Actor
from shop.platform.asked import address
from shop.platform.http import told
from shop.platform.language import gettext as _


@bp.get("/overdue", endpoint="overdue")
@permitted(OrderPermission.SHOP_READ)
def overdue_list(actor: Actor) -> Any:
    """The longest first; page size and place stand in the address."""
    shop_id, data, size = shop_of(actor, OrderPermission.SHOP_READ).id, reading(), address.size(overdue.SIZES)
    rows, following = overdue.too_long(data, merchant_id=shop_id, after=address.place(), limit=size)
    return page(
        "overdue", actor, "overdue", rows=rows, next_cursor=following, size=size, sizes=overdue.SIZES,
        coming_back=overdue.coming_back(data, shop_id),
    )  # fmt: skip


@bp.post("/overdue/<number>/returned")
@permitted(OrderPermission.RETURN_RECEIVE)
def came_back(actor: Actor, number: str) -> Response:
    """What nobody collected is back at the shop. It is counted into the stock there, if it can be sold."""
    found = orders_to_pack.get_order(reading(), actor.merchants(OrderPermission.RETURN_RECEIVE), number)
    try:
        if perform(orders.returned, actor, found.id):
            flash(_("Noted. Goods that can be sold again are added in Stock."), "success")
        else:
            flash(_("Nothing has changed."), "info")
    except NotFound:
        raise
    except ShopError as error:
        flash(told(error), "error")
    return redirect(url_for("merchant.overdue"), 303)
