"""One delivery to one point: what to fetch, whose orders, sending it off, and its papers: lists, slips, labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import segno
from flask import flash, redirect, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from shop.consoles.merchant.here import page, shop_ids
from shop.consoles.merchant.views import MOST_TICKED, bp, staff, ticked
from shop.fulfilment import operations as fulfilment
from shop.fulfilment import orders_to_pack, queries
from shop.fulfilment.orders_to_pack import OrderRow
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound, ShopError
from shop.platform.actor import Actor
from shop.platform.http import told
from shop.platform.language import gettext as _
from shop.platform.language import ngettext

MOST_CRATES = 20


@bp.get("/deliveries/<int:cycle_id>")
@staff
def delivery(actor: Actor, cycle_id: int) -> Any:
    """One delivery: what to fetch, whose orders, and sending it off."""
    return page("delivery", actor, "today", ticked=ticked(), **delivery_facts(actor, cycle_id))


def delivery_facts(actor: Actor, cycle_id: int) -> dict[str, Any]:
    data, own = reading(), shop_ids(actor)
    found = queries.merchant_delivery(data, own, cycle_id)
    if found is None:
        raise NotFound()
    listed = orders_to_pack.orders_of_cycle(data, own, cycle_id)
    return {"delivery": found, "picks": orders_to_pack.pick_list(data, own, cycle_id), "orders": listed}


@bp.post("/deliveries/<int:cycle_id>/accept")
@staff
def accept_all(actor: Actor, cycle_id: int) -> Response:
    accepted = perform(fulfilment.accept_all, actor, cycle_id)
    if accepted:
        flash(ngettext("%(num)s order accepted.", "%(num)s orders accepted.", accepted), "success")
    else:
        flash(_("Nothing has changed."), "info")
    return redirect(url_for("merchant.delivery", cycle_id=cycle_id), 303)


@bp.post("/deliveries/<int:cycle_id>/send")
@staff
def send(actor: Actor, cycle_id: int) -> Response:
    """Hand everything packed to the driver."""
    try:
        left = perform(fulfilment.hand_to_driver, actor, cycle_id)
        flash(ngettext("%(num)s order is on its way.", "%(num)s orders are on their way.", left), "success")
    except NotFound:
        raise
    except ShopError as error:
        flash(told(error), "error")
    return redirect(url_for("merchant.delivery", cycle_id=cycle_id), 303)


# --- on paper ---


@bp.get("/deliveries/<int:cycle_id>/slips")
@staff
def slips(actor: Actor, cycle_id: int) -> Any:
    """The packing slips of a delivery, one order a sheet, behind the pick list."""
    facts = delivery_facts(actor, cycle_id)
    return page("slips", actor, "today", **facts, lines=lines_of(facts["orders"]))


@bp.get("/deliveries/<int:cycle_id>/packing-list")
@staff
def packing_list(actor: Actor, cycle_id: int) -> Any:
    """What travels with the driver: every order with its lines, to be counted at the point."""
    facts = delivery_facts(actor, cycle_id)
    return page("packing_list", actor, "today", **facts, lines=lines_of(facts["orders"]))


@bp.get("/deliveries/<int:cycle_id>/labels")
@staff
def labels(actor: Actor, cycle_id: int) -> Any:
    """Labels of 100 x 70 mm: one for each crate, then one for each order."""
    facts = delivery_facts(actor, cycle_id)
    asked = request.args.get("crates", "")
    crates = min(int(asked), MOST_CRATES) if asked.isascii() and asked.isdigit() and len(asked) < 4 else 1
    return page("labels", actor, "today", **facts, lines=lines_of(facts["orders"]), crates=crates, qr=qr, most_crates=MOST_CRATES)


@bp.get("/orders/papers")
@staff
def papers(actor: Actor) -> Any:
    """Slips or labels of the orders named in the address."""
    numbers = [number[:40] for number in request.args.getlist("number")[:MOST_TICKED]]
    return papers_of(actor, orders_to_pack.orders_named(reading(), shop_ids(actor), numbers), request.args.get("paper", ""))


@bp.get("/orders/<number>/slip")
@staff
def slip(actor: Actor, number: str) -> Any:
    """The packing slip of one order, to print."""
    return papers_of(actor, [orders_to_pack.get_order(reading(), shop_ids(actor), number)], "slips")


def papers_of(actor: Actor, orders: Sequence[OrderRow], paper: str) -> str:
    if not orders:
        raise NotFound()
    template = "labels" if paper == "labels" else "slips"
    return page(template, actor, "orders", delivery=None, picks=[], orders=orders, lines=lines_of(orders), crates=0, qr=qr)


def lines_of(orders: Sequence[OrderRow]) -> dict[int, list[orders_to_pack.LineToPack]]:
    return orders_to_pack.lines_of(reading(), [order.id for order in orders])


def qr(text: str) -> Markup:
    """A number as a QR code that any scanner gun reads."""
    drawn = segno.make(text, error="m", micro=False)
    return Markup(drawn.svg_inline(omitsize=True, border=2))  # noqa: S704  (made here, of letters and figures only)
