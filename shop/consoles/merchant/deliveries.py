"""One delivery to one point: what to fetch, whose orders, sending it off, and its papers: lists, slips, labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import segno
from flask import flash, redirect, session, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from shop.consoles.merchant.here import page
from shop.consoles.merchant.views import MOST_TICKED, accept_question, bp, ticked
from shop.fulfilment import operations as fulfilment
from shop.fulfilment import orders_to_pack, queries
from shop.fulfilment.orders_to_pack import OrderRow
from shop.fulfilment.queries import Delivery
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound, ShopError
from shop.models.orders import SubOrderState
from shop.orders.permissions import OrderPermission
from shop.platform.access import permitted
from shop.platform.actor import Actor
from shop.platform.asked import address, sent
from shop.platform.http import told
from shop.platform.language import gettext as _
from shop.platform.language import name_of, ngettext, spoken_moment
from shop.platform.permissions import Permission
from shop.platform.sure import ask_first

MOST_CRATES = 20
HERE = (SubOrderState.PLACED, SubOrderState.ACCEPTED, SubOrderState.PACKED)
"""What has not left the shop."""


@bp.get("/deliveries/<id:cycle_id>")
@permitted(OrderPermission.SHOP_READ)
def delivery(actor: Actor, cycle_id: int) -> Any:
    """One delivery: what to fetch, whose orders, and sending it off."""
    facts = delivery_facts(actor, cycle_id)
    found = facts["delivery"]
    return page(
        "delivery", actor, "today", ticked=ticked(), just_packed=address.each("packed", most=MOST_TICKED),
        accept_question=accept_question(found), send_question=send_question(found), **facts,
    )  # fmt: skip


def delivery_facts(actor: Actor, cycle_id: int) -> dict[str, Any]:
    data, own = reading(), actor.merchants(OrderPermission.SHOP_READ)
    found = queries.merchant_delivery(data, own, cycle_id)
    if found is None:
        raise NotFound()
    listed = orders_to_pack.orders_of_cycle(data, own, cycle_id)
    return {"delivery": found, "picks": orders_to_pack.pick_list(data, own, cycle_id), "orders": listed}


def send_question(delivery: Delivery) -> str:
    """What leaves, what stays behind, and that nobody can order any more when people still could."""
    said = [
        ngettext(
            "Has the driver %(num)s order for %(point)s?", "Has the driver %(num)s orders for %(point)s?", delivery.packed,
            point=name_of(delivery, "point_name"),
        )
    ]
    if delivery.to_pack:
        stay = ngettext("%(num)s order is not packed and stays behind.", "%(num)s orders are not packed and stay behind.", delivery.to_pack)
        said.append(stay)
    if not delivery.is_closed_for_orders:
        until = spoken_moment(delivery.cut_off_at)
        said.append(_("It can be ordered until %(until)s; once it has left, nobody can order for it any more.", until=until))
    return " ".join(said)


def own_delivery(actor: Actor, cycle_id: int, permission: Permission) -> Delivery:
    found = queries.merchant_delivery(reading(), actor.merchants(permission), cycle_id)
    if found is None:
        raise NotFound()
    return found


@bp.post("/deliveries/<id:cycle_id>/accept")
@permitted(OrderPermission.SHOP_PACK)
def accept_all(actor: Actor, cycle_id: int) -> Any:
    found = own_delivery(actor, cycle_id, OrderPermission.SHOP_PACK)
    if found.to_accept and (asked := ask_first(accept_question(found), yes=_("Accept all"), is_grave=False)):
        return asked
    accepted = perform(fulfilment.accept_all, actor, cycle_id)
    if accepted:
        flash(ngettext("%(num)s order accepted.", "%(num)s orders accepted.", accepted), "success")
    else:
        flash(_("Nothing has changed."), "info")
    return redirect(url_for("merchant.delivery", cycle_id=cycle_id), 303)


@bp.post("/deliveries/<id:cycle_id>/send")
@permitted(OrderPermission.SHOP_SEND)
def send(actor: Actor, cycle_id: int) -> Any:
    """Hand everything packed to the driver: what was asked about, and nothing else."""
    found = own_delivery(actor, cycle_id, OrderPermission.SHOP_SEND)
    if found.packed and (asked := ask_first(send_question(found), yes=_("It has left"), is_grave=not found.is_closed_for_orders)):
        return asked
    try:
        early = not found.is_closed_for_orders
        left = perform(fulfilment.hand_to_driver, actor, cycle_id, staying=found.to_pack, before_cut_off=early)
        flash(ngettext("%(num)s order is on its way.", "%(num)s orders are on their way.", left), "success")
    except NotFound:
        raise
    except ShopError as error:
        flash(told(error), "error")
    return redirect(url_for("merchant.delivery", cycle_id=cycle_id), 303)


@bp.post("/deliveries/<id:cycle_id>/bring-back")
@permitted(OrderPermission.SHOP_SEND)
def bring_back(actor: Actor, cycle_id: int) -> Response:
    """It has not left after all. The reason that has to be typed is the question."""
    try:
        back = perform(fulfilment.take_back_sending, actor, cycle_id, sent.text("reason", 200))
        flash(ngettext("%(num)s order is packed as before.", "%(num)s orders are packed as before.", back), "success")
    except NotFound:
        raise
    except ShopError as error:
        flash(told(error), "error")
    return redirect(url_for("merchant.delivery", cycle_id=cycle_id), 303)


# --- on paper ---


@bp.get("/deliveries/<id:cycle_id>/slips")
@permitted(OrderPermission.SHOP_READ)
def slips(actor: Actor, cycle_id: int) -> Any:
    """The packing slips of a delivery, several on a sheet, behind the pick list."""
    facts = still_here(delivery_facts(actor, cycle_id))
    return page("slips", actor, "today", **facts, lines=lines_of(facts["orders"]))


@bp.get("/deliveries/<id:cycle_id>/packing-list")
@permitted(OrderPermission.SHOP_READ)
def packing_list(actor: Actor, cycle_id: int) -> Any:
    """What travels with the driver: every order with its lines, to be counted at the point."""
    facts = delivery_facts(actor, cycle_id)
    return page("packing_list", actor, "today", **facts, lines=lines_of(facts["orders"]))


@bp.get("/deliveries/<id:cycle_id>/labels")
@permitted(OrderPermission.SHOP_READ)
def labels(actor: Actor, cycle_id: int) -> Any:
    """Labels of 100 x 70 mm, eight on a sheet of A4 or one after the other on a roll: one for each crate, then one for each order."""
    facts = still_here(delivery_facts(actor, cycle_id))
    crates = min(address.number("crates", 1), MOST_CRATES)
    return page(
        "labels", actor, "today", **facts, lines=lines_of(facts["orders"]), crates=crates, qr=qr, most_crates=MOST_CRATES, on_roll=on_roll()
    )


def on_roll() -> bool:
    """Whether labels come from a label printer; this counter's printer stays the same printer."""
    if address.has("roll"):
        session["label_roll"] = address.is_on("roll")
    return bool(session.get("label_roll"))


