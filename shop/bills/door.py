"""Paying, as pages and API do it: the PIN first, outside any transaction, then the one operation."""

from __future__ import annotations

import sqlalchemy as sa

from shop.bills import operations
from shop.bills.operations import Wish
from shop.kernel.db import finish_reading, perform, reading
from shop.kernel.errors import ShopError
from shop.models.bills import BillPayment
from shop.platform.actor import Actor
from shop.wallet import pin as wallet_pin


def pay(actor: Actor, wish: Wish, pin: str | None, code: str | None = None) -> BillPayment:
    """Pay from the wallet; the same `request_key` again is answered with the payment that is there.

    Raises what `wallet.pin.require` and `operations.pay` raise; nothing was paid then, but a wrong PIN stays counted.
    """
    there = earlier(actor, wish.request_key)
    if there is not None:
        return there
    try:
        proof = wallet_pin.require(actor, pin, code) if pin else None
        return perform(operations.pay, actor, wish, proof)
    except ShopError:
        # A second click may find its one-time code used up, or its bills taken, by the first.
        there = earlier(actor, wish.request_key)
        if there is None:
            raise
        return there


def earlier(actor: Actor, request_key: str) -> BillPayment | None:
    """The payment this very request has made already."""
    session = reading()
    finish_reading()
    key = f"{actor.signed_in_id()}:{request_key}"
    return session.scalars(sa.select(BillPayment).where(BillPayment.request_key == key)).first()
