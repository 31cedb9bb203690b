"""Paying, as pages and API do it: the PIN first, outside any transaction, then the one operation; for a card the page is asked for."""

from __future__ import annotations

from collections.abc import Sequence

from shop.bills import operations, queries
from shop.bills.operations import Wish
from shop.kernel.db import finish_reading, perform, reading
from shop.kernel.errors import ShopError
from shop.models.bills import BillPayment
from shop.models.orders import PaymentMethod
from shop.payments import checkout as provider
from shop.payments.errors import PaymentClosed
from shop.platform.actor import Actor
from shop.wallet import pin as wallet_pin


def pay(
    actor: Actor, wishes: Sequence[Wish], method: PaymentMethod = PaymentMethod.WALLET, pin: str | None = None, code: str | None = None
) -> list[BillPayment]:
    """Pay, from the wallet or by card; the same `request_key`s again are answered with the payments that are there.

    Raises what `wallet.pin.require` and `operations.pay_together` raise; nothing was paid then, but a wrong PIN stays counted.
    """
    there = earlier(actor, wishes)
    if there:
        return there
    try:
        proof = wallet_pin.require(actor, pin, code) if pin and method is PaymentMethod.WALLET else None
        return perform(operations.pay_together, actor, wishes, method, proof)
    except ShopError:
        # A second click may find its one-time code used up, or its bills taken, by the first.
        there = earlier(actor, wishes)
        if not there:
            raise
        return there


def payment_page(payment_id: int) -> str | None:
    """The provider's page for a payment by card; None while it is being opened, or when there is nothing to pay any more."""
    try:
        return provider.ask_for_page(payment_id)
    except PaymentClosed:
        return None


def earlier(actor: Actor, wishes: Sequence[Wish]) -> list[BillPayment]:
    """The payments this very request has made already."""
    session = reading()
    finish_reading()
    return queries.payments_of(session, [f"{actor.signed_in_id()}:{wish.request_key}" for wish in wishes])
