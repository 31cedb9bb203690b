"""The buyer's orders: lists by state, one order with everything that happens to it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup

from shop.cart import queries as carts
from shop.cart.errors import CartFull
from shop.cart.rules import CartOwner
from shop.catalog.views import picture_url
from shop.communities.current import current_point
from shop.communities.queries import directory
from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound, ShopError
from shop.kernel.text import mask_phone
from shop.models.orders import PaymentMethod
from shop.models.payments import Payment
from shop.orders import operations, paying, queries
from shop.orders.queries import PurchaseFacts, RefundFacts, SubOrderFacts, Tab, part_can_be_cancelled
from shop.orders.steps import reason_words, steps_of
from shop.payments import checkout as provider
from shop.payments.errors import AlreadyPaid, PaymentClosed
from shop.payments.rules import CARD_MINIMUM
from shop.payments.words import back_words
from shop.platform.access import signed_in
from shop.platform.actor import Actor
from shop.platform.asked import address
from shop.platform.features import registry
from shop.platform.http import told
from shop.platform.language import name_of
from shop.platform.sure import ask_first
from shop.wallet import queries as wallets
from shop.wallet import step_up
from shop.wallet.errors import StepUpRequired
from shop.wallet.forms import TenderForm
from shop.wallet.step_up import CodeAsked

bp = Blueprint("orders", __name__)
bp.add_app_template_filter(back_words)


@bp.get("/orders")
@signed_in
def list_mine(actor: Actor) -> Any:
    tab = Tab(address.choice("tab", set(Tab), Tab.ALL))
    found, following = queries.list_mine(reading(), actor.signed_in_id(), tab, address.place())
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
    lines = [line.id for part in order.sub_orders for line in part.lines]
    beside = [each(actor, lines) for each in registry.beside_lines()]
    if order.state == "awaiting_payment":
        g.form_targets = provider.form_targets()
    return render_template(
        "orders/show.html", order=order, payment=payment, refunds=queries.refunds(session, order.id), now=clock.now(),
        point=directory(session).points_by_id[order.pickup_point_id], steps_of=steps_of,
        reason_words=reason_words, picture_url=picture_url, why=why_refunded,
        can_cancel=order.can_be_cancelled(clock.now()), can_cancel_part=lambda part: part_can_be_cancelled(part, clock.now()),
        cancel_question=cancel_question,
        beside_line=lambda line: Markup("".join(of_lines.get(line.id, "") for of_lines in beside)),  # noqa: S704  (templates escaped it)
    )  # fmt: skip


def cancel_question(order: PurchaseFacts, part: SubOrderFacts | None = None) -> str:
    """What is asked before an order, or one shop's part of it, is cancelled: which, how much, and where the money goes."""
    if part is not None and order.paid_at is not None:
        sums = {"number": part.number, "shop": name_of(part, "merchant_name"), "amount": part.total - part.refunded_total}
        if order.method is PaymentMethod.WALLET:
            return _("Cancel %(number)s, what %(shop)s would bring? ¥%(amount)s goes back into your wallet.", **sums)
        return _("Cancel %(number)s, what %(shop)s would bring? ¥%(amount)s goes back to where you paid from.", **sums)
    if order.paid_at is None:
        return _("Cancel order %(number)s over ¥%(amount)s? Nothing has been paid for it.", number=order.number, amount=order.total)
    sums = {"number": order.number, "amount": order.total - order.refunded_total}
    if order.method is PaymentMethod.WALLET:
        return _("Cancel order %(number)s? ¥%(amount)s goes back into your wallet.", **sums)
    return _("Cancel order %(number)s? ¥%(amount)s goes back to where you paid from.", **sums)


def meant_by(actor: Actor, number: str) -> tuple[PurchaseFacts, SubOrderFacts | None]:
    """The order a number means: its own, or that of one shop's part of it. Raises `NotFound`."""
    whole = number if number.count("-") == 1 else number.rpartition("-")[0]
    order = queries.mine(reading(), actor.signed_in_id(), whole)
    part = next((part for part in order.sub_orders if part.number == number), None)
    if part is None and number != order.number:
        raise NotFound()
    return order, part


@bp.post("/orders/<number>/cancel")
@signed_in
def cancel(actor: Actor, number: str) -> Any:
    """Cancel the whole purchase, or, by its own number, one shop's part of it; asks first."""
    order, part = meant_by(actor, number)
    if page := ask_first(cancel_question(order, part), yes=_("Cancel it"), no=_("Keep it")):
        return page
    try:
        purchase_number = perform(operations.cancel, actor, number)
    except ShopError as error:
        if error.status == 404:
            raise
        flash(told(error), "error")
        purchase_number = order.number
    else:
        order, part = meant_by(actor, number)
        back = part.back if part else order.back
        flash(_("Cancelled. %(back)s.", back=back_words(back)) if back else _("Cancelled. Nothing was paid for this order."), "success")
    return redirect(url_for("orders.show", number=purchase_number), 303)


