"""Records of money coming in and going back. What a payment pays for is decided by `shop.settlement`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock, ids
from shop.kernel.db import insert_once, operation, take
from shop.kernel.money import ZERO, Money
from shop.models.orders import PaymentMethod, Purchase
from shop.models.payments import EventState, Payment, PaymentPurpose, PaymentState, ProviderEvent, Refund, RefundState
from shop.payments.errors import NotRefundable, PaymentNotFound, RefundTooLarge
from shop.payments.rules import MOVES, OPEN, UNSETTLED, check_amount, money_account
from shop.platform import audit, notices, outbox
from shop.platform.actor import JOB, Actor
from shop.wallet import operations as wallet
from shop.wallet import queries as ledger
from shop.wallet.operations import TransferKind

REFUND_DUE = "refund_due"


@operation
def start(
    session: Session, actor: Actor, *, purpose: PaymentPurpose, method: PaymentMethod, amount: Money, purchase_id: int | None = None,
    bill_payment_id: int | None = None, expires_at: datetime | None = None, is_paid: bool = False,
) -> Payment:
    """Begin one attempt to pay one thing. `is_paid` records money that moves in this very transaction (wallet, cash).

    Raises `CardMinimum` where a card is to carry less than the provider takes.
    """
    check_amount(method, amount)
    moment = clock.now()
    payment = Payment(
        ref=ids.dated_reference("P", moment), user_id=actor.signed_in_id(), purpose=purpose, purchase_id=purchase_id,
        bill_payment_id=bill_payment_id, method=method, amount=amount, refunded_amount=ZERO, created_at=moment, expires_at=expires_at,
        state=PaymentState.SUCCEEDED if is_paid else PaymentState.CREATED, succeeded_at=moment if is_paid else None,
        closed_at=moment if is_paid else None,
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
def cancel(session: Session, payment_id: int) -> bool:
    """The attempt was given up before any money came; False when it had ended before."""
    return move(session, payment_id, PaymentState.CANCELLED, closed_at=clock.now())


@operation
def cancel_unopened(session: Session, payment_id: int) -> bool:
    """Give up an attempt whose page at the provider nobody has been sent to; False when there is such a page by now."""
    mine = sa.update(Payment).where(Payment.id == payment_id, Payment.state.in_(OPEN), Payment.provider_session.is_(None))
    return take(session, mine.values(state=PaymentState.CANCELLED, closed_at=clock.now()))


@operation
def give_up(session: Session, *, purchase_id: int) -> None:
    """Nobody wants to pay this purchase any more: pages at the provider are closed by a job, the rest ends here."""
    waiting = sa.select(Payment.id).where(Payment.purchase_id == purchase_id, Payment.state.in_(OPEN)).order_by(Payment.id)
    for payment_id in session.scalars(waiting).all():
        if not cancel_unopened(session, payment_id):
            outbox.enqueue(session, "settlement.close", dedupe_key=f"settlement.close:{payment_id}", payment_id=payment_id)


@operation
def keep_session(session: Session, payment_id: int, provider_session: str, url: str) -> bool:
    """Keep where the person pays; False when the payment was closed meanwhile."""
    mine = sa.update(Payment).where(Payment.id == payment_id, Payment.state.in_(OPEN))
    return take(session, mine.values(provider_session=provider_session, provider_url=url))


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
def open_refund(
    session: Session, *, payment_id: int, cause: str, amount: Money, reason: str, sub_order_id: int | None = None,
    source: str | None = None,
) -> Refund:
    """Give `amount` back to where it came from; the same cause twice is one refund, answered as it stands.

    Never above what remains of the payment (`RefundTooLarge`), and only of one that succeeded (`NotRefundable`). To a
    wallet the money goes at once; to a card it waits in `refund_due` while a job sends it; cash waits there for the till.
    `source` is the account that holds the money, where it is not the usual one of the payment's purpose.
    """
    payment = session.get(Payment, payment_id)
    if payment is None:
        raise PaymentNotFound()
    moment = clock.now()
    at_once = payment.method is PaymentMethod.WALLET
    refund_id = insert_once(
        session, Refund, ref=ids.dated_reference("R", moment), payment_id=payment_id, cause=cause, sub_order_id=sub_order_id, amount=amount,
        state=RefundState.SUCCEEDED if at_once else RefundState.REQUESTED, reason=reason, created_at=moment,
        settled_at=moment if at_once else None,
    )
    if refund_id is None:
        return session.scalars(sa.select(Refund).where(Refund.cause == cause)).one()
    remains = sa.update(Payment).where(
        Payment.id == payment_id, Payment.state == PaymentState.SUCCEEDED, Payment.refunded_amount + amount <= Payment.amount
    )
    if not take(session, remains.values(refunded_amount=Payment.refunded_amount + amount)):
        now = session.execute(sa.select(Payment.state, Payment.amount, Payment.refunded_amount).where(Payment.id == payment_id)).one()
        raise RefundTooLarge(left=now.amount - now.refunded_amount) if now.state is PaymentState.SUCCEEDED else NotRefundable()
    wallet.post(
        session, cause=f"refund:{refund_id}" if at_once else f"refund:{refund_id}:requested", kind=TransferKind.REFUND,
        debit=source or money_account(payment.purpose, payment.user_id), credit=f"wallet:{payment.user_id}" if at_once else REFUND_DUE,
        amount=amount, subject=("refund", refund_id),
    )
    if payment.method is PaymentMethod.STRIPE:
        outbox.enqueue(session, "payments.send_refund", dedupe_key=f"payments.send_refund:{refund_id}", refund_id=refund_id)
    return session.get_one(Refund, refund_id)


@operation
def keep_refund(session: Session, refund_id: int, provider_ref: str) -> bool:
    """The provider has taken a refund on and will finish it later."""
    mine = sa.update(Refund).where(Refund.id == refund_id, Refund.state.in_(UNSETTLED))
    return take(session, mine.values(state=RefundState.SENT, provider_ref=provider_ref))


@operation
def settle_refund(session: Session, refund_id: int, ok: bool, provider_ref: str | None = None, failure_code: str = "refused") -> bool:
    """Book the end of a refund: the money left us, or it did not and is held for the person again. False when known before.

    A refund that had succeeded may still come back (the bank sends it back): then the money is ours to return again.
    """
    refund = session.get(Refund, refund_id, with_for_update={"key_share": True}, populate_existing=True)
    if refund is None:
        return False
    known: dict[str, Any] = {"provider_ref": provider_ref} if provider_ref else {}
    before = UNSETTLED if ok else (*UNSETTLED, RefundState.SUCCEEDED)
    had_succeeded = refund.state is RefundState.SUCCEEDED
    mine = sa.update(Refund).where(Refund.id == refund_id, Refund.state.in_(before))
    state = RefundState.SUCCEEDED if ok else RefundState.FAILED
    if not take(session, mine.values(state=state, settled_at=clock.now(), failure_code=None if ok else failure_code, **known)):
        return False
    payment = session.get_one(Payment, refund.payment_id)
    carrier = _carrier(session, payment)
    if ok:
        wallet.post(
            session, cause=f"refund:{refund_id}:sent", kind=TransferKind.REFUND, debit=REFUND_DUE, credit=carrier, amount=refund.amount,
            subject=("refund", refund_id),
        )
        return True
    source = ledger.debit_code_of(session, f"refund:{refund_id}:requested")
    if source is None:
        raise LookupError(f"refund {refund_id} failed but was never asked for")
    wallet.post(
        session, cause=f"refund:{refund_id}:failed", kind=TransferKind.CORRECTION, debit=carrier if had_succeeded else REFUND_DUE,
        credit=source, amount=refund.amount, subject=("refund", refund_id),
    )
    session.execute(
        sa.update(Payment).where(Payment.id == payment.id).values(refunded_amount=Payment.refunded_amount - refund.amount)
    )
    audit.record(session, JOB, "refund.failed", "refund", refund_id, amount=refund.amount.fen, failure_code=failure_code)
    notices.post(
        session, payment.user_id, "payment.refund_failed", dedupe_key=f"refund:{refund_id}:failed", link=f"/payments/{payment.ref}",
        amount=str(refund.amount),
    )
    return True


def _carrier(session: Session, payment: Payment) -> str:
    """Through which account money leaves: the provider's, or the till of the point where cash was paid."""
    if payment.method is PaymentMethod.CASH:
        point = session.scalar(sa.select(Purchase.pickup_point_id).where(Purchase.id == payment.purchase_id))
        return f"cash:{point}"
    return "provider"


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
