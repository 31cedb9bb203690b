"""Doors for money coming in: topping up, the page a buyer comes back to, and the provider's events."""

from __future__ import annotations

import logging
from typing import Any

from flask import Blueprint, Response, g, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Redirect

from shop.accounts.rules import local_path
from shop.communities.queries import directory
from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.kernel.errors import ShopError
from shop.kernel.money import Money
from shop.kernel.text import MalformedBody
from shop.models.bills import BillPayment
from shop.models.orders import PaymentMethod, Purchase, PurchaseState
from shop.models.payments import Payment, PaymentPurpose, PaymentState
from shop.orders import queries as orders
from shop.payments import checkout, queries
from shop.payments import operations as payments
from shop.payments.errors import BadSignature, ProviderRefused, ProviderUnavailable
from shop.payments.gateway import gateway
from shop.payments.rules import CARD_MINIMUM, OPEN
from shop.platform.access import provider_only, signed_in
from shop.platform.actor import Actor
from shop.platform.http import protection
from shop.platform.language import name_of, spoken_moment
from shop.settlement import inquiry, operations
from shop.settlement.forms import TopUpForm
from shop.wallet import queries as wallets
from shop.wallet.custody import custodian
from shop.wallet.errors import WalletNotOpen

log = logging.getLogger("shop.settlement")
bp = Blueprint("payments", __name__)

SUGGESTED = ("50", "100", "200", "500")
MOST_MISSING = 10_000_000
WAY_BACK = "topped_up_for"
"""Where the browser keeps what somebody wanted to pay when the wallet was short: the payment that fills it, and the way back."""
REFRESH_SECONDS = {"open": 15, "processing": 4}


@bp.get("/wallet/top-up")
@signed_in
def top_up(actor: Actor) -> Any:
    return top_up_page(actor, TopUpForm(amount=request.args.get("amount", "") or suggested_for(missing())))


@bp.post("/wallet/top-up")
@signed_in
def start_top_up(actor: Actor) -> Any:
    """On to the provider's page; when it does not answer, to ours, where the same payment can be gone on with."""
    form = TopUpForm()
    try:
        if form.validate():
            payment = perform(operations.start_top_up, actor, form.money)
            if way_back():
                session[WAY_BACK] = {"ref": payment.ref, "path": way_back()}
            return to_provider(payment)
    except WalletNotOpen:
        return redirect(url_for("wallet.show"), 303)
    except ShopError as error:
        form.show(error)
    return top_up_page(actor, form, status=422)


def top_up_page(actor: Actor, form: TopUpForm, status: int = 200) -> Any:
    wallet = wallets.find(reading(), actor.signed_in_id())
    if wallet is None:
        return redirect(url_for("wallet.show"), 303)
    g.form_targets = checkout.form_targets()
    short = missing()
    kept = {"next": way_back() or None, "missing": short.fen if short else None}
    page = render_template(
        "payments/top_up.html", form=form, wallet=wallet, suggested=SUGGESTED, custodian=custodian(), missing=short, kept=kept,
        back=way_back() or url_for("wallet.show"),
    )
    return page, status


def way_back() -> str:
    """The page that sent somebody here because the wallet was short; empty when they came by themselves."""
    return local_path(request.args.get("next"), "")


def missing() -> Money | None:
    """How much that page said is missing."""
    fen = request.args.get("missing", 0, type=int)
    return Money(fen) if 0 < fen <= MOST_MISSING else None


def suggested_for(missing: Money | None) -> str:
    """What to fill in for somebody who is short of so much: no less than a card can pay, no more than one top-up takes."""
    return str(min(max(missing, CARD_MINIMUM), operations.TOP_UP_MOST)) if missing else ""


def to_provider(payment: Payment) -> Redirect:
    """To the provider's page of a payment, or to ours while the provider does not answer."""
    ref = payment.ref
    try:
        return redirect(checkout.open_session(payment.id), 303)
    except (ProviderUnavailable, ProviderRefused) as refusal:
        log.warning("no page for payment %s: %s", payment.id, refusal.code)
        return redirect(url_for("payments.progress", ref=ref, answer="none"), 303)


