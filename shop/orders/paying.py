"""The one way from a page or the API to paying an order that waits for its payment, by card or from the wallet."""

from __future__ import annotations

from contextlib import suppress

from shop.kernel.db import perform
from shop.models.orders import PaymentMethod
from shop.orders import operations
from shop.payments import checkout as provider
from shop.payments.errors import MethodUnavailable, PaymentClosed
from shop.platform.actor import Actor
from shop.wallet import pin as wallet_pin


def pay(actor: Actor, number: str, method: PaymentMethod, pin: str = "", code: str | None = None) -> tuple[int | None, str | None]:
    """Pay it now from the wallet, or go on by card: then the payment and the address of its page (None while that is being opened).

    Safe to repeat. Raises as `pay_from_wallet` and `payment_to_continue`, for the PIN what the wallet refuses, `MethodUnavailable`.
    """
    if method is PaymentMethod.WALLET:
        proof = wallet_pin.require(actor, pin, code) if pin else None
        perform(operations.pay_from_wallet, actor, number, proof)
        return None, None
    if method is not PaymentMethod.STRIPE:
        raise MethodUnavailable()
    payment_id = perform(operations.payment_to_continue, actor, number)
    url = None
    with suppress(PaymentClosed):
        url = provider.ask_for_page(payment_id)
    return payment_id, url