@bp.post("/orders/<number>/pay")
@signed_in
def pay(actor: Actor, number: str) -> Any:
    """To the provider's page, the same one as before while it is open."""
    try:
        payment_id = perform(operations.payment_to_continue, actor, number)
        url = provider.ask_for_page(payment_id)
        return redirect(url or url_for("payments.onward", ref=reading().get_one(Payment, payment_id).ref), 303)
    except ShopError as error:
        if error.status == 404:
            raise
        flash(told(error), "error")
    return redirect(url_for("orders.show", number=number), 303)


@bp.route("/orders/<number>/payment", methods=["GET", "POST"])
@signed_in
def payment(actor: Actor, number: str) -> Any:
    """How an order that waits for its payment is paid: by card or from the wallet, chosen anew as often as one likes."""
    order, form = queries.mine(reading(), actor.signed_in_id(), number), TenderForm()
    if not order.awaits_payment(clock.now()):
        return redirect(url_for("orders.show", number=order.number), 303)
    if request.method == "GET":
        return payment_page(actor, order, TenderForm(formdata=None))
    if form.wants_code:
        return payment_page(actor, order, form, code=step_up.ask(actor))
    if not form.validate():
        return payment_page(actor, order, form, 422)
    try:
        payment_id, url = paying.pay(actor, order.number, PaymentMethod(form.method.data), form.pin.data or "", form.code.data or None)
    except StepUpRequired as error:
        return payment_page(actor, order, form, error.status, code=step_up.ask(actor), refusal=error)
    except (AlreadyPaid, PaymentClosed) as error:
        flash(told(error), "warn")
        return redirect(url_for("orders.show", number=order.number), 303)
    except ShopError as error:
        form.show(error)
        return payment_page(actor, order, form, error.status)
    if payment_id is not None:
        return redirect(url or url_for("payments.onward", ref=reading().get_one(Payment, payment_id).ref), 303)
    flash(_("Paid from your wallet. We tell you when it can be collected."), "success")
    return redirect(url_for("orders.show", number=order.number), 303)


def payment_page(
    actor: Actor, order: PurchaseFacts, form: TenderForm, status: int = 200, *, code: CodeAsked | None = None,
    refusal: ShopError | None = None,
) -> Any:
    """The page that asks how to pay; with a field for a code once one was asked for. Nothing has been charged."""
    if code is not None and code.refusal is not None:
        form.show(code.refusal)
        status = code.refusal.status
    elif refusal is not None:
        form.show(refusal)
    g.form_targets = provider.form_targets()
    form.pin.data = ""
    page = render_template(
        "orders/payment.html", order=order, form=form, means=wallets.means(reading(), actor.signed_in_id(), order.total),
        give_up_question=give_up_question(order),
        asks_code=code is not None or bool(form.code.data), code=code, masked_phone=mask_phone(actor.phone), now=clock.now(),
        card_minimum=CARD_MINIMUM if order.total < CARD_MINIMUM else None, point=directory(reading()).points_by_id[order.pickup_point_id],
    )  # fmt: skip
    return page, status


@bp.post("/orders/<number>/pay-otherwise")
@signed_in
def pay_otherwise(actor: Actor, number: str) -> Any:
    """Give up an order that nobody has paid, and put its goods back into the cart; asks first, as what was held for it is let go."""
    point, order = current_point(actor), queries.mine(reading(), actor.signed_in_id(), number)
    if page := ask_first(give_up_question(order), yes=_("Put it back into the cart"), no=_("Keep the order"), is_grave=False):
        return page
    try:
        lines = perform(operations.take_up_again, actor, number, point.id if point else None)
    except ShopError as error:
        if error.status == 404:
            raise
        flash(told(error), "error")
        return redirect(url_for("orders.show", number=number), 303)
    if all(line.is_as_before for line in lines):
        flash(_("Nothing was paid. Your goods are in the cart again; please choose how to pay."), "info")
        return redirect(url_for("checkout.show"), 303)
    return redirect(url_for("orders.again", number=number), 303)


def give_up_question(order: PurchaseFacts) -> str:
    return _(
        "Give up order %(number)s over ¥%(amount)s and put its goods back into the cart? They are then no longer held for you.",
        number=order.number, amount=order.total,
    )  # fmt: skip


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
    cause = refund.cause.partition(":on:")[0]  # of what it carries on
    if cause.endswith(":late"):
        return _("Paid too late")
    if cause.startswith(("provider:", "proposal:")) or ":given:" in cause:
        return _("Given back by our staff")
    if cause.endswith(":weighed"):
        return _("Weighed less than ordered")
    if ":short" in cause:
        return _("Not available")
    if cause.endswith(":cancelled"):
        return _("Cancelled")
    if cause.endswith(":not_collected"):
        return _("Not collected")
    return _("Given back")
