"""Sending somebody to the provider's page: intent, call, outcome."""

from __future__ import annotations

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
from shop.payments.rules import OPEN
from shop.platform.language import gettext as _
from shop.platform.language import reader_locale


def open_session(payment_id: int) -> str:
    """The address of the page where this payment is paid; asked for again, the same page.

    Call it outside any transaction, after the payment is committed. Raises `PaymentClosed`, `ProviderUnavailable` (ask
    again: nothing is charged twice), `ProviderRefused`.
    """
    payment = reading().get(Payment, payment_id)
    if payment is None:
        raise PaymentNotFound()
    if payment.state not in OPEN or (payment.expires_at is not None and payment.expires_at <= clock.now()):
        raise PaymentClosed()
    if payment.provider_url:
        return payment.provider_url
    ref, amount, name = payment.ref, payment.amount, shown_name(payment)
    finish_reading()  # let go of the connection while we wait for somebody else
    return_url = f"{current_app.config['PUBLIC_URL'].rstrip('/')}/payments/{ref}"
    page = gateway().create_session(ref, name, amount, return_url, reader_locale())
    crashpoint("payments.session_created")
    if not perform(operations.keep_session, payment_id, page.session, page.url):
        raise PaymentClosed()
    return page.url


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
