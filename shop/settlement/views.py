"""Doors for money coming in: topping up, the page a buyer comes back to, and the provider's events."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, g, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Redirect

from shop.accounts.rules import local_path
from shop.communities.queries import directory
from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.kernel.errors import ShopError
from shop.kernel.money import ZERO, Money
from shop.models.bills import BillPayment
from shop.models.orders import Purchase, PurchaseState
from shop.models.payments import Payment, PaymentPurpose, PaymentState
from shop.orders import queries as orders
from shop.payments import checkout, queries, rules
from shop.payments import operations as payments
from shop.payments.errors import BadSignature, PaymentClosed
from shop.payments.gateway import gateway
from shop.payments.rules import CARD_MINIMUM, OPEN
from shop.platform.access import provider_only, signed_in
from shop.platform.actor import Actor
from shop.platform.asked import address
from shop.platform.bodies import KILOBYTE, takes
from shop.platform.http import protection
from shop.platform.language import name_of, spoken_start
from shop.settlement import operations
from shop.settlement.forms import TopUpForm
from shop.settlement.rules import MISMATCH
from shop.wallet import queries as wallets
from shop.wallet.custody import custodian
from shop.wallet.errors import WalletNotOpen

log = logging.getLogger("shop.settlement")
bp = Blueprint("payments", __name__)

SUGGESTED = ("50", "100", "200", "500")
MOST_MISSING = 10_000_000
WAY_BACK = "topped_up_for"
"""Where the browser keeps what somebody wanted to pay when the wallet was short: the payment that fills it, and the way back."""
REFRESH_SECONDS = {"looking": 1, "open": 15, "processing": 4}
EAGER = timedelta(seconds=4)
"""For so long a page that waits for the provider's looks often."""
LOOK_EVERY = {"soon": 400, "late": 2_000, "silent": 2_000, "there": 0}
"""Milliseconds between two looks of that page."""


@bp.get("/wallet/top-up")
@signed_in
def top_up(actor: Actor) -> Any:
    return top_up_page(actor, TopUpForm(amount=address.word("amount", 20) or suggested_for(missing())))


@bp.post("/wallet/top-up")
@signed_in
def start_top_up(actor: Actor) -> Any:
    """On to the provider's page."""
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
    means = wallets.means(reading(), actor.signed_in_id(), wallet.balance + (short or ZERO))
    kept = {"next": way_back() or None, "missing": short.fen if short else None}
    page = render_template(
        "payments/top_up.html", form=form, wallet=wallet, suggested=SUGGESTED, custodian=custodian(), missing=short, kept=kept,
        back=way_back() or url_for("wallet.show"), means=means, room=min(means.room_for_top_up, operations.TOP_UP_MOST) if means else ZERO,
        card_minimum=CARD_MINIMUM,
    )
    return page, status


def way_back() -> str:
    """The page that sent somebody here because the wallet was short; empty when they came by themselves."""
    return local_path(address.path(), "")


def missing() -> Money | None:
    """How much that page said is missing."""
    fen = address.number("missing", most=MOST_MISSING)
    return Money(fen) if fen else None


def suggested_for(missing: Money | None) -> str:
    """What to fill in for somebody who is short of so much: no less than a card can pay, no more than one top-up takes."""
    return str(min(max(missing, CARD_MINIMUM), operations.TOP_UP_MOST)) if missing else ""


def to_provider(payment: Payment) -> Redirect:
    """To the provider's page of a payment, or to ours that waits for it and then goes on by itself."""
    return redirect(checkout.ask_for_page(payment.id) or url_for("payments.onward", ref=payment.ref), 303)


@bp.get("/payments/<ref>/onward")
@signed_in
def onward(actor: Actor, ref: str) -> Any:
    """On the way to the provider's page, which a job opens: nobody waits for the provider but who looks at this page.

    The page asks here again by itself, with the stage it shows, and stands still while that is true: what somebody is about to
    press stays under their finger, and nothing is read aloud twice. With script it is replaced by the provider's page, without it
    is led there; either way going back does not lead here again.
    """
    payment, by_script = queries.mine(reading(), actor, ref), "HX-Request" in request.headers
    try:
        url = checkout.ask_for_page(payment.id)
    except PaymentClosed:
        how_it_stands = url_for("payments.progress", ref=ref)
        return Response(headers={"HX-Redirect": how_it_stands}) if by_script else redirect(how_it_stands, 303)
    if url and not by_script:
        return redirect(url, 303)
    payment = queries.mine(reading(), actor, ref)
    stage = "there" if url else stage_onward(payment)
    if by_script and address.word("shown", 10) == stage:
        return Response(status=204)
    return render_template(
        "payments/onward.html", payment=payment, url=url, onward=leads_to(payment), stage=stage, look_every=LOOK_EVERY[stage]
    )


def stage_onward(payment: Payment) -> str:
    """One word for a page that is not open yet: soon, late, silent."""
    moment = clock.now()
    if rules.is_silent(payment.asked_at, payment.answered_at, payment.silent_since, moment):
        return "silent"
    return "late" if payment.asked_at is not None and payment.asked_at <= moment - EAGER else "soon"


@bp.get("/payments/<ref>")
@signed_in
def progress(actor: Actor, ref: str) -> Any:
    """How a payment stands. It has the provider asked itself, so it is right before any event, after a lost one, and without script."""
    checkout.ask_for_news(queries.mine(reading(), actor, ref))
    payment, moment = queries.mine(reading(), actor, ref), clock.now()
    g.form_targets = checkout.form_targets()
    stage = stage_of(payment)
    is_open = payment.state in OPEN
    return render_template(
        "payments/progress.html", payment=payment, stage=stage, refresh=REFRESH_SECONDS.get(stage, 0), onward=leads_to(payment),
        is_silent=is_open and rules.is_silent(payment.asked_at, payment.answered_at, payment.silent_since, moment),
        wanted=wanted_before(payment), can_try_again=can_try_again(payment), back=queries.back_of_payment(reading(), payment.id),
    )  # fmt: skip


def stage_of(payment: Payment) -> str:
    """One word for the page: looking, open, processing, paid, returned, wrong, failed, ended."""
    if payment.state is PaymentState.SUCCEEDED:
        late = any(refund.cause == f"payment:{payment.id}:late" for refund in queries.refunds_of(reading(), payment.id))
        return "returned" if late else "paid"
    if payment.state is PaymentState.FAILED:
        return "wrong" if payment.failure_code == MISMATCH else "failed"
    if payment.state is PaymentState.CANCELLED:
        return "ended"
    if payment.state is PaymentState.PROCESSING:
        return "processing"
    is_looked_for = payment.provider_session and payment.silent_since is None and rules.is_looked_for(payment.asked_at, payment.answered_at)
    return "looking" if is_looked_for else "open"


def leads_to(payment: Payment) -> dict[str, str]:
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
    when = spoken_start(order.on_the_way[0].arrives_at)
    return _("You can collect it at %(point)s %(when)s. We tell you when it is there.", point=name_of(point), when=when)


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
@takes(most_bytes=512 * KILOBYTE)
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
    perform(payments.receive_event, "stripe", event.event_id, event.kind, event.object_id)
    return Response(status=200)