@bp.get("/payments/<ref>")
@signed_in
def progress(actor: Actor, ref: str) -> Any:
    """How a payment stands. It asks the provider itself, so it is right before any event, after a lost one, and without script."""
    payment = queries.mine(reading(), actor, ref)
    was_answered = request.args.get("answer") != "none"
    if payment.state in OPEN and payment.method is PaymentMethod.STRIPE:
        was_answered = ask(payment) and was_answered
        payment = queries.mine(reading(), actor, ref)
    g.form_targets = checkout.form_targets()
    stage = stage_of(payment)
    return render_template(
        "payments/progress.html", payment=payment, stage=stage, was_answered=was_answered, refresh=REFRESH_SECONDS.get(stage, 0),
        onward=onward(payment), wanted=wanted_before(payment), can_try_again=can_try_again(payment),
    )  # fmt: skip


def ask(payment: Payment) -> bool:
    """Ask the provider; whether it answered. A payment whose time is over is closed there."""
    is_over = payment.expires_at is not None and payment.expires_at <= clock.now()
    payment_id = payment.id
    try:
        (inquiry.close if is_over else inquiry.settle)(payment_id)
    except (ProviderUnavailable, ProviderRefused) as refusal:
        log.warning("no news of payment %s: %s", payment_id, refusal.code)
        return False
    return True


def stage_of(payment: Payment) -> str:
    """One word for the page: open, processing, paid, returned, wrong, failed, ended."""
    if payment.state is PaymentState.SUCCEEDED:
        late = any(refund.cause == f"payment:{payment.id}:late" for refund in queries.refunds_of(reading(), payment.id))
        return "returned" if late else "paid"
    if payment.state is PaymentState.FAILED:
        return "wrong" if payment.failure_code == operations.MISMATCH else "failed"
    if payment.state is PaymentState.CANCELLED:
        return "ended"
    return "processing" if payment.state is PaymentState.PROCESSING else "open"


def onward(payment: Payment) -> dict[str, str]:
    """Where to go from here: the kind of thing that was paid, its number, its address, and what is said once it is paid."""
    session = reading()
    if payment.purpose is PaymentPurpose.PURCHASE:
        number = session.get_one(Purchase, payment.purchase_id).number
        return {"kind": "order", "number": number, "href": url_for("orders.show", number=number), "said": where_to_collect(payment, number)}
    if payment.purpose is PaymentPurpose.BILL:
        ref = session.get_one(BillPayment, payment.bill_payment_id).ref
        return {"kind": "bill", "number": ref, "href": url_for("bills.payment", ref=ref), "said": _("Paid. The bill says how far it is.")}
    return {"kind": "wallet", "number": "", "href": url_for("wallet.show"), "said": _("The money is in your wallet. Thank you.")}


def where_to_collect(payment: Payment, number: str) -> str:
    """What a buyer wants to know after paying: from when on, and where."""
    session = reading()
    order = orders.mine(session, payment.user_id, number)
    point = directory(session).points_by_id[order.pickup_point_id]
    if not order.on_the_way:
        return _("The order says where it stands.")
    when = spoken_moment(order.on_the_way[0].arrives_at)
    return _("You can collect it at %(point)s from %(when)s. We tell you when it is there.", point=name_of(point), when=when)


def wanted_before(payment: Payment) -> str:
    """The page of what this top-up was made for; empty when it was for nothing in particular."""
    kept = session.get(WAY_BACK) or {}
    return local_path(kept.get("path"), "") if kept.get("ref") == payment.ref else ""


def can_try_again(payment: Payment) -> bool:
    if payment.state is not PaymentState.FAILED or payment.purchase_id is None:
        return False
    purchase = reading().get_one(Purchase, payment.purchase_id)
    return purchase.state is PurchaseState.AWAITING_PAYMENT and purchase.expires_at > clock.now()


@bp.post("/payments/<ref>/page")
@signed_in
def go_to_page(actor: Actor, ref: str) -> Redirect:
    """Go on paying, on the same page as before."""
    return to_provider(queries.mine(reading(), actor, ref))


@bp.post("/webhooks/stripe")
@protection.exempt  # type: ignore[untyped-decorator]  # flask-wtf has no types
@provider_only
def stripe_event() -> Response:
    """Verified on the raw bytes, kept once, looked into by a job: 200 as soon as it is safe."""
    raw = request.get_data(cache=False)
    try:
        event = gateway().read_event(raw, request.headers.get("Stripe-Signature", ""))
    except BadSignature:
        log.warning("an event with a bad signature was refused")
        raise
    except (ValueError, KeyError, TypeError, AttributeError):
        raise MalformedBody() from None
    perform(payments.receive_event, "stripe", event.event_id, event.kind, event.object_id)
    return Response(status=200)
