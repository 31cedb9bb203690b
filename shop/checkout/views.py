"""The checkout: one page to look at everything once more and to pay. Works without script; keeps what was chosen."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, url_for
from flask_babel import gettext as _

from shop.accounts import operations as accounts
from shop.accounts.errors import CodeSentRecently
from shop.cart import queries as carts
from shop.cart.rules import CartOwner
from shop.catalog.views import picture_url
from shop.checkout import door, operations
from shop.checkout.errors import CartEmpty, QuoteExpired
from shop.checkout.forms import OrderForm
from shop.checkout.operations import PlaceOrder
from shop.checkout.queries import QuoteFacts
from shop.communities.current import current_point
from shop.communities.queries import Point
from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound, ShopError
from shop.kernel.money import Money
from shop.kernel.text import mask_phone
from shop.models.accounts import CodePurpose
from shop.models.orders import Channel, PaymentMethod, PurchaseState
from shop.models.payments import PaymentState
from shop.orders import queries as orders
from shop.payments import checkout as provider
from shop.platform.access import signed_in
from shop.platform.actor import Actor
from shop.platform.http import told
from shop.platform.language import reader_locale, spoken_deadline
from shop.stock.errors import StockShortage
from shop.wallet import queries as wallets
from shop.wallet.errors import StepUpRequired

bp = Blueprint("checkout", __name__)

BESIDE_A_FIELD = {"pin", "code", "method"}


@bp.get("/checkout")
@signed_in
def show(actor: Actor) -> Any:
    return page(actor, OrderForm(formdata=None))


@bp.post("/checkout")
@signed_in
def place(actor: Actor) -> Any:
    """Order. Refused, the page comes back with the reason, fresh amounts and everything that was chosen, but never the PIN."""
    form = OrderForm()
    if not form.validate():
        return page(actor, form, status=422)
    wish = PlaceOrder(form.quote.data, Money(form.seen_total.data), PaymentMethod(form.method.data), Channel.WEB)
    try:
        placed, url = door.place(actor, wish, form.pin.data or "", form.code.data or None)
    except ShopError as error:
        return refused(actor, form, error)
    if url is not None:
        return redirect(url, 303)
    if placed.state is PurchaseState.AWAITING_PAYMENT:
        flash(_("The payment service does not answer just now. Your order is kept; please pay it from here in a minute."), "warning")
    elif placed.state is PurchaseState.PAID:
        flash(_("Paid. We tell you when it can be collected."), "success")
    return redirect(url_for("orders.show", number=placed.number), 303)


def refused(actor: Actor, form: OrderForm, error: ShopError) -> Any:
    """The page again: what concerns a field stands beside it, everything else on top with the amounts of now."""
    if isinstance(error, NotFound) and error.field == "quote_id":
        error = QuoteExpired()
    if isinstance(error, StepUpRequired):
        send_step_up_code(actor)
    if error.field in BESIDE_A_FIELD:
        form.show(error)
        return page(actor, form, status=error.status, asks_code=isinstance(error, StepUpRequired) or error.field == "code")
    return page(actor, form, status=error.status, problem=told(error))


def send_step_up_code(actor: Actor) -> None:
    """Larger payments ask for a code by SMS; it is on its way before the page is back."""
    try:
        perform(accounts.request_code, actor.phone, CodePurpose.STEP_UP, reader_locale())
    except CodeSentRecently:
        return


def page(actor: Actor, form: OrderForm, *, status: int = 200, problem: str = "", asks_code: bool = False) -> Any:
    """The checkout for the cart as it is now; without a point, an empty or a short cart, what to do about that."""
    here = current_point(actor)
    if here is None:
        flash(_("Please choose where you want to collect."), "info")
        return redirect(url_for("communities.choose", next=url_for("checkout.show")), 303)
    try:
        quote = perform(operations.current_quote, actor, here.id)
    except StockShortage as shortage:
        return shortage_page(actor, here, told(shortage))
    except CartEmpty as error:
        unpaid = to_unpaid_order(actor)
        if unpaid is None:
            flash(problem or told(error), "info")
        return unpaid or redirect(url_for("cart.show"), 303)
    except ShopError as error:
        flash(problem or told(error), "error")
        return redirect(url_for("cart.show"), 303)
    form.quote.data, form.seen_total.data, form.pin.data = quote.ref, quote.total.fen, ""
    form.seen_total.raw_data = None  # else the field would show the total that was sent, not the one of now
    return render_page(actor, here, quote, form, problem, asks_code), status


def to_unpaid_order(actor: Actor) -> Any:
    """Back from the provider's page the cart is empty, because its goods stand in an order: on to that, while it can be paid."""
    session = reading()
    found, _before = orders.list_mine(session, actor.signed_in_id(), orders.Tab.TO_PAY, limit=1)
    if not found or found[0].expires_at <= clock.now():
        return None
    payment = orders.latest_payment(session, found[0].id)
    if payment is not None and payment.state is PaymentState.PROCESSING:
        return redirect(url_for("payments.progress", ref=payment.ref), 303)
    flash(_("Your order is placed but not paid yet. Please pay it by %(until)s.", until=spoken_deadline(found[0].expires_at)), "info")
    return redirect(url_for("orders.show", number=found[0].number), 303)


def render_page(actor: Actor, here: Point, quote: QuoteFacts, form: OrderForm, problem: str, asks_code: bool) -> str:
    g.form_targets = provider.form_targets()
    wallet = wallets.find(reading(), actor.signed_in_id())
    categories = {
        item.variant_id: item.category_id
        for item in carts.items(reading(), CartOwner(user_id=actor.user_id), here.id)
    }
    return render_template(
        "checkout/show.html", quote=quote, terms=quote.terms, form=form, problem=problem, point=here, wallet=wallet,
        missing=quote.total - wallet.balance if wallet and wallet.balance < quote.total else None, asks_code=asks_code,
        masked_phone=mask_phone(actor.phone), now=clock.now(),
        picture=lambda line: picture_url(line.image, categories.get(line.variant_id, 0)),
    )  # fmt: skip


def shortage_page(actor: Actor, here: Point, problem: str) -> Any:
    """What is left of each kind, and one button that makes the cart fit."""
    cart = carts.view(reading(), CartOwner(user_id=actor.user_id), here.id)
    short = [item for item in cart.items if item.problem is not None]
    return render_template("checkout/shortage.html", cart=cart, short=short, problem=problem, picture_url=picture_url), StockShortage.status
