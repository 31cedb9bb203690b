"""Sending refunds to the provider and taking its answers: intent, call, outcome."""

from __future__ import annotations

from shop.kernel.crash import crashpoint
from shop.kernel.db import finish_reading, perform, reading
from shop.models.payments import Payment, Refund, RefundState
from shop.payments import operations
from shop.payments.errors import ProviderRefused
from shop.payments.gateway import RefundSnapshot, gateway


def send(refund_id: int) -> None:
    """Ask the provider to give money back. Its idempotency key is our reference, so asking again is harmless."""
    session = reading()
    refund = session.get(Refund, refund_id)
    if refund is None or refund.state is not RefundState.REQUESTED:
        return
    intent = session.get_one(Payment, refund.payment_id).provider_intent
    ref, amount = refund.ref, refund.amount
    finish_reading()
    if intent is None:
        raise LookupError(f"refund {refund_id} is of a payment without an intent")
    try:
        answer = gateway().refund(ref, intent, amount)
    except ProviderRefused as refusal:
        perform(operations.settle_refund, refund_id, False, failure_code=str(refusal.details.get("reason", "refused")))
        return
    crashpoint("payments.refund_asked")
    take_answer(refund_id, answer)


def ask(refund_id: int) -> None:
    """Ask how a refund stands that the provider had taken on."""
    refund = reading().get(Refund, refund_id)
    if refund is None or refund.provider_ref is None:
        return
    provider_ref = refund.provider_ref
    finish_reading()
    take_answer(refund_id, gateway().fetch_refund(provider_ref))


def take_answer(refund_id: int, answer: RefundSnapshot) -> None:
    """Book what the provider says about a refund."""
    if answer.ok is None:
        perform(operations.keep_refund, refund_id, answer.provider_ref)
    else:
        perform(operations.settle_refund, refund_id, answer.ok, answer.provider_ref, answer.failure_code)
