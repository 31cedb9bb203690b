"""The buyer's orders: lists by state, one order with everything that happens to it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from shop.cart import queries as carts
from shop.cart.errors import CartFull
from shop.cart.rules import CartOwner
from shop.catalog.views import picture_url
from shop.communities.current import current_point
from shop.communities.queries import directory
from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.kernel.errors import ShopError
from shop.orders import operations, queries
from shop.orders.queries import PurchaseFacts, RefundFacts, Tab, part_can_be_cancelled
from shop.orders.steps import steps_of
from shop.payments import checkout as provider
from shop.platform.access import signed_in
from shop.platform.actor import Actor
from shop.platform.http import told

bp = Blueprint("orders", __name__)


@bp.get("/orders")
@signed_in
def list_mine(actor: Actor) -> Any:
    tab = Tab(request.args["tab"]) if request.args.get("tab") in set(Tab) else Tab.ALL
    cursor = request.args.get("cursor", "")
    before = int(cursor) if cursor.isascii() and cursor.isdigit() and len(cursor) < 16 else None
    found, following = queries.list_mine(reading(), actor.signed_in_id(), tab, before)
    return render_template(
        "orders/list.html", orders=found, tab_now=tab, counts=queries.counts(reading(), actor.signed_in_id()), next_cursor=following,
        now=clock.now(), picture_url=picture_url,
    )  # fmt: skip


@bp.get("/orders/<number>")
@signed_in
def show(actor: Actor, number: str) -> Any:
    session = reading()
    order = queries.mine(session, actor.signed_in_id(), number)
    payment = queries.latest_payment(session, order.id)
    if order.state == "awaiting_payment":
        g.form_targets = provider.form_targets()
    return render_template(
        "orders/show.html", order=order, payment=payment, refunds=queries.refunds(session, order.id), now=clock.now(),
        point=directory(session).points_by_id[order.pickup_point_id], steps_of=steps_of, picture_url=picture_url, why=why_refunded,
        can_cancel=order.can_be_cancelled(clock.now()), can_cancel_part=lambda part: part_can_be_cancelled(part, clock.now()),
    )  # fmt: skip


@bp.post("/orders/<number>/cancel")
@signed_in
def cancel(actor: Actor, number: str) -> Any:
    """Cancel the whole purchase, or, by its own number, one shop's part of it."""
    try:
        purchase_number = perform(operations.cancel, actor, number)
    except ShopError as error:
        if error.status == 404:
            raise
        flash(told(error), "error")
        purchase_number = number if number.count("-") == 1 else number.rpartition("-")[0]
    else:
        was_paid = queries.mine(reading(), actor.signed_in_id(), purchase_number).paid_at is not None
        goes_back = _("Cancelled. What you paid goes back to where it came from.")
        flash(goes_back if was_paid else _("Cancelled. Nothing was paid for this order."), "success")
    return redirect(url_for("orders.show", number=purchase_number), 303)


@bp.post("/orders/<number>/pay")
@signed_in
def pay(actor: Actor, number: str) -> Any:
    """To the provider's page, the same one as before while it is open."""
    try:
        return redirect(provider.open_session(perform(operations.payment_to_continue, actor, number)), 303)
    except ShopError as error:
        if error.status == 404:
            raise
        flash(told(error), "error")
    return redirect(url_for("orders.show", number=number), 303)


@bp.post("/orders/<number>/buy-again")
@signed_in
def buy_again(actor: Actor, number: str) -> Any:
    """Put what can be had today into the cart: on to the cart, or to the page that says what is different now."""
    point = current_point(actor)
    if point is None:
        flash(_("Please choose where you want to collect."), "info")
        return redirect(url_for("communities.choose", next=url_for("orders.again", number=number)), 303)
    try:
        lines = perform(operations.repeat, actor, number, point.id)
    except CartFull as error:
        flash(told(error), "error")
        return redirect(url_for("cart.show"), 303)
    if all(line.is_as_before for line in lines):
        flash(_("Everything of that order is in your cart. Please look at it once more, then check out."), "success")
        return redirect(url_for("cart.show"), 303)
    return redirect(url_for("orders.again", number=number), 303)


@bp.get("/orders/<number>/again")
@signed_in
def again(actor: Actor, number: str) -> Any:
    """What of an earlier order can be had today, what cannot and why, and what costs more or less by now."""
    session, point = reading(), current_point(actor)
    order = queries.mine(session, actor.signed_in_id(), number)
    lines = queries.again(session, order, point.id if point else None)
    in_cart = {item.code: item.quantity for item in carts.items(session, CartOwner(user_id=actor.user_id), point.id if point else None)}
    had = [line for line in lines if line.missing is None]
    return render_template(
        "orders/again.html", order=order, had=had, missing=[line for line in lines if line.missing is not None],
        is_in_cart=all(in_cart.get(line.line.variant_code, 0) >= line.quantity for line in had), picture_url=picture_url,
    )  # fmt: skip


def why_refunded(refund: RefundFacts, order: PurchaseFacts) -> str:
    """The reason of a refund in the reader's words, from its cause."""
    cause = refund.cause
    if cause.endswith(":weighed"):
        return _("Weighed less than ordered")
    if cause.endswith(":short"):
        return _("Not available")
    if cause.endswith(":cancelled"):
        return _("Cancelled")
    return _("Given back")
