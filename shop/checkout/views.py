"""The checkout: one page to look at everything once more and to pay. Works without script; keeps what was chosen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, url_for
from flask_babel import gettext as _

from shop.cart import queries as carts
from shop.cart.errors import NotOnSale, QuantityNotAllowed
from shop.cart.rules import MOST_UNITS, CartItem, CartOwner
from shop.catalog.views import picture_url
from shop.checkout import door, operations, queries, rules
from shop.checkout.errors import BelowMinimum, CartEmpty, QuoteExpired
from shop.checkout.forms import OrderForm
from shop.checkout.operations import Directly, PlaceOrder
from shop.checkout.queries import Placed, QuoteFacts
from shop.communities.current import current_point
from shop.communities.queries import Point
from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound, ShopError
from shop.kernel.money import ZERO, Money
from shop.kernel.text import mask_phone
from shop.models.orders import Channel, PaymentMethod, PurchaseState
from shop.models.payments import PaymentState
from shop.orders import queries as orders
from shop.payments import checkout as provider
from shop.payments.rules import CARD_MINIMUM
from shop.platform.access import signed_in
from shop.platform.actor import Actor
from shop.platform.asked import address
from shop.platform.http import told
from shop.platform.language import spoken_deadline
from shop.stock.errors import StockShortage
from shop.wallet import queries as wallets
from shop.wallet import step_up
from shop.wallet.errors import StepUpRequired
from shop.wallet.step_up import CodeAsked

bp = Blueprint("checkout", __name__)

BESIDE_A_FIELD = {"pin", "code", "method"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the page says about what was just sent: why nothing was ordered, what differs from the offer looked at, and of a code."""

    status: int = 200
    problem: str = ""
    before: QuoteFacts | None = None
    asks_code: bool = False
    code: CodeAsked = field(default_factory=CodeAsked)


ASKED_FOR_THE_PAGE = Answer()


@bp.get("/checkout")
@signed_in
def show(actor: Actor) -> Any:
    """What is ticked in the cart; with `buy` in the address only that, and the cart stays as it is."""
    form = OrderForm(formdata=None)
    form.method.data = address.choice("method", {PaymentMethod.WALLET.value, PaymentMethod.STRIPE.value})
    since = address.word("since", 40)
    return page(actor, form, Answer(before=earlier_offer(actor, since) if since else None))


@bp.post("/checkout")
@signed_in
def place(actor: Actor) -> Any:
    """Order. Refused, the page comes back with the reason, fresh amounts and everything that was chosen, but never the PIN."""
    form = OrderForm()
    if form.wants_code:
        return page(actor, form, code_answer(form, step_up.ask(actor)))
    if not form.validate():
        return page(actor, form, Answer(422))
    wish = PlaceOrder(form.quote.data, Money(form.seen_total.data), PaymentMethod(form.method.data), Channel.WEB)
    try:
        placed, url = door.place(actor, wish, form.pin.data or "", form.code.data or None)
    except ShopError as error:
        return refused(actor, form, error)
    if placed.total < wish.seen_total:
        said = _("It became cheaper while you looked: ¥%(total)s instead of ¥%(seen)s.", total=placed.total, seen=wish.seen_total)
        flash(said, "success")
    if url is not None:
        return redirect(url, 303)
    if placed.state is PurchaseState.AWAITING_PAYMENT and placed.method is PaymentMethod.STRIPE:
        return redirect(url_for("payments.onward", ref=placed.payment_ref), 303)
    return to_the_order(placed)


def to_the_order(placed: Placed) -> Any:
    if placed.state is PurchaseState.PAID:
        flash(_("Paid. We tell you when it can be collected."), "success")
    return redirect(url_for("orders.show", number=placed.number), 303)


