"""Asking the provider how things stand, and booking the answer. Called by jobs only: of pages, of events, of the reconciler."""

from __future__ import annotations

import logging
from datetime import datetime

from shop.kernel import clock
from shop.kernel.crash import crashpoint
from shop.kernel.db import finish_reading, perform, reading
from shop.models.orders import PaymentMethod
from shop.models.payments import EventState, Payment, PaymentState, Refund
from shop.payments import checkout, queries, refunding
from shop.payments import operations as payments
from shop.payments.errors import PaymentClosed, ProviderRefused, ProviderUnavailable
from shop.payments.gateway import gateway
from shop.payments.rules import OPEN
from shop.payments.snapshots import Snapshot, Stage
from shop.settlement import giving_back, operations
from shop.settlement.operations import Outcome
from shop.settlement.rules import (
    DISPUTES_LAST,
    GIVE_UP_OPENING_AFTER,
    is_about_dispute,
    is_about_refund,
    is_about_refunds_of_charge,
    is_intent,
)

log = logging.getLogger("shop.settlement")


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
        _know_refund(object_id)
    else:
        payment_id = _payment_of(object_id)
        if payment_id is not None:
            settle(payment_id)
        if payment_id is not None and is_about_refunds_of_charge(kind):
            know_refunds(payment_id)
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


def _know_refund(object_id: str) -> None:
    """A refund the provider speaks of: ours takes its answer, one made at the provider's side is read with all of its payment."""
    try:
        answer = gateway().fetch_refund(object_id)
    except ProviderRefused:
        return  # no such refund of ours
    refund = queries.refund_by_ref(reading(), answer.our_ref) if answer.our_ref else None
    if refund is not None:
        refunding.take_answer(refund.id, answer)
        return
    payment_id = _payment_of(answer.intent) if answer.intent else None
    if payment_id is not None:
        settle(payment_id)
        know_refunds(payment_id)


def know_refunds(payment_id: int) -> None:
    """Read all refunds of a payment from the provider, whoever made them, and book what we did not know. As often as you like.

    One that does not fit beside refunds of ours that are still to be sent is the reason those are refused: they are sent first, and
    then planned anew. Raises `ProviderUnavailable` when the provider gives no answer.
    """
    intent = reading().get_one(Payment, payment_id, populate_existing=True).provider_intent
    finish_reading()
    if intent is None:
        return
    made = gateway().refunds_of(intent)
    crashpoint("settlement.refunds_listed")
    if not perform(giving_back.know, payment_id, made):
        unsent = queries.unsent_refunds(reading(), payment_id)
        finish_reading()
        for refund_id in unsent:
            carry_on(refund_id)
        perform(giving_back.know, payment_id, made)
    crashpoint("settlement.refunds_known")


def carry_on(refund_id: int) -> None:
    """Take a refund a step further. The provider's no is booked with its list of what went back already.

    Raises `ProviderUnavailable` when the provider gives no answer.
    """
    reason = refunding.carry_on(refund_id)
    if reason is None:
        return
    crashpoint("settlement.refund_refused")
    session = reading()
    intent = session.get_one(Payment, session.get_one(Refund, refund_id).payment_id).provider_intent
    finish_reading()
    perform(giving_back.refused, refund_id, reason, gateway().refunds_of(intent) if intent is not None else ())


def look_through_refunds(since: datetime) -> None:
    """Find what an event told that never came: every refund the provider made since then is in our books as it stands there."""
    made = gateway().refunds_since(since)
    known = queries.agrees(reading(), made)
    intents = sorted({one.intent for one in made if one.intent and one.provider_ref not in known})
    finish_reading()
    for intent in intents:
        payment_id = _payment_of(intent)
        finish_reading()
        if payment_id is not None:
            know_refunds(payment_id)


def _book_dispute(payment_id: int) -> None:
    intent = reading().get_one(Payment, payment_id).provider_intent
    finish_reading()
    if intent is not None:
        for dispute in gateway().disputes(intent):
            perform(operations.book_dispute, payment_id, dispute)


def look_for_disputes() -> None:
    """Disputes whose events never came: all that can still move money are asked for, and booked if they are not."""
    for dispute in gateway().disputes_since(clock.now() - DISPUTES_LAST):
        payment = queries.by_provider_object(reading(), dispute.intent) if dispute.intent else None
        payment_id = payment.id if payment is not None and payment.state is PaymentState.SUCCEEDED else None
        finish_reading()
        if payment_id is not None:
            perform(operations.find_dispute, payment_id, dispute)


def return_mismatch(payment_id: int) -> bool:
    """Send back an amount that was never asked for; False while it is on its way. What the provider refuses, a person has."""
    payment = reading().get_one(Payment, payment_id)
    ref, intent, is_settled = f"{payment.ref}-mismatch", payment.provider_intent, payment.returned_at or payment.return_refused
    finish_reading()
    if is_settled:
        return True
    try:
        answer = refunding.given_back(ref, intent, None, looks_first=True)
    except ProviderRefused as refusal:
        perform(operations.mismatch_refused, payment_id, str(refusal.details.get("reason", "refused")))
        return True
    if answer.ok is None:
        return False
    if answer.ok:
        perform(operations.mismatch_returned, payment_id)
    else:
        perform(operations.mismatch_refused, payment_id, answer.failure_code or "refused")
    return True


def look_for_fee(payment_id: int) -> None:
    """Ask once more about a payment that came before the provider knew its fee."""
    perform(payments.note_asked, payment_id)
    settle(payment_id)


def look(payment_id: int) -> None:
    """What the page of an open payment wants to know; a payment whose time is over is closed. No answer is written down."""
    payment = reading().get(Payment, payment_id, populate_existing=True)
    if payment is None or payment.state not in OPEN:
        return
    is_over = payment.expires_at is not None and payment.expires_at <= clock.now()
    try:
        (close if is_over else settle)(payment_id)
    except (ProviderUnavailable, ProviderRefused) as refusal:
        log.warning("no news of payment %s: %s", payment_id, refusal.code)
        perform(payments.note_silence, payment_id)


def open_page(payment_id: int, asked_at: datetime) -> bool:
    """Open the page somebody waits for; False: it is to be tried again in a moment. A no of the provider ends the attempt.

    Only the newest question is followed, and not for ever: whoever still waits asks again.
    """
    payment = reading().get(Payment, payment_id, populate_existing=True)
    if payment is None or payment.asked_at != asked_at or payment.provider_url is not None:
        return True
    amount = payment.amount
    try:
        checkout.open_session(payment_id)
    except PaymentClosed:
        return True
    except ProviderUnavailable as refusal:
        log.warning("no page for payment %s: %s", payment_id, refusal.code)
        perform(payments.note_silence, payment_id)
        return asked_at <= clock.now() - GIVE_UP_OPENING_AFTER
    except ProviderRefused as refusal:
        reason = str(refusal.details.get("reason", "refused"))
        log.warning("no page for payment %s: %s, %s", payment_id, refusal.code, reason)
        perform(operations.apply, payment_id, Snapshot(Stage.FAILED, amount, failure_code=reason))
    return True
