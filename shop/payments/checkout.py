"""Sending somebody to the provider's page: a door asks for it, a job opens it, and the same payment always has the same page."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from flask import current_app

from shop.kernel import clock
from shop.kernel.crash import crashpoint
from shop.kernel.db import finish_reading, perform, reading
from shop.models.bills import BillPayment
from shop.models.orders import Purchase
from shop.models.payments import Payment
from shop.payments import operations
from shop.payments.errors import PaymentClosed, PaymentNotFound
from shop.payments.gateway import gateway
from shop.payments.rules import OPEN, should_ask_for_news, should_ask_for_page
from shop.platform.language import gettext as _
from shop.platform.language import reader_locale


def ask_for_page(payment_id: int) -> str | None:
    """The address of the page where this payment is paid; None while a job still opens it, which this asks for.

    It calls nobody: ask again until the address is there. What the page is opened with, the reader's language among it, is
    kept at the first time, so that however often a job has to ask the provider, it asks the same. Raises `PaymentClosed`.
    """
    payment = payable(payment_id)
    if payment.provider_url is None and should_ask_for_page(payment.asked_at, clock.now()):
        perform(operations.ask_for_page, payment_id, opening_of(payment))
    return payment.provider_url


def ask_for_news(payment: Payment) -> None:
    """Have a job ask about an open payment somebody looks at: how it stands, or again for its page where that is long in coming.

    It calls nobody, and however often it is called, the provider is asked once every few seconds.
    """
    if payment.state not in OPEN:
        return
    if payment.provider_session is not None:
        if should_ask_for_news(payment.asked_at, payment.answered_at, clock.now()):
            perform(operations.ask_for_news, payment.id)
    elif payment.opening is not None:
        with suppress(PaymentClosed):
            ask_for_page(payment.id)


def open_session(payment_id: int) -> str:
    """Open the page where this payment is paid; asked for again, the same page. For jobs, as it waits for the provider.

    Call it outside any transaction, after the payment is committed. Raises `PaymentClosed`, `ProviderUnavailable` (ask
    again: nothing is charged twice), `ProviderRefused`.
    """
    payment = payable(payment_id)
    if payment.provider_url:
        return payment.provider_url
    ref, amount = payment.ref, payment.amount
    opening = payment.opening or perform(operations.keep_opening, payment_id, opening_of(payment))
    finish_reading()  # let go of the connection while we wait for somebody else
    page = gateway().create_session(ref, opening["name"], amount, opening["return_url"], opening["locale"])
    crashpoint("payments.session_created")
    if not perform(operations.keep_session, payment_id, page.session, page.url):
        gateway().expire_session(page.session)  # nobody was told of it, and nobody is to be
        raise PaymentClosed()
    return page.url


def payable(payment_id: int) -> Payment:
    """The payment while it can be paid. Raises `PaymentNotFound`, `PaymentClosed`."""
    payment = reading().get(Payment, payment_id)
    if payment is None:
        raise PaymentNotFound()
    if payment.state not in OPEN or (payment.expires_at is not None and payment.expires_at <= clock.now()):
        raise PaymentClosed()
    return payment


def opening_of(payment: Payment) -> dict[str, Any]:
    """What the provider's page is asked for with, in the reader's language."""
    return_url = f"{current_app.config['PUBLIC_URL'].rstrip('/')}/payments/{payment.ref}"
    return {"name": shown_name(payment), "return_url": return_url, "locale": reader_locale()}


def shown_name(payment: Payment) -> str:
    """What the person reads on the provider's page: whose it is, what it is, and the number they know it by."""
    if payment.purchase_id is not None:
        return _("Linli order %(number)s", number=reading().get_one(Purchase, payment.purchase_id).number)
    if payment.bill_payment_id is not None:
        return _("Linli bill %(number)s", number=reading().get_one(BillPayment, payment.bill_payment_id).ref)
    return _("Linli wallet top-up %(number)s", number=payment.ref)


def form_targets() -> str:
    """For `g.form_targets` of pages whose form leads to the provider's page: browsers hold redirects to `form-action` too."""
    return f" {gateway().page_origin}"
