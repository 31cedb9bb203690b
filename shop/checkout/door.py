"""The one way from a page or the API to an order: check the PIN, place it, and for a card open the provider's page."""

from __future__ import annotations

from shop.checkout import operations
from shop.checkout.operations import PlaceOrder
from shop.checkout.queries import Placed
from shop.kernel.crash import crashpoint
from shop.kernel.db import perform
from shop.models.orders import PaymentMethod, PurchaseState
from shop.payments import checkout as provider
from shop.payments.errors import PaymentClosed, ProviderRefused, ProviderUnavailable
from shop.platform.actor import Actor
from shop.wallet import pin as wallet_pin


def place(actor: Actor, wish: PlaceOrder, pin: str = "", code: str | None = None) -> tuple[Placed, str | None]:
    """Place the order; the purchase, and where to pay by card (None: paid, or the provider does not answer just now).

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
    """The provider's page for a payment; None when there is none now. The order stays, and can be paid from its own page."""
    try:
        return provider.open_session(payment_id)
    except (PaymentClosed, ProviderUnavailable, ProviderRefused):
        return None
