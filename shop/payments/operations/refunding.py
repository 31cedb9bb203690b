"""Money going back: asked for, sent, arrived or not, carried on, made by the provider's own hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock, ids
from shop.kernel.db import insert_once, operation, take
from shop.kernel.errors import NotFound
from shop.kernel.money import ZERO, Money
from shop.models.orders import Purchase
from shop.models.payments import Payment, PaymentPurpose, PaymentState, Refund, RefundMethod, RefundOrigin, RefundState
from shop.payments.errors import AlreadyLookedAfter, NotRefundable, PaymentNotFound, RefundTooLarge
from shop.payments.rules import GIVEN_TWICE, UNSETTLED, money_account
from shop.payments.snapshots import RefundSnapshot
from shop.payments.tags import Done
from shop.platform import audit, notices, outbox
from shop.platform.actor import JOB, Actor
from shop.platform.own import refuse_own
from shop.wallet import operations as wallet
from shop.wallet import queries as ledger
from shop.wallet.operations import TransferKind

REFUND_DUE = "refund_due"


@operation
def open_refund(
    session: Session, *, payment_id: int, cause: str, amount: Money, reason: str, sub_order_id: int | None = None,
    source: str | None = None, method: RefundMethod | None = None, replaces_id: int | None = None, made: RefundSnapshot | None = None,
) -> Refund:
    """Give `amount` back, as a rule to where it came from; the same cause twice is one refund, answered as it stands.

    Never above what remains of the payment (`RefundTooLarge`), and only of one that succeeded (`NotRefundable`). To a
    wallet the money goes at once; to a card it waits in `refund_due` while a job sends it; cash waits there for the till.
    `source` is the account that holds the money, where it is not the usual one of the payment's purpose. `made` is a refund
    the provider has made already: nothing is sent, its end is booked by `settle_refund`. `replaces_id` see `carry_on`.
    """
    payment = session.get(Payment, payment_id)
    if payment is None:
        raise PaymentNotFound()
    moment = clock.now()
    way = method or RefundMethod(payment.method.value)
    at_once = way is RefundMethod.WALLET
    state = RefundState.SUCCEEDED if at_once else RefundState.SENT if made else RefundState.REQUESTED
    refund_id = insert_once(
        session, Refund, ref=ids.dated_reference("R", moment), community_id=payment.community_id, payment_id=payment_id, cause=cause,
        sub_order_id=sub_order_id, amount=amount,
        state=state, reason=reason, method=way, origin=RefundOrigin.PROVIDER if made else RefundOrigin.SHOP,
        provider_ref=made.provider_ref if made else None, replaces_id=replaces_id, carried_on=ZERO, created_at=moment,
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
    if way is RefundMethod.STRIPE and made is None:
        key = f"payments.send_refund:{refund_id}"
        outbox.enqueue(session, "payments.send_refund", dedupe_key=key, about=("refund", refund_id), refund_id=refund_id)
    return session.get_one(Refund, refund_id)


@operation
def carry_on(
    session: Session, refund_id: int, *, amount: Money, method: RefundMethod, reason: str = "", cause: str = "",
    made: RefundSnapshot | None = None,
) -> Refund:
    """Give back what a refund that failed still holds, or part of it, by this way or another: the money moves once, however often asked.

    Raises `AlreadyLookedAfter` when less than `amount` of it is left to be carried on, or it has not failed; `WalletNotOpen`.
    """
    mine = sa.update(Refund).where(Refund.id == refund_id, Refund.state == RefundState.FAILED, Refund.carried_on + amount <= Refund.amount)
    if not take(session, mine.values(carried_on=Refund.carried_on + amount)):
        raise AlreadyLookedAfter()
    failed = session.get_one(Refund, refund_id, populate_existing=True)
    source = _source_of(session, refund_id)
    return open_refund(
        session, payment_id=failed.payment_id, cause=cause or f"{failed.cause}:on:{refund_id}:{failed.carried_on.fen}", amount=amount,
        reason=reason or failed.reason, sub_order_id=failed.sub_order_id, source=source, method=method, replaces_id=refund_id, made=made,
    )  # fmt: skip


def _source_of(session: Session, refund_id: int) -> str | None:
    """The account a refund was taken from."""
    asked = ledger.debit_code_of(session, f"refund:{refund_id}:requested")
    return asked or ledger.debit_code_of(session, f"refund:{refund_id}")


@operation
def given_twice(session: Session, refund_id: int) -> bool:
    """The provider gave back once more what had gone into a wallet or by transfer: its refund is to carry this one on, and what left us
    a second time comes out of suspense. False when this one went to the card, or has not arrived.
    """
    went = sa.update(Refund).where(Refund.id == refund_id, Refund.state == RefundState.SUCCEEDED, Refund.method != RefundMethod.STRIPE)
    if not take(session, went.values(state=RefundState.FAILED, failure_code=GIVEN_TWICE, settled_at=clock.now())):
        return False
    refund = session.get_one(Refund, refund_id, populate_existing=True)
    source = _source_of(session, refund_id)
    if source is None:
        raise LookupError(f"refund {refund_id} was never asked for")
    wallet.post(
        session, cause=f"refund:{refund_id}:{GIVEN_TWICE}", kind=TransferKind.CORRECTION, debit="suspense", credit=source,
        amount=refund.amount, subject=("refund", refund_id),
    )
    less = sa.update(Payment).where(Payment.id == refund.payment_id)
    session.execute(less.values(refunded_amount=Payment.refunded_amount - refund.amount))
    return True


@operation
def went_before(session: Session, refund_id: int) -> None:
    """What the provider did not give back of a refund that it `given_twice` stands as before: it went the way it went, and only once."""
    twice = session.get_one(Refund, refund_id, populate_existing=True)
    left = twice.amount - twice.carried_on
    if not left:
        return
    again = carry_on(session, refund_id, amount=left, method=twice.method)
    if again.state is not RefundState.SUCCEEDED:
        settle_refund(session, again.id, True)
    payment = session.get_one(Payment, twice.payment_id)
    by = f"wallet:{payment.user_id}" if twice.method is RefundMethod.WALLET else _carrier(session, payment, twice.method)
    wallet.post(
        session, cause=f"refund:{again.id}:went_before", kind=TransferKind.CORRECTION, debit=by, credit="suspense", amount=left,
        subject=("payment", payment.id),
    )


@operation
def keep_refund(session: Session, refund_id: int, provider_ref: str) -> bool:
    """The provider has taken a refund on and will finish it later."""
    mine = sa.update(Refund).where(Refund.id == refund_id, Refund.state.in_(UNSETTLED))
    return take(session, mine.values(state=RefundState.SENT, provider_ref=provider_ref))


@operation
def settle_refund(
    session: Session, refund_id: int, ok: bool, provider_ref: str | None = None, failure_code: str = "refused", *, quietly: bool = False
) -> bool:
    """Book the end of a refund: the money left us, or it did not and is held for the person again. False when known before.

    A refund that had succeeded may still come back (the bank sends it back): then the money is ours to return again. What failed
    is with a person from then on, and its owner is told; `quietly` where it is planned anew in the same transaction.
    """
    refund = session.get(Refund, refund_id, with_for_update={"key_share": True}, populate_existing=True)
    if refund is None:
        return False
    moment = clock.now()
    known: dict[str, Any] = {"provider_ref": provider_ref} if provider_ref else {}
    before = UNSETTLED if ok else (*UNSETTLED, RefundState.SUCCEEDED)
    had_succeeded = refund.state is RefundState.SUCCEEDED
    mine = sa.update(Refund).where(Refund.id == refund_id, Refund.state.in_(before))
    end: dict[str, Any] = {"state": RefundState.SUCCEEDED, "failure_code": None, "handed_over_at": Refund.uncovered_at}
    if not ok:
        person_since = None if quietly else moment
        end = {"state": RefundState.FAILED, "failure_code": failure_code, "handed_over_at": person_since, "uncovered_at": None}
    if not take(session, mine.values(**end, settled_at=moment, **known)):
        return False
    payment = session.get_one(Payment, refund.payment_id)
    carrier = _carrier(session, payment, refund.method)
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
    if quietly:
        return True
    audit.record(session, JOB, Done.REFUND_FAILED, "refund", refund_id, amount=refund.amount.fen, failure_code=failure_code)
    notices.post(
        session, payment.user_id, "payment.refund_failed", dedupe_key=f"refund:{refund_id}:failed", link=f"/payments/{payment.ref}",
        amount=str(refund.amount),
    )
    return True


def _carrier(session: Session, payment: Payment, way: RefundMethod) -> str:
    """Through which account money leaves: the provider's, our bank's, or the till of the point where cash was paid."""
    if way is RefundMethod.CASH:
        point = session.scalar(sa.select(Purchase.pickup_point_id).where(Purchase.id == payment.purchase_id))
        return f"cash:{point}"
    return "bank" if way is RefundMethod.BANK else "provider"


@operation
def hand_over_slow(session: Session, refund_ids: Sequence[int]) -> int:
    """Refunds that are on their way for longer than they may take are with a person from now on; how many there are."""
    moment = clock.now()
    slow = sa.update(Refund).where(Refund.id.in_(refund_ids), Refund.state.in_(UNSETTLED), Refund.handed_over_at.is_(None))
    handed_over = session.scalars(slow.values(handed_over_at=moment).returning(Refund.id)).all()
    audit.record_each(session, JOB, Done.REFUND_HANDED_OVER, "refund", handed_over)
    return len(handed_over)


@operation
def note_uncovered(session: Session, refund_id: int) -> None:
    """The provider gave back what we no longer hold for anybody: a person sees how we get it back."""
    moment = clock.now()
    session.execute(sa.update(Refund).where(Refund.id == refund_id).values(uncovered_at=moment, handed_over_at=moment))


@operation
def cover_from(session: Session, payment_id: int, most: Money, source: str, *, subject: tuple[str, int]) -> Money:
    """What the provider gave back of a payment out of nobody's money is covered by the account `source` after all, the oldest first,
    as far as `most` goes; how much that was. Once for each `subject`.
    """
    session.execute(sa.select(Payment.id).where(Payment.id == payment_id).with_for_update(key_share=True))
    uncovered = sa.select(Refund.id, Refund.amount).where(
        Refund.payment_id == payment_id, Refund.uncovered_at.is_not(None), Refund.state != RefundState.FAILED
    )
    used = ZERO
    for row in session.execute(uncovered.order_by(Refund.id)).all():
        lacking = row.amount - ledger.total_of_causes(session, f"refund:{row.id}:covered:")
        piece = min(lacking, most - used)
        if not piece:
            break
        wallet.post(
            session, cause=f"refund:{row.id}:covered:{subject[0]}:{subject[1]}", kind=TransferKind.CORRECTION, debit=source,
            credit="suspense", amount=piece, subject=subject,
        )
        audit.record(session, JOB, Done.REFUND_COVERED, "refund", row.id, amount=piece.fen)
        if piece == lacking:
            session.execute(sa.update(Refund).where(Refund.id == row.id).values(uncovered_at=None))
        used += piece
    return used


@operation
def cover(session: Session, actor: Actor, ref: str) -> Money:
    """Take from a wallet what the provider gave back of its top-up when the wallet no longer held it, or of an order although it had
    gone back another way; how much that was.

    All of it or nothing: raises `InsufficientFunds` while the wallet holds less, `AlreadyLookedAfter` when it is covered, `NotFound`,
    `OwnDeed` for the owner of the wallet.
    """
    row = session.execute(
        sa.select(Refund.id, Refund.amount, Refund.payment_id, Payment.user_id, Payment.purpose, Payment.ref)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Refund.ref == ref)
    ).one_or_none()
    if row is None:
        raise NotFound()
    refuse_own(actor, row.user_id)
    mine = sa.update(Refund).where(Refund.id == row.id, Refund.uncovered_at.is_not(None), Refund.state != RefundState.FAILED)
    if row.purpose is PaymentPurpose.BILL or not take(session, mine.values(uncovered_at=None)):
        raise AlreadyLookedAfter()
    wallet.post(
        session, cause=f"refund:{row.id}:covered", kind=TransferKind.CORRECTION, debit=f"wallet:{row.user_id}", credit="suspense",
        amount=row.amount, subject=("payment", row.payment_id),
    )
    audit.record(session, actor, Done.REFUND_COVERED, "refund", row.id, amount=row.amount.fen)
    notices.post(
        session, row.user_id, "payment.refund_covered", dedupe_key=f"refund:{row.id}:covered", link=f"/payments/{row.ref}",
        amount=str(row.amount),
    )
    return Money(row.amount.fen)
