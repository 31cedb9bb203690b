"""Asking the provider how things stand, and booking the answer. Called by pages, webhook jobs and the reconciler alike."""

from __future__ import annotations

from shop.kernel.crash import crashpoint
from shop.kernel.db import finish_reading, perform, reading
from shop.models.orders import PaymentMethod
from shop.models.payments import EventState, Payment, PaymentState
from shop.payments import operations as payments
from shop.payments import queries, refunding
from shop.payments.errors import ProviderRefused
from shop.payments.gateway import Stage, gateway
from shop.platform.outbox import TryLater
from shop.settlement import operations
from shop.settlement.operations import Outcome
from shop.settlement.rules import AGAIN_SOON, is_about_dispute, is_about_refund, is_intent


def settle(payment_id: int) -> Outcome:
    """Fetch the provider's object of a payment and apply it. Call it outside any transaction, as often as you like.

    Raises `ProviderUnavailable` when the provider gives no answer; nothing has changed then.
    """
    session_id = _page_of(payment_id)
    if session_id is None:
        return Outcome.KNOWN
    snapshot = gateway().fetch(session_id)
    crashpoint("settlement.fetched")
    outcome = perform(operations.apply, payment_id, snapshot)
    crashpoint("settlement.applied")
    return outcome


def close(payment_id: int) -> Outcome:
    """Let nobody pay this payment any more, then settle it: it has ended, or the money has come after all.

    What the payment was to pay is only let go once the provider says that no money will come.
    """
    payment = reading().get(Payment, payment_id)
    if payment is not None and payment.provider_session is None and perform(operations.close_unopened, payment_id):
        return Outcome.ENDED
    session_id = _page_of(payment_id)
    if session_id is None:
        return Outcome.KNOWN
    snapshot = gateway().fetch(session_id)
    if snapshot.stage in {Stage.OPEN, Stage.REQUIRES_ACTION}:
        gateway().expire_session(session_id)
        crashpoint("settlement.session_expired")
        snapshot = gateway().fetch(session_id)
    return perform(operations.apply, payment_id, snapshot)


def _page_of(payment_id: int) -> str | None:
    """The provider's page of a payment about which there is something to learn; lets go of the connection."""
    session = reading()
    payment = session.get(Payment, payment_id)
    known = payment is None or payment.method is not PaymentMethod.STRIPE or (
        payment.state is PaymentState.SUCCEEDED and payment.provider_fee is not None
    )
    session_id = None if payment is None or known else payment.provider_session
    finish_reading()
    return session_id


def handle_event(event_row_id: int) -> None:
    """Look at the object an event was about, and mark the event as done. The event itself is never believed."""
    event = queries.event(reading(), event_row_id)
    if event is None or event.state is EventState.DONE:
        return
    kind, object_id = event.kind, event.object_id
    crashpoint("settlement.event_taken")
    if is_about_refund(kind):
        _settle_refund_of(object_id)
    else:
        payment_id = _payment_of(object_id)
        if payment_id is not None:
            settle(payment_id)
        if payment_id is not None and is_about_dispute(kind):
            _book_dispute(payment_id)
            perform(operations.note_dispute, payment_id, kind, event_row_id)
    perform(payments.finish_event, event_row_id)


def _payment_of(object_id: str) -> int | None:
    """Our payment of a provider's session or intent. An intent we have not met yet says itself whose it is."""
    payment = queries.by_provider_object(reading(), object_id)
    if payment is None and is_intent(object_id):
        finish_reading()
        try:
            ref = gateway().reference_of_intent(object_id)
        except ProviderRefused:
            ref = None  # no such intent of ours
        payment = queries.by_ref(reading(), ref) if ref else None
    return payment.id if payment is not None else None


def _settle_refund_of(object_id: str) -> None:
    try:
        answer = gateway().fetch_refund(object_id)
    except ProviderRefused:
        return  # no such refund of ours
    refund = queries.refund_by_ref(reading(), answer.our_ref) if answer.our_ref else None
    if refund is not None:
        refunding.take_answer(refund.id, answer)


def _book_dispute(payment_id: int) -> None:
    intent = reading().get_one(Payment, payment_id).provider_intent
    finish_reading()
    if intent is not None:
        perform(operations.book_dispute, payment_id, gateway().dispute_movements(intent))


def return_mismatch(payment_id: int) -> None:
    """Send back an amount that was never asked for; asks again later while it is on its way."""
    payment = reading().get_one(Payment, payment_id)
    ref, intent = f"{payment.ref}-mismatch", payment.provider_intent
    finish_reading()
    if intent is None:
        raise LookupError(f"payment {payment_id} was refused for its amount but has no intent")
    answer = gateway().refund(ref, intent, None)
    if answer.ok is None:
        answer = gateway().fetch_refund(answer.provider_ref)
    if answer.ok is None:
        raise TryLater(AGAIN_SOON)
    if not answer.ok:
        raise LookupError(f"the wrong amount of payment {payment_id} did not go back: {answer.failure_code}")
    perform(operations.mismatch_returned, payment_id)
