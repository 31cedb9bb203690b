"""Orders of a merchant: what to do next, the list, packing. Other merchants' orders are not found."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, session, url_for
from werkzeug.wrappers import Response

from shop.communities.queries import directory
from shop.consoles.merchant.here import page, shop_of
from shop.fulfilment import orders_to_pack, overdue, queries, urgency
from shop.fulfilment.orders_to_pack import Wanted
from shop.fulfilment.queries import Delivery
from shop.kernel import clock, identifiers
from shop.kernel.db import reading
from shop.kernel.errors import NotFound
from shop.models.orders import SubOrderState
from shop.orders.permissions import OrderPermission
from shop.platform.access import permitted
from shop.platform.actor import Actor
from shop.platform.asked import address, sent
from shop.platform.language import gettext as _
from shop.platform.language import name_of, ngettext
from shop.stock import shelves

bp = Blueprint("merchant", __name__, url_prefix="/merchant")

TABS: dict[str, tuple[SubOrderState, ...]] = {
    "": (),
    "to_pack": (SubOrderState.PLACED, SubOrderState.ACCEPTED),
    "packed": (SubOrderState.PACKED,),
    "on_the_way": (SubOrderState.IN_TRANSIT, SubOrderState.READY),
    "collected": (SubOrderState.COLLECTED, SubOrderState.COMPLETED),
    "gone": (SubOrderState.CANCELLED, SubOrderState.SHORT, SubOrderState.NOT_COLLECTED, SubOrderState.RETURNED),
}
FIRST_COMES_FIRST = ("to_pack", "packed")
"""Where work waits, what is to leave first stands first; elsewhere the newest does."""

MOST_TICKED = 100


@bp.get("/")
@permitted(OrderPermission.SHOP_READ)
def today(actor: Actor) -> Any:
    """What to do next, by urgency; the deliveries; what is nearly gone from the shelf."""
    shop, data = shop_of(actor, OrderPermission.SHOP_READ), reading()
    deliveries = queries.merchant_board(data, shop.id)
    steps = urgency.next_steps(deliveries, clock.now())
    few, more = shelves.list_shelves(data, [shop.id], only_few=True, sort="available", limit=5)
    waits = overdue.counts(data, merchant_id=shop.id)
    return page(
        "today", actor, "today", deliveries=deliveries, steps=steps, few=few, more_few=more is not None,
        accept_question=accept_question, overdue=waits,
    )  # fmt: skip


def accept_question(delivery: Delivery) -> str:
    return ngettext(
        "Accept %(num)s order for %(point)s? Its buyer can no longer cancel it then.",
        "Accept %(num)s orders for %(point)s? Their buyers can no longer cancel them then.", delivery.to_accept,
        point=name_of(delivery, "point_name"),
    )  # fmt: skip


@bp.post("/shop")
@permitted(OrderPermission.SHOP_READ)
def choose_shop(actor: Actor) -> Response:
    """Work for another of one's own shops."""
    chosen = next((shop_id for shop_id in actor.workplaces() if str(shop_id) == sent.word("shop")), None)
    if chosen is None:
        raise NotFound()
    session["merchant"] = chosen
    return redirect(url_for("merchant.today"), 303)


@bp.get("/orders")
@permitted(OrderPermission.SHOP_READ)
def orders(actor: Actor) -> Any:
    """All paid orders. Tab, point, number, order, page size, place and ticks stand in the address.

    A whole order number leads straight to its order, so that a scanned label opens it.
    """
    tab = address.word("tab")
    wanted = Wanted(
        states=TABS.get(tab, ()), point_slug=address.word("point"), number=number_of(address.text("number", 40)),
        sort=address.sort(orders_to_pack.SORTS, "pressing" if tab in FIRST_COMES_FIRST else "-placed"), after=address.place(),
        limit=address.size(orders_to_pack.SIZES),
    )  # fmt: skip
    found = orders_to_pack.list_orders(reading(), [shop_of(actor, OrderPermission.SHOP_READ).id], wanted)
    if [row.number for row in found.orders] == [wanted.number.upper()]:
        return redirect(url_for("merchant.order", number=found.orders[0].number))
    return page(
        "orders", actor, "orders", orders=found.orders, next_cursor=found.next_after, tab=tab, wanted=wanted,
        sizes=orders_to_pack.SIZES, looked_through=orders_to_pack.LOOKED_THROUGH if found.leaves_older_out else None,
        ticked=ticked(), just_packed=address.each("packed", most=MOST_TICKED),
        points=[point for community in directory(reading()).communities for point in community.points],
    )  # fmt: skip


@bp.get("/scan")
@permitted(OrderPermission.SHOP_READ)
def scan(actor: Actor) -> Response:
    """What a scanner read, or somebody typed from a label: straight to that order, or to the delivery. Nothing is changed by it, so that
    a scanner that presses Enter twice does no harm.
    """
    typed, own = identifiers.order_number(address.text("code", 80)), actor.merchants(OrderPermission.SHOP_READ)
    if typed and (cycle_id := queries.cycle_of_batch(typed)) and queries.merchant_delivery(reading(), own, cycle_id):
        return redirect(url_for("merchant.delivery", cycle_id=cycle_id))
    found = orders_to_pack.orders_scanned(reading(), own, typed) if typed else []
    if len(found) == 1:
        return redirect(url_for("merchant.order", number=found[0].number, scanned=1))
    if found:
        return redirect(url_for("merchant.orders", number=typed))
    if typed:
        flash(_("No order of this shop has the number %(number)s.", number=typed), "error")
    return redirect(url_for("merchant.today"))


def number_of(typed: str) -> str:
    """What to look for: an order's number or a part of it, or the end of a phone number; of a whole one its last four figures."""
    return identifiers.phone_number(typed)[-4:] if identifiers.is_phone(typed) else identifiers.order_number(typed)[:40]


def ticked() -> list[str]:
    """The orders that are ticked, from the address."""
    return address.each("ticked", most=MOST_TICKED)
