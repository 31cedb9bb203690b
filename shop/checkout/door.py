"""The one way from a page or the API to an order: check the PIN, place it, and for a card have the provider's page opened."""

from __future__ import annotations

from shop.checkout import operations
from shop.checkout.operations import PlaceOrder
from shop.checkout.queries import Placed
from shop.kernel.crash import crashpoint
from shop.kernel.db import perform
from shop.models.orders import PaymentMethod, PurchaseState
from shop.payments import checkout as provider
from shop.payments.errors import PaymentClosed
from shop.platform.actor import Actor
from shop.wallet import pin as wallet_pin


def place(actor: Actor, wish: PlaceOrder, pin: str = "", code: str | None = None) -> tuple[Placed, str | None]:
    """Place the order; the purchase, and where to pay by card (None: paid, or a job is still opening that page).

    Safe to repeat: the same quote gives the same purchase and the same page. Raises as `place_order`, and for the PIN what
    the wallet refuses.
    """
    proof = wallet_pin.require(actor, pin, code) if wish.method is PaymentMethod.WALLET and pin else None
    placed = perform(operations.place_order, actor, wish, proof)
    crashpoint("checkout.after_commit")
    if placed.method is not PaymentMethod.STRIPE or placed.state is not PurchaseState.AWAITING_PAYMENT:
        return placed, None
    return placed, payment_page(placed.payment_id)


def payment_page(payment_id: int) -> str | None:
    """The provider's page for a payment; None while it is being opened, or when there is nothing to pay any more."""
    try:
        return provider.ask_for_page(payment_id)
    except PaymentClosed:
        return None
