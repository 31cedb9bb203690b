"""One press for many orders: accept, pack, print. Each order is decided by itself; those that were refused stay ticked."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from shop.consoles.merchant import operations
from shop.consoles.merchant.here import shop_ids
from shop.consoles.merchant.views import MOST_TICKED, TABS, bp, staff
from shop.fulfilment import operations as fulfilment
from shop.fulfilment import orders_to_pack
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound, ShopError
from shop.platform.actor import Actor
from shop.platform.http import told
from shop.platform.language import gettext as _
from shop.platform.language import ngettext

KEPT = ("tab", "point", "number", "sort", "size", "cursor")
"""What the list keeps in its address."""


@bp.post("/orders/bulk")
@staff
def bulk(actor: Actor) -> Response:
    """Do one thing with all ticked orders, and come back to the same list at the same place."""
    numbers = list(dict.fromkeys(number[:40] for number in request.form.getlist("ticked")[:MOST_TICKED]))
    deed = request.form.get("do", "")
    if not numbers:
        flash(_("Tick the orders first."), "error")
        return back_to_the_list([])
    if deed in ("slips", "labels"):
        return redirect(url_for("merchant.papers", paper=deed, number=numbers), 303)
    if deed == "accept":
        return back_to_the_list(accept(actor, numbers))
    if deed == "pack":
        return back_to_the_list(pack(actor, numbers))
    raise NotFound()


def accept(actor: Actor, numbers: list[str]) -> list[str]:
    """Accept what waits for it, all together; what is on its way already is passed over. The numbers that were refused."""
    try:
        accepted = perform(operations.accept_several, actor, numbers)
    except NotFound:
        raise
    except ShopError as error:  # one of them was cancelled meanwhile
        flash(told(error), "error")
        return numbers
    if accepted:
        flash(ngettext("%(num)s order accepted.", "%(num)s orders accepted.", accepted), "success")
    say_passed_over(len(numbers) - accepted)
    return []


def pack(actor: Actor, numbers: list[str]) -> list[str]:
    """Pack each by itself: one that must be weighed first does not hold up the others, and what is packed or gone already is passed over.

    The numbers that were refused.
    """
    orders = orders_to_pack.orders_named(reading(), shop_ids(actor), numbers)
    if len(orders) < len(numbers):
        raise NotFound()
    waiting = [order for order in orders if order.state in TABS["to_pack"]]
    packed, refused = 0, dict[str, list[str]]()
    for order in waiting:
        try:
            packed += perform(fulfilment.pack, actor, order.id).is_new
        except NotFound:
            raise
        except ShopError as error:
            refused.setdefault(told(error), []).append(order.number)
    if packed:
        flash(ngettext("%(num)s order packed.", "%(num)s orders packed.", packed), "success")
    for reason, those in refused.items():
        left = ngettext("%(num)s order is not packed and still ticked.", "%(num)s orders are not packed and still ticked.", len(those))
        flash(_("%(left)s %(reason)s", left=left, reason=reason), "warning")
    say_passed_over(len(orders) - len(waiting))
    return [number for those in refused.values() for number in those]


def say_passed_over(orders: int) -> None:
    """How many of the ticked orders there was nothing to do for."""
    if orders:
        flash(ngettext("%(num)s order needed nothing.", "%(num)s orders needed nothing.", orders), "info")


def back_to_the_list(still_ticked: list[str]) -> Response:
    """The list the form came from, with what it kept in its address. Only names we know are taken over."""
    cycle = request.form.get("cycle", "")
    if cycle.isascii() and cycle.isdigit() and len(cycle) < 16:
        return redirect(url_for("merchant.delivery", cycle_id=int(cycle), ticked=still_ticked), 303)
    kept: dict[str, Any] = {name: value[:64] for name, value in parse_qsl(request.form.get("back", "")[:500]) if name in KEPT}
    return redirect(url_for("merchant.orders", ticked=still_ticked, **kept), 303)
