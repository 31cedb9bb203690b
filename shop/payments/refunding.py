"""Sending refunds to the provider and taking its answers: intent, call, outcome."""

from __future__ import annotations

from shop.kernel import clock
from shop.kernel.crash import crashpoint
from shop.kernel.db import finish_reading, perform, reading
from shop.kernel.money import Money
from shop.models.payments import Payment, Refund, RefundMethod, RefundState
from shop.payments import operations
from shop.payments.errors import ProviderRefused
from shop.payments.gateway import gateway
from shop.payments.rules import LOOKS_FIRST_AFTER
from shop.payments.snapshots import RefundSnapshot


def carry_on(refund_id: int) -> str | None:
    """Take a refund that is not at its end one step further: send it, or ask how it stands. As often as you like, one refund.

    The reason of the provider's definite no, which the caller books with what else the provider knows of the payment; None otherwise.
    Raises `ProviderUnavailable` when the provider gives no answer; nothing has changed then.
    """
    session = reading()
    refund = session.get(Refund, refund_id, populate_existing=True)
    if refund is None or refund.method is not RefundMethod.STRIPE:
        return None
    intent = session.get_one(Payment, refund.payment_id).provider_intent
    ref, amount, provider_ref, state = refund.ref, refund.amount, refund.provider_ref, refund.state
    is_old = refund.created_at <= clock.now() - LOOKS_FIRST_AFTER
    finish_reading()
    if state is RefundState.SENT and provider_ref is not None:
        take_answer(refund_id, gateway().fetch_refund(provider_ref))
    elif state is RefundState.REQUESTED:
        try:
            answer = given_back(ref, intent, amount, looks_first=is_old)
        except ProviderRefused as refusal:
            return str(refusal.details.get("reason", "refused"))
        crashpoint("payments.refund_asked")
        take_answer(refund_id, answer)
    return None


def given_back(ref: str, intent: str | None, amount: Money | None, *, looks_first: bool) -> RefundSnapshot:
    """The provider's refund under our `ref`, made now if there is none yet. Raises `ProviderRefused`, `ProviderUnavailable`.

    Our reference is the idempotency key, so asking again is harmless for a day; after that only looking shows what was made
    before its answer was lost. A no as well is believed only when no such refund is there.
    """
    if intent is None:
        raise ProviderRefused(reason="no_intent")
    found = gateway().find_refund(ref, intent) if looks_first else None
    if found is not None:
        return found
    try:
        return gateway().refund(ref, intent, amount)
    except ProviderRefused:
        found = None if looks_first else gateway().find_refund(ref, intent)
        if found is None:
            raise
        return found


def take_answer(refund_id: int, answer: RefundSnapshot) -> None:
    """Book what the provider says about a refund."""
    if answer.ok is None:
        perform(operations.keep_refund, refund_id, answer.provider_ref)
    else:
        perform(operations.settle_refund, refund_id, answer.ok, answer.provider_ref, answer.failure_code)