def still_here(facts: dict[str, Any]) -> dict[str, Any]:
    """Without the orders that have left: their papers are on them. With `all` in the address everything; `left` says how many are gone."""
    gone = [order for order in facts["orders"] if order.state not in HERE]
    kept = facts["orders"] if address.is_on("all") else [order for order in facts["orders"] if order.state in HERE]
    return {**facts, "orders": kept, "left": len(gone)}


@bp.get("/orders/papers")
@permitted(OrderPermission.SHOP_READ)
def papers(actor: Actor) -> Any:
    """Slips or labels of the orders named in the address."""
    numbers, own = address.each("number", most=MOST_TICKED), actor.merchants(OrderPermission.SHOP_READ)
    return papers_of(actor, orders_to_pack.orders_named(reading(), own, numbers), address.word("paper"))


@bp.get("/orders/<number>/slip")
@permitted(OrderPermission.SHOP_READ)
def slip(actor: Actor, number: str) -> Any:
    """The packing slip of one order, to print."""
    return papers_of(actor, [orders_to_pack.get_order(reading(), actor.merchants(OrderPermission.SHOP_READ), number)], "slips")


def papers_of(actor: Actor, orders: Sequence[OrderRow], paper: str) -> str:
    if not orders:
        raise NotFound()
    template = "labels" if paper == "labels" else "slips"
    return page(
        template, actor, "orders", delivery=None, picks=[], orders=orders, lines=lines_of(orders), crates=0, qr=qr, left=0,
        on_roll=on_roll(),
    )  # fmt: skip


def lines_of(orders: Sequence[OrderRow]) -> dict[int, list[orders_to_pack.LineToPack]]:
    return orders_to_pack.lines_of(reading(), [order.id for order in orders])


def qr(text: str) -> Markup:
    """A number as a QR code that any scanner gun reads."""
    drawn = segno.make(text, error="m", micro=False)
    return Markup(drawn.svg_inline(omitsize=True, border=2))  # noqa: S704  (made here, of letters and figures only)