def refused(actor: Actor, form: OrderForm, error: ShopError) -> Any:
    """The page again: what concerns a field stands beside it, everything else on top with what has changed."""
    if isinstance(error, NotFound) and error.field == "quote_id":
        error = QuoteExpired()
    if isinstance(error, StepUpRequired):  # larger payments ask for a code: it is on its way before the page is back
        asked = step_up.ask(actor)
        if asked.refusal is None:
            form.show(error)
        return page(actor, form, code_answer(form, asked, error.status))
    before = earlier_offer(actor, form.quote.data)
    if error.field in BESIDE_A_FIELD:
        form.show(error)
        return page(actor, form, Answer(error.status, before=before, asks_code=error.field == "code" or bool(form.code.data)))
    return page(actor, form, Answer(error.status, told(error), before, asks_code=bool(form.code.data)))


def code_answer(form: OrderForm, asked: CodeAsked, status: int = 200) -> Answer:
    """The page with the field for a code. A code that came before may still be typed where no further one can be sent."""
    if asked.refusal is None:
        return Answer(status, asks_code=True, code=asked)
    form.show(asked.refusal)
    return Answer(asked.refusal.status, asks_code=True, code=asked)


def earlier_offer(actor: Actor, ref: str) -> QuoteFacts | None:
    """The offer somebody looked at before; None where there is none of theirs."""
    try:
        return queries.quote(reading(), actor.signed_in_id(), ref)
    except NotFound:
        return None


def directly() -> Directly | None:
    """What the address buys without the cart."""
    code = address.word("buy")
    return Directly(code, address.number("quantity", 1, MOST_UNITS)) if code else None


def itself() -> str:
    """The address of this page, with what it buys."""
    wanted = directly()
    return url_for("checkout.show", buy=wanted.variant_code, quantity=wanted.quantity) if wanted else url_for("checkout.show")


def page(actor: Actor, form: OrderForm, answer: Answer) -> Any:
    """The checkout as it is now; without a point, an empty or a short cart, what to do about that."""
    here, wanted = current_point(actor), directly()
    if here is None:
        flash(_("Please choose where you want to collect."), "info")
        return redirect(url_for("communities.choose", next=itself()), 303)
    if wanted is not None and (unpaid := to_unpaid_order(actor, wanted)):
        return unpaid
    try:
        quote = perform(operations.current_quote, actor, here.id, wanted)
    except StockShortage as shortage:
        return shortage_page(actor, here, form, told(shortage), answer)
    except (NotOnSale, QuantityNotAllowed, BelowMinimum) as error:
        if wanted is None:
            return back_to_cart(answer.problem or told(error))
        return cannot_be_bought(actor, here, wanted, told(error))
    except CartEmpty as error:
        unpaid = to_unpaid_order(actor)
        if unpaid is None:
            flash(answer.problem or told(error), "info")
        return unpaid or redirect(url_for("cart.show"), 303)
    except ShopError as error:
        return cannot_be_bought(actor, here, wanted, told(error)) if wanted else back_to_cart(answer.problem or told(error))
    form.quote.data, form.seen_total.data, form.pin.data = quote.ref, quote.total.fen, ""
    form.seen_total.raw_data = None  # else the field would show the total that was sent, not the one of now
    return render_page(actor, here, quote, form, answer), answer.status


def back_to_cart(problem: str) -> Any:
    flash(problem, "error")
    return redirect(url_for("cart.show"), 303)


def to_unpaid_order(actor: Actor, wanted: Directly | None = None) -> Any:
    """Back from the provider's page its goods stand in an order, not in the cart: on to that, while it can be paid.

    Of goods bought directly only an order of just these goods is meant.
    """
    session = reading()
    found, _before = orders.list_mine(session, actor.signed_in_id(), orders.Tab.TO_PAY, limit=1)
    if not found or found[0].expires_at <= clock.now():
        return None
    if wanted is not None:
        lines = [(line.variant_code, line.quantity) for part in found[0].sub_orders for line in part.lines]
        if lines != [(wanted.variant_code, wanted.quantity)]:
            return None
    payment = orders.latest_payment(session, found[0].id)
    if payment is not None and payment.state is PaymentState.PROCESSING:
        return redirect(url_for("payments.progress", ref=payment.ref), 303)
    flash(_("Your order is placed but not paid yet. Please pay it by %(until)s.", until=spoken_deadline(found[0].expires_at)), "info")
    return redirect(url_for("orders.show", number=found[0].number), 303)


