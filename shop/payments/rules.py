"""The moves of payments and refunds, and amounts the card provider takes."""

from __future__ import annotations

from datetime import datetime, timedelta

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
OPENING_AGAIN_AFTER = timedelta(seconds=60)
"""After this a page that is still not there is asked for anew: the job that was to open it may be lost."""
NEWS_EVERY = timedelta(seconds=3)
UNANSWERED_AFTER = timedelta(seconds=15)
"""A question without an answer has ended by then: longer than one call may take."""
SLOW_AFTER = timedelta(seconds=5)
WAITED_FOR = timedelta(minutes=2)
"""Whoever asks again within this has waited since they asked before; later they come anew."""
NEWS_LASTS = timedelta(seconds=20)
LOOK_FOR_FEE_AFTER = timedelta(minutes=2)
FEE_EVERY = timedelta(hours=1)
FEE_IS_LATE_AFTER = timedelta(days=1)
"""From then on a fee is asked for once a day, and people see that it is missing."""
FEE_EVERY_DAY = timedelta(days=1)
FEE_FOLLOWS_WITHIN = timedelta(days=30)
"""From then on it is not asked for any more: a person has it."""
LOOKS_FIRST_AFTER = timedelta(minutes=10)
"""From this age on a refund is looked for before it is asked for: the provider forgets idempotency keys after a day."""

UNSETTLED = (RefundState.REQUESTED, RefundState.SENT)

TAKEN_AGAIN = "taken_again"
"""Why a refund stands as failed that had put too much into a wallet: it was booked back, and nobody has to look after it."""

GIVEN_TWICE = "given_twice"
"""Why a refund that went into a wallet or by transfer stands as failed: the provider gave its money back once more, and carries it on."""

SOURCE = {PaymentPurpose.PURCHASE: "escrow", PaymentPurpose.BILL: "bill_hold"}


def check_amount(method: PaymentMethod, amount: Money) -> None:
    """Refuse what a card cannot carry. Raises `CardMinimum`."""
    if method is PaymentMethod.STRIPE and amount < CARD_MINIMUM:
        raise CardMinimum(minimum=CARD_MINIMUM)


def money_account(purpose: PaymentPurpose, user_id: int) -> str:
    """The account that holds what was paid, from where a refund is taken."""
    return SOURCE.get(purpose, f"wallet:{user_id}")


def should_ask_for_page(asked_at: datetime | None, moment: datetime) -> bool:
    """Whether to ask for a page that is not there yet: nobody has, or that was so long ago that it may be lost."""
    return asked_at is None or asked_at <= moment - OPENING_AGAIN_AFTER


def should_ask_for_news(asked_at: datetime | None, answered_at: datetime | None, moment: datetime) -> bool:
    """Whether to ask how a payment stands: the last question is answered and some seconds old, or came to nothing."""
    if asked_at is None:
        return True
    return asked_at <= moment - (NEWS_EVERY if is_answered(asked_at, answered_at) else UNANSWERED_AFTER)


def is_answered(asked_at: datetime | None, answered_at: datetime | None) -> bool:
    """Whether the last question has its answer."""
    return asked_at is None or (answered_at is not None and answered_at >= asked_at)


def is_silent(asked_at: datetime | None, answered_at: datetime | None, silent_since: datetime | None, moment: datetime) -> bool:
    """Whether the provider gives no answer, or takes longer than people expect."""
    if silent_since is not None:
        return True
    return asked_at is not None and not is_answered(asked_at, answered_at) and asked_at <= moment - SLOW_AFTER


def is_looked_for(asked_at: datetime | None, answered_at: datetime | None) -> bool:
    """Whether a question is under way, and what is known from before is too old to be shown meanwhile."""
    if asked_at is None or is_answered(asked_at, answered_at):
        return False
    return answered_at is None or answered_at < asked_at - NEWS_LASTS
