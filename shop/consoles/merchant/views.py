"""Orders of a merchant: the board of the day, the lists, packing, sending off. Other merchants' orders are not found."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, request, session, url_for
from werkzeug.wrappers import Response

from shop.consoles.merchant import forms, operations
from shop.consoles.merchant.here import page, shop_ids, shop_of
from shop.fulfilment import operations as fulfilment
from shop.fulfilment import orders_to_pack, queries
from shop.fulfilment.orders_to_pack import LineToPack, OrderRow, Wanted
from shop.kernel import text
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound, ShopError
from shop.models.orders import SubOrderState
from shop.orders.rules import final_total
from shop.platform.access import staff_only
from shop.platform.actor import Actor
from shop.platform.http import told
from shop.platform.language import gettext as _
from shop.platform.language import ngettext, yuan

bp = Blueprint("merchant", __name__, url_prefix="/merchant")
staff = staff_only("merchant_owner", "merchant_clerk")

TABS: dict[str, tuple[SubOrderState, ...]] = {
    "": (),
    "to_pack": (SubOrderState.PLACED, SubOrderState.ACCEPTED),
    "packed": (SubOrderState.PACKED,),
    "on_the_way": (SubOrderState.IN_TRANSIT, SubOrderState.READY),
    "collected": (SubOrderState.COLLECTED, SubOrderState.COMPLETED),
    "gone": (SubOrderState.CANCELLED, SubOrderState.SHORT, SubOrderState.NOT_COLLECTED, SubOrderState.RETURNED),
}


@bp.get("/")
@staff
def today(actor: Actor) -> Any:
    return page("today", actor, "today", deliveries=queries.merchant_board(reading(), shop_of(actor).id))


@bp.post("/shop")
@staff
def choose_shop(actor: Actor) -> Response:
    """Work for another of one's own shops."""
    chosen = next((shop_id for shop_id in shop_ids(actor) if str(shop_id) == request.form.get("shop")), None)
    if chosen is None:
        raise NotFound()
    session["merchant"] = chosen
    return redirect(url_for("merchant.today"), 303)


@bp.get("/orders")
@staff
def orders(actor: Actor) -> Any:
    """All paid orders; tab, point, number and place stand in the address."""
    tab = request.args.get("tab", "")
    cursor = request.args.get("cursor", "")
    wanted = Wanted(
        states=TABS.get(tab, ()), point_slug=request.args.get("point", "")[:64], number=forms.plain(request.args.get("number", ""))[:40],
        after=int(cursor) if cursor.isascii() and cursor.isdigit() and len(cursor) < 16 else None,
    )  # fmt: skip
    rows, following = orders_to_pack.list_orders(reading(), [shop_of(actor).id], wanted)
    return page("orders", actor, "orders", orders=rows, next_cursor=following, tab=tab, wanted=wanted)


@bp.get("/deliveries/<int:cycle_id>")
@staff
def delivery(actor: Actor, cycle_id: int) -> Any:
    """One delivery: what to fetch, whose orders, and sending it off."""
    return page("delivery", actor, "today", **delivery_facts(actor, cycle_id))


@bp.get("/deliveries/<int:cycle_id>/slips")
@staff
def slips(actor: Actor, cycle_id: int) -> Any:
    """The packing slips of a delivery, one order a sheet, behind the pick list."""
    facts = delivery_facts(actor, cycle_id)
    lines = orders_to_pack.lines_of(reading(), [order.id for order in facts["orders"]])
    return page("slips", actor, "today", **facts, lines=lines)


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
    flash(ngettext("%(num)s order accepted.", "%(num)s orders accepted.", accepted), "success")
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


@bp.get("/orders/<number>")
@staff
def order(actor: Actor, number: str) -> Any:
    """One order: what is in it, and a weight field for every line sold by weight."""
    found = orders_to_pack.get_order(reading(), shop_ids(actor), number)
    return order_page(actor, found, {}, {}, None)


def order_page(
    actor: Actor, found: OrderRow, typed: dict[str, str], errors: dict[str, str], preview: dict[int, Any] | None, trouble: str = ""
) -> str:
    lines = orders_to_pack.lines_of(reading(), [found.id])[found.id]
    can_pack = found.state in (SubOrderState.PLACED, SubOrderState.ACCEPTED)
    return page(
        "order", actor, "orders", order=found, lines=lines, typed=typed, errors=errors, preview=preview, trouble=trouble, can_pack=can_pack,
        next_order=next_to_pack(found) if not can_pack else None,
    )  # fmt: skip


def next_to_pack(found: OrderRow) -> str | None:
    """The next order of the same delivery that is not packed."""
    rows = orders_to_pack.orders_of_cycle(reading(), [found.merchant_id], found.cycle_id)
    return next((row.number for row in rows if row.state in TABS["to_pack"]), None)


@bp.post("/orders/<number>/pack")
@staff
def pack(actor: Actor, number: str) -> Any:
    """First "check" shows what each line will cost and what goes back; then "pack" does it. Both are worked out here."""
    found = orders_to_pack.get_order(reading(), shop_ids(actor), number)
    typed = {name: value[:20] for name, value in request.form.items() if name.startswith("grams-")}
    try:
        weights = forms.weights_of(typed)
        if request.form.get("do") == "check":
            return order_page(actor, found, typed, {}, preview_of(found, weights))
        packed = perform(fulfilment.pack, actor, found.id, weights)
    except NotFound:
        raise
    except ShopError as error:
        field = error.field if error.field in typed else None
        errors = {field: told(error)} if field else {}
        return order_page(actor, found, typed, errors, None, trouble="" if errors else told(error)), error.status
    if packed.refunded:
        flash(_("Packed. %(amount)s went back to the buyer at once.", amount=yuan(packed.refunded)), "success")
    else:
        flash(_("Packed."), "success")
    return redirect(url_for("merchant.order", number=number), 303)


def preview_of(found: OrderRow, weights: dict[int, int]) -> dict[int, Any]:
    """What each weighed line would cost, and how much of its ceiling would go back."""
    weighed: list[LineToPack] = [line for line in orders_to_pack.lines_of(reading(), [found.id])[found.id] if line.id in weights]
    shown = {}
    for line in weighed:
        final = final_total(line.line_total, line.unit_price, line.unit_grams, weights[line.id])
        shown[line.id] = {"final": final, "back": line.line_total - final}
    return shown


@bp.post("/orders/<number>/decline")
@staff
def decline(actor: Actor, number: str) -> Response:
    """The order cannot be delivered: the money goes back, the buyer is told."""
    try:
        reason = text.clean(request.form.get("reason", ""), 200, field="reason")
        if not reason:
            flash(_("Please say why, in a few words."), "error")
            return redirect(url_for("merchant.order", number=number), 303)
        perform(operations.decline, actor, number, reason)
        flash(_("Noted. The money is on its way back to the buyer."), "success")
    except NotFound:
        raise
    except ShopError as error:
        flash(told(error), "error")
    return redirect(url_for("merchant.order", number=number), 303)


@bp.get("/orders/<number>/slip")
@staff
def slip(actor: Actor, number: str) -> Any:
    """The packing slip of one order, to print."""
    found = orders_to_pack.get_order(reading(), shop_ids(actor), number)
    lines = orders_to_pack.lines_of(reading(), [found.id])
    return page("slips", actor, "orders", delivery=None, picks=[], orders=[found], lines=lines)
