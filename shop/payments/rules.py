"""The moves of payments and refunds, and amounts the card provider takes."""

from __future__ import annotations

from datetime import timedelta

from shop.kernel.money import Money
from shop.models.orders import PaymentMethod
from shop.models.payments import PaymentPurpose, PaymentState, RefundState
from shop.payments.errors import CardMinimum

CARD_MINIMUM = Money(400)
CARD_MINUTES = timedelta(minutes=30)

OPEN = (PaymentState.CREATED, PaymentState.REQUIRES_ACTION, PaymentState.PROCESSING)

# From where a payment may come into a state. Money that did arrive wins over anything we had concluded before.
MOVES: dict[PaymentState, tuple[PaymentState, ...]] = {
    PaymentState.REQUIRES_ACTION: (PaymentState.CREATED,),
    PaymentState.PROCESSING: (PaymentState.CREATED, PaymentState.REQUIRES_ACTION),
    PaymentState.SUCCEEDED: (*OPEN, PaymentState.FAILED, PaymentState.CANCELLED),
    PaymentState.FAILED: OPEN,
    PaymentState.CANCELLED: OPEN,
}
UNSETTLED = (RefundState.REQUESTED, RefundState.SENT)

SOURCE = {PaymentPurpose.PURCHASE: "escrow", PaymentPurpose.BILL: "bill_hold"}


def check_amount(method: PaymentMethod, amount: Money) -> None:
    """Refuse what a card cannot carry. Raises `CardMinimum`."""
    if method is PaymentMethod.STRIPE and amount < CARD_MINIMUM:
        raise CardMinimum(minimum=CARD_MINIMUM)


def money_account(purpose: PaymentPurpose, user_id: int) -> str:
    """The account that holds what was paid, from where a refund is taken."""
    return SOURCE.get(purpose, f"wallet:{user_id}")
