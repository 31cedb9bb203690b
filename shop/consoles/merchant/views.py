"""Orders of a merchant: what to do next, the list, packing. Other merchants' orders are not found."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, request, session, url_for
from werkzeug.wrappers import Response

from shop.communities.queries import directory
from shop.consoles.merchant import forms, operations
from shop.consoles.merchant.here import page, shop_ids, shop_of
from shop.fulfilment import operations as fulfilment
from shop.fulfilment import orders_to_pack, queries, urgency
from shop.fulfilment.errors import WeightFarOff
from shop.fulfilment.orders_to_pack import LineToPack, OrderRow, Wanted
from shop.fulfilment.rules import FAR_PERCENT, is_far_off
from shop.kernel import clock, text
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound, ShopError
from shop.models.orders import SubOrderState
from shop.orders.rules import final_total
from shop.platform.access import staff_only
from shop.platform.actor import Actor
from shop.platform.http import told
from shop.platform.language import gettext as _
from shop.platform.language import yuan
from shop.stock import shelves

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
MOST_TICKED = 100


@bp.get("/")
@staff
def today(actor: Actor) -> Any:
    """What to do next, by urgency; the deliveries; what is nearly gone from the shelf."""
    shop, data = shop_of(actor), reading()
    deliveries = queries.merchant_board(data, shop.id)
    steps = urgency.next_steps(deliveries, clock.now())
    few, more = shelves.list_shelves(data, [shop.id], only_few=True, sort="available", limit=5)
    return page("today", actor, "today", deliveries=deliveries, steps=steps, few=few, more_few=more is not None)


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
    """All paid orders. Tab, point, number, order, page size, place and ticks stand in the address.

    A whole order number leads straight to its order, so that a scanned label opens it.
    """
    tab = request.args.get("tab", "")
    wanted = Wanted(
        states=TABS.get(tab, ()), point_slug=request.args.get("point", "")[:64], number=forms.plain(request.args.get("number", ""))[:40],
        sort=forms.sort_of(request.args.get("sort"), orders_to_pack.SORTS, "-placed"), after=forms.cursor_of(request.args.get("cursor")),
        limit=forms.size_of(request.args.get("size"), orders_to_pack.SIZES),
    )  # fmt: skip
    rows, following = orders_to_pack.list_orders(reading(), [shop_of(actor).id], wanted)
    if len(rows) == 1 and rows[0].number == wanted.number.upper():
        return redirect(url_for("merchant.order", number=rows[0].number))
    return page(
        "orders", actor, "orders", orders=rows, next_cursor=following, tab=tab, wanted=wanted, sizes=orders_to_pack.SIZES,
        ticked=ticked(), points=[point for community in directory(reading()).communities for point in community.points],
    )  # fmt: skip


def ticked() -> list[str]:
    """The orders that are ticked, from the address."""
    return [number[:40] for number in request.args.getlist("ticked")[:MOST_TICKED]]


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
        next_order=next_to_pack(found) if not can_pack else None, far_percent=FAR_PERCENT,
        unit=forms.unit_of(request.form.get("unit") or session.get("scale_unit")),
    )  # fmt: skip


def next_to_pack(found: OrderRow) -> str | None:
    """The next order of the same delivery that is not packed."""
    rows = orders_to_pack.orders_of_cycle(reading(), [found.merchant_id], found.cycle_id)
    return next((row.number for row in rows if row.state in TABS["to_pack"]), None)


@bp.post("/orders/<number>/pack")
@staff
def pack(actor: Actor, number: str) -> Any:
    """First "check" shows what each line will cost and what goes back; then "pack" does it. Both are worked out here.

    A weight far from what was ordered is shown like that first, whatever was pressed, with a tick to say that it is right.
    """
    found = orders_to_pack.get_order(reading(), shop_ids(actor), number)
    typed = {name: value[:20] for name, value in request.form.items() if name.startswith("grams-")}
    unit = session["scale_unit"] = forms.unit_of(request.form.get("unit"))  # the scale on this counter stays the same scale
    try:
        weights = forms.weights_of(typed, unit)
        sure = forms.sure_of(request.form)
        if request.form.get("do") == "check":
            return order_page(actor, found, typed, {}, preview_of(found, weights, sure))
        packed = perform(fulfilment.pack, actor, found.id, weights, sure)
    except NotFound:
        raise
    except WeightFarOff as error:  # shown with its price, to be weighed again or ticked
        return order_page(actor, found, typed, {}, preview_of(found, weights, sure), trouble=told(error)), error.status
    except ShopError as error:
        field = error.field if error.field in typed else None
        errors = {field: told(error)} if field else {}
        return order_page(actor, found, typed, errors, None, trouble="" if errors else told(error)), error.status
    if packed.refunded:
        flash(_("Packed. %(amount)s went back to the buyer at once.", amount=yuan(packed.refunded)), "success")
    else:
        flash(_("Packed."), "success")
    return redirect(url_for("merchant.order", number=number), 303)


def preview_of(found: OrderRow, weights: dict[int, int], sure: dict[int, int]) -> dict[int, Any]:
    """What each weighed line would cost, how much of its ceiling would go back, and how far off it is from what was ordered."""
    weighed: list[LineToPack] = [line for line in orders_to_pack.lines_of(reading(), [found.id])[found.id] if line.id in weights]
    shown = {}
    for line in weighed:
        grams = weights[line.id]
        final = final_total(line.line_total, line.unit_price, line.unit_grams, grams)
        shown[line.id] = {
            "grams": grams, "off": grams - line.nominal_grams, "final": final, "back": line.line_total - final,
            "is_far": is_far_off(grams, line.nominal_grams), "is_sure": sure.get(line.id) == grams,
        }  # fmt: skip
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