def render_page(actor: Actor, here: Point, quote: QuoteFacts, form: OrderForm, answer: Answer) -> str:
    g.form_targets = provider.form_targets()
    session, wanted = reading(), directly()
    lying = items_of(actor, here, wanted)
    categories = {item.variant_id: item.category_id for item in lying}
    earlier = [] if wanted else [item for item in lying if item.is_earlier]
    return render_template(
        "checkout/show.html", quote=quote, terms=quote.terms, form=form, answer=answer, point=here, itself=itself(), is_direct=bool(wanted),
        means=wallets.means(session, actor.signed_in_id(), quote.total), card_minimum=CARD_MINIMUM if quote.total < CARD_MINIMUM else None,
        changes=changes_since(answer.before, quote), earlier=earlier, staying=[item for item in lying if not item.is_chosen],
        masked_phone=mask_phone(actor.phone), now=clock.now(), picture_url=picture_url,
        picture=lambda line: picture_url(line.image, categories.get(line.variant_id, 0)),
    )  # fmt: skip


def changes_since(before: QuoteFacts | None, quote: QuoteFacts) -> list[rules.Change]:
    """What is different from the offer that was looked at before."""
    return rules.changes(before.terms, quote.terms) if before is not None else []


def items_of(actor: Actor, here: Point, wanted: Directly | None) -> list[CartItem]:
    """The lines the page is about: those of the cart, or what is bought directly."""
    session = reading()
    if wanted is None:
        return carts.items(session, CartOwner(user_id=actor.user_id), here.id)
    found = carts.item(session, wanted.variant_code, wanted.quantity, here.id)
    return [found] if found else []


def shortage_page(actor: Actor, here: Point, form: OrderForm, problem: str, answer: Answer) -> Any:
    """What is left of each kind, and one button that makes it fit; how it was to be paid is kept."""
    wanted = directly()
    cart = carts.of_items(reading(), items_of(actor, here, wanted), here.id).of_chosen()
    short = [item for item in cart.items if item.problem is not None]
    kept: dict[str, Any] = {"method": form.method.data or None, "since": answer.before.ref if answer.before else None}
    onward, left = "", short[0].orderable if short else 0
    if wanted is not None and left:
        onward = url_for("checkout.show", buy=wanted.variant_code, quantity=left, **kept)
    page = render_template(
        "checkout/shortage.html", cart=cart, short=short, problem=problem, picture_url=picture_url, is_direct=wanted is not None,
        onward=onward, back=url_for("catalog.product", slug=short[0].slug) if wanted and short else url_for("cart.show"),
        again=url_for("checkout.show", **kept), before=answer.before.total if answer.before else None,
    )  # fmt: skip
    return page, StockShortage.status


def cannot_be_bought(actor: Actor, here: Point, wanted: Directly, problem: str) -> Any:
    """Why some goods cannot be bought by themselves, and what can be done instead."""
    item = next(iter(items_of(actor, here, wanted)), None)
    if item is None or not item.is_on_sale:
        flash(problem, "error")
        return redirect(url_for("catalog.product", slug=item.slug) if item else url_for("cart.show"), 303)
    block = carts.of_items(reading(), [item], here.id).blocks[0]
    missing = block.missing_to_minimum if item.problem is None else ZERO
    page = render_template(
        "checkout/alone.html", item=item, facts=block.merchant, missing=missing, problem=problem, picture_url=picture_url
    )
    return page, 409
