"""Attempts to pay and what the provider told us. What a payment pays for is decided by `shop.settlement`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock, ids
from shop.kernel.db import insert_once, operation, take
from shop.kernel.money import ZERO, Money
from shop.models.orders import PaymentMethod
from shop.models.payments import (
    EventState,
    MovementKind,
    Payment,
    PaymentPurpose,
    PaymentState,
    ProviderEvent,
    ProviderMovement,
)
from shop.payments.foreign import Movement, currency_of, minor_of
from shop.payments.rules import (
    MOVES,
    NEWS_EVERY,
    OPEN,
    OPENING_AGAIN_AFTER,
    UNANSWERED_AFTER,
    WAITED_FOR,
    check_amount,
)
from shop.platform import outbox, pauses
from shop.platform.actor import Actor
from shop.platform.belonging import belonging_to, community_of
from shop.wallet import operations as wallet
from shop.wallet.operations import TransferKind


@operation
def start(
    session: Session, actor: Actor, *, purpose: PaymentPurpose, method: PaymentMethod, amount: Money, purchase_id: int | None = None,
    bill_payment_id: int | None = None, expires_at: datetime | None = None, is_paid: bool = False, community_id: int | None = None,
) -> Payment:
    """Begin one attempt to pay one thing. `is_paid` records money that moves in this very transaction (wallet, cash).
    `community_id` is that of what is paid, where it is at hand; else it is looked up. What is paid for nothing but the person is
    where the person collects.

    Raises `CardMinimum` where a card is to carry less than the provider takes, `SendingPaused` for a card after a restore.
    """
    check_amount(method, amount)
    if method is PaymentMethod.STRIPE:
        pauses.check_open(session)
    moment = clock.now()
    belongs: Any = community_id
    if belongs is None and purchase_id is not None:
        belongs = community_of("purchase", purchase_id)
    elif belongs is None and bill_payment_id is not None:
        belongs = community_of("bill_payment", bill_payment_id)
    elif belongs is None:
        belongs = community_of("user", actor.signed_in_id())
    payment = Payment(
        ref=ids.dated_reference("P", moment), user_id=actor.signed_in_id(), community_id=belongs, purpose=purpose, purchase_id=purchase_id,
        bill_payment_id=bill_payment_id, method=method, amount=amount, refunded_amount=ZERO, created_at=moment, expires_at=expires_at,
        state=PaymentState.SUCCEEDED if is_paid else PaymentState.CREATED, succeeded_at=moment if is_paid else None,
        closed_at=moment if is_paid else None, pays_purchase=is_paid and purpose is PaymentPurpose.PURCHASE,
    )
    session.add(payment)
    session.flush()
    return payment


def move(session: Session, payment_id: int, state: PaymentState, **values: Any) -> bool:
    """Compare-and-set into a state along `rules.MOVES`; False when the payment is not where that move begins."""
    mine = sa.update(Payment).where(Payment.id == payment_id, Payment.state.in_(MOVES[state]))
    return take(session, mine.values(state=state, **values))


@operation
def succeed(session: Session, payment_id: int, *, intent: str | None = None) -> bool:
    """The money has arrived; False when that was known. Also after `failed` or `cancelled`: money that came did come."""
    moment = clock.now()
    known: dict[str, Any] = {"provider_intent": intent} if intent else {}
    return move(session, payment_id, PaymentState.SUCCEEDED, succeeded_at=moment, closed_at=moment, failure_code=None, **known)


@operation
def pay_purchase(session: Session, payment_id: int) -> None:
    """The purchase has the money of this payment, and of no other: what goes back of it goes back here."""
    session.execute(sa.update(Payment).where(Payment.id == payment_id).values(pays_purchase=True))


@operation
def progress(session: Session, payment_id: int, state: PaymentState, intent: str | None = None) -> bool:
    """The provider waits for the person (`requires_action`) or for the bank (`processing`); False when it is further on."""
    known: dict[str, Any] = {"provider_intent": intent} if intent else {}
    return move(session, payment_id, state, **known)


@operation
def fail(session: Session, payment_id: int, failure_code: str, intent: str | None = None) -> bool:
    """The attempt ended without money; False when it had ended before."""
    known: dict[str, Any] = {"provider_intent": intent} if intent else {}
    return move(session, payment_id, PaymentState.FAILED, failure_code=failure_code, closed_at=clock.now(), **known)


@operation
def reject(session: Session, payment_id: int, failure_code: str, intent: str | None) -> bool:
    """What arrived is not what was asked for: the payment has failed for good. False when that was known, or it is paid."""
    mine = sa.update(Payment).where(
        Payment.id == payment_id, Payment.state != PaymentState.SUCCEEDED,
        sa.or_(Payment.failure_code.is_(None), Payment.failure_code != failure_code),
    )
    return take(session, mine.values(state=PaymentState.FAILED, failure_code=failure_code, provider_intent=intent, closed_at=clock.now()))


@operation
def note_returned(session: Session, payment_id: int) -> None:
    """What was refused has gone back to where it came from."""
    mine = sa.update(Payment).where(Payment.id == payment_id, Payment.returned_at.is_(None))
    session.execute(mine.values(returned_at=clock.now(), return_refused=None))


@operation
def note_return_refused(session: Session, payment_id: int, reason: str) -> bool:
    """The provider does not take back what was refused; False when that was known, or it has gone back."""
    mine = sa.update(Payment).where(Payment.id == payment_id, Payment.returned_at.is_(None), Payment.return_refused.is_(None))
    return take(session, mine.values(return_refused=reason))


@operation
def cancel(session: Session, payment_id: int) -> bool:
    """The attempt was given up before any money came; False when it had ended before."""
    return move(session, payment_id, PaymentState.CANCELLED, closed_at=clock.now())


@operation
def cancel_unopened(session: Session, payment_id: int) -> bool:
    """Give up an attempt whose page at the provider nobody has been sent to; False when there is such a page by now."""
    mine = sa.update(Payment).where(Payment.id == payment_id, Payment.state.in_(OPEN), Payment.provider_session.is_(None))
    return take(session, mine.values(state=PaymentState.CANCELLED, closed_at=clock.now()))


@operation
def give_up(session: Session, *, purchase_id: int | None = None, payment_id: int | None = None) -> bool:
    """Nobody wants to pay this purchase, or go on with this payment, any more. True when all of it ended here.

    A page at the provider is closed by a job, and the payment with it.
    """
    which = Payment.purchase_id == purchase_id if purchase_id is not None else Payment.id == payment_id
    ended = True
    for waiting in session.scalars(sa.select(Payment.id).where(which, Payment.state.in_(OPEN)).order_by(Payment.id)).all():
        if not cancel_unopened(session, waiting):
            key = f"settlement.close:{waiting}"
            outbox.enqueue(session, "settlement.close", dedupe_key=key, about=("payment", waiting), payment_id=waiting)
            ended = False
    return ended


@operation
def keep_opening(session: Session, payment_id: int, opening: dict[str, Any]) -> dict[str, Any]:
    """Keep what the page is opened with, for good; what was kept, now or before."""
    session.execute(sa.update(Payment).where(Payment.id == payment_id, Payment.opening.is_(sa.null())).values(opening=opening))
    return dict(session.scalars(sa.select(Payment.opening).where(Payment.id == payment_id)).one() or opening)


@operation
def ask_for_page(session: Session, payment_id: int, opening: dict[str, Any]) -> bool:
    """Have a job open the page of a payment; False when that was asked for just now, or the page is there."""
    moment = clock.now()
    keep_opening(session, payment_id, opening)
    mine = sa.update(Payment).where(
        Payment.id == payment_id, Payment.state.in_(OPEN), Payment.provider_session.is_(None),
        sa.or_(Payment.asked_at.is_(None), Payment.asked_at <= moment - OPENING_AGAIN_AFTER),
    )
    return take(session, mine.values(_asked_anew(moment))) and _ask(session, "settlement.open_page", payment_id, moment)


@operation
def ask_for_news(session: Session, payment_id: int) -> bool:
    """Have a job ask how an open payment stands; False when somebody asked just now. The row decides who of many does."""
    moment = clock.now()
    is_answered = sa.and_(Payment.answered_at >= Payment.asked_at, Payment.asked_at <= moment - NEWS_EVERY)
    mine = sa.update(Payment).where(
        Payment.id == payment_id, Payment.state.in_(OPEN), Payment.provider_session.is_not(None),
        sa.or_(Payment.asked_at.is_(None), is_answered, Payment.asked_at <= moment - UNANSWERED_AFTER),
    )
    return take(session, mine.values(_asked_anew(moment))) and _ask(session, "settlement.look", payment_id, moment)


def _asked_anew(moment: datetime) -> dict[Any, Any]:
    """A question put now. Where somebody waited for an answer to the one before, there has been none since that."""
    no_answer = sa.or_(Payment.answered_at.is_(None), Payment.answered_at < Payment.asked_at)
    waited = sa.and_(Payment.asked_at > moment - WAITED_FOR, no_answer)
    since = sa.case((waited, sa.func.coalesce(Payment.silent_since, Payment.asked_at)), else_=Payment.silent_since)
    return {Payment.asked_at: moment, Payment.silent_since: since}


def _ask(session: Session, kind: str, payment_id: int, moment: datetime) -> bool:
    """Write the job of a question; always True."""
    asked_at = moment.isoformat()
    key = f"{kind}:{payment_id}:{asked_at}"
    outbox.enqueue(session, kind, dedupe_key=key, about=("payment", payment_id), payment_id=payment_id, asked_at=asked_at)
    return True


@operation
def note_answer(session: Session, payment_id: int) -> None:
    """The provider has said how an open payment stands."""
    session.execute(sa.update(Payment).where(Payment.id == payment_id).values(answered_at=clock.now(), silent_since=None))


@operation
def note_asked(session: Session, payment_id: int) -> None:
    """The provider is asked about a payment that is paid already."""
    session.execute(sa.update(Payment).where(Payment.id == payment_id).values(asked_at=clock.now()))


@operation
def note_silence(session: Session, payment_id: int) -> None:
    """The provider gave no answer about an open payment; since when is kept until it does."""
    mine = sa.update(Payment).where(Payment.id == payment_id, Payment.state.in_(OPEN), Payment.silent_since.is_(None))
    session.execute(mine.values(silent_since=clock.now()))


@operation
def keep_session(session: Session, payment_id: int, provider_session: str, url: str) -> bool:
    """Keep where the person pays; False when the payment was closed meanwhile. Nobody has asked for news yet."""
    mine = sa.update(Payment).where(Payment.id == payment_id, Payment.state.in_(OPEN))
    return take(session, mine.values(provider_session=provider_session, provider_url=url, asked_at=None, silent_since=None))


@operation
def keep_fee(session: Session, payment_id: int, fee: Money) -> None:
    """Book what the provider kept of a payment, once, whenever it first says so."""
    unknown = sa.update(Payment).where(Payment.id == payment_id, Payment.provider_fee.is_(None))
    if take(session, unknown.values(provider_fee=fee)) and fee:
        wallet.post(
            session, cause=f"payment:{payment_id}:fee", kind=TransferKind.PROVIDER_FEE, debit="provider_fee", credit="provider",
            amount=fee, subject=("payment", payment_id),
        )


@operation
def note_movement(session: Session, payment_id: int, kind: MovementKind, movement: Movement, source_ref: str | None = None) -> bool:
    """Keep what moved at the provider, as the provider states it, beside what it is in yuan; False when that is known.

    What was kept without being known in yuan is filled in as soon as the provider says it.
    """
    row_id = insert_once(
        session, ProviderMovement, community_id=belonging_to("payment", payment_id), payment_id=payment_id, kind=kind,
        provider_ref=movement.provider_ref, source_ref=source_ref,
        currency=currency_of(movement.amount), amount=minor_of(movement.amount), fee=minor_of(movement.fee),
        source_currency=currency_of(movement.source), source_amount=minor_of(movement.source), exchange_rate=movement.rate,
        booked_amount=movement.booked, booked_fee=movement.booked_fee, noted_at=clock.now(),
    )
    if row_id is not None or movement.booked is None or movement.booked_fee is None:
        return row_id is not None
    unbooked = sa.update(ProviderMovement).where(
        ProviderMovement.provider_ref == movement.provider_ref,
        sa.or_(ProviderMovement.booked_amount.is_(None), ProviderMovement.booked_fee.is_(None)),
    )
    return take(
        session,
        unbooked.values(
            source_currency=currency_of(movement.source), source_amount=minor_of(movement.source), exchange_rate=movement.rate,
            booked_amount=movement.booked, booked_fee=movement.booked_fee,
        ),
    )  # fmt: skip


@operation
def say_movement(session: Session, provider_ref: str, amount: Money, fee: Money) -> ProviderMovement | None:
    """A person says what a movement is in yuan that the provider does not explain; None when it is known, or there is none such."""
    unbooked = sa.update(ProviderMovement).where(
        ProviderMovement.provider_ref == provider_ref,
        sa.or_(ProviderMovement.booked_amount.is_(None), ProviderMovement.booked_fee.is_(None)),
    )
    if not take(session, unbooked.values(booked_amount=amount, booked_fee=fee, is_by_hand=True)):
        return None
    return session.scalars(sa.select(ProviderMovement).where(ProviderMovement.provider_ref == provider_ref)).one()


@operation
def receive_event(session: Session, provider: str, event_id: str, kind: str, object_id: str) -> bool:
    """Keep what the provider told us, once, and have it looked into; False when it was told before."""
    row_id = insert_once(
        session, ProviderEvent, provider=provider, event_id=event_id, kind=kind, object_id=object_id, state=EventState.RECEIVED,
        received_at=clock.now(),
    )
    if row_id is None:
        return False
    outbox.enqueue(session, "settlement.handle_event", dedupe_key=f"settlement.handle_event:{row_id}", event_row_id=row_id)
    return True


@operation
def finish_event(session: Session, row_id: int) -> None:
    """The event has been looked into."""
    session.execute(sa.update(ProviderEvent).where(ProviderEvent.id == row_id).values(state=EventState.DONE, processed_at=clock.now()))
