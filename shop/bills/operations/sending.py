"""Handing a held payment to its biller and finding out what became of it: intent, call, outcome.

`begin` writes down that a call is about to be made, `finish` what it brought; the call itself is between them, in a job.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.bills import queries, rules
from shop.bills.answers import Answer, Order
from shop.bills.errors import BillPaymentNotFound
from shop.bills.operations.payments import free_bills
from shop.bills.permissions import BillPermission
from shop.bills.tags import Done
from shop.kernel import clock
from shop.kernel.crash import crashpoint
from shop.kernel.db import operation, take
from shop.models.accounts import RoleGrant, User
from shop.models.bills import (
    AttemptKind,
    AttemptOutcome,
    Bill,
    BillAttempt,
    Biller,
    BillPayment,
    BillPaymentItem,
    BillPaymentState,
    BillState,
)
from shop.payments import operations as payments
from shop.platform import audit, notices, outbox
from shop.platform.actor import JOB, Actor
from shop.platform.grants import holders
from shop.wallet import operations as wallet
from shop.wallet.operations import TransferKind

IS_OPEN = (BillPaymentState.SENDING, BillPaymentState.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Call:
    """One call about to be made: what to say to whom, and under which number it was written down."""

    payment_id: int
    attempt_id: int
    number: int
    kind: AttemptKind
    biller: str
    order: Order


@operation
def begin(session: Session, payment_id: int, settle_window: timedelta) -> Call | None:
    """Write down the next call about a payment, if one is to be made now; None otherwise.

    Two workers at once: one of them gets None. Until the lease of the call is over nobody else begins another.
    """
    payment = session.get(BillPayment, payment_id)
    if payment is None:
        return None
    moment = clock.now()
    kind = rules.next_move(queries.standing_of(session, payment), settle_window, moment)
    if kind is None:
        return None
    number = payment.attempts + 1
    values: dict[str, Any] = {"attempts": number, "next_inquiry_at": moment + rules.CALL_LEASE}
    if kind is AttemptKind.POST:
        values |= {"state": BillPaymentState.SENDING, "sent_at": sa.func.coalesce(BillPayment.sent_at, moment)}
    elif payment.state is BillPaymentState.SENDING:
        values["state"] = BillPaymentState.UNKNOWN
    as_read = (BillPayment.id == payment_id, BillPayment.attempts == payment.attempts, BillPayment.state == payment.state)
    if not take(session, sa.update(BillPayment).where(*as_read).values(**values)):
        return None
    attempt = BillAttempt(
        community_id=payment.community_id, bill_payment_id=payment_id, number=number, kind=kind, started_at=moment
    )
    session.add(attempt)
    session.flush()
    biller = queries.biller_of(session, payment.biller_id)
    references = tuple(bill.biller_ref for _, bill in queries.items_of(session, payment_id))
    return Call(
        payment_id, attempt.id, number, kind, biller.code, Order(payment.serial, payment.account_no, references, payment.total)
    )


@operation
def finish(session: Session, call: Call, answer: Answer, settle_window: timedelta) -> None:
    """Write down what a call brought and act on it. Told twice, the second time changes nothing.

    A definite answer counts whoever brings it and however late; anything else only from the newest call.
    """
    open_attempt = sa.update(BillAttempt).where(BillAttempt.id == call.attempt_id, BillAttempt.ended_at.is_(None))
    if not take(session, open_attempt.values(ended_at=clock.now(), outcome=answer.outcome, detail=answer.detail[:200])):
        return
    payment = session.get_one(BillPayment, call.payment_id)
    if answer.outcome is AttemptOutcome.ACCEPTED:
        _post(session, payment, answer)
    elif answer.outcome is AttemptOutcome.REJECTED:
        _give_back(session, payment, answer)
    elif payment.attempts == call.number:
        _go_on_asking(session, payment, settle_window)
    if payment.state is BillPaymentState.REFUNDED and payment.refunded_at is not None:
        session.execute(_row(payment).values(next_inquiry_at=rules.next_look_after_refund(payment.refunded_at, clock.now())))
    crashpoint("bill.before_record")


def _row(payment: BillPayment) -> sa.Update:
    return sa.update(BillPayment).where(BillPayment.id == payment.id).execution_options(synchronize_session=False)


def _settle(session: Session, payment: BillPayment, **values: Any) -> bool:
    """Move a payment whose end was not known to its end; False when it had one."""
    moved = take(session, _row(payment).where(BillPayment.state.in_(IS_OPEN)).values(next_inquiry_at=None, **values))
    session.refresh(payment)
    return moved


def _post(session: Session, payment: BillPayment, answer: Answer) -> None:
    """The biller wrote it off: its money goes to the biller, its bills are paid. A second acknowledgement is ignored."""
    moved = _settle(
        session, payment, state=BillPaymentState.POSTED, posted_at=clock.now(), biller_serial=answer.biller_serial,
        receipt_no=answer.receipt_no, next_step=answer.next_step,
    )
    if not moved:
        if payment.state is not BillPaymentState.POSTED:
            _contradicted(session, payment, "posted")
        return
    wallet.post(
        session, cause=f"bill_payment:{payment.id}:posted", kind=TransferKind.BILL_POSTED, debit="bill_hold",
        credit=f"biller:{payment.biller_id}", amount=payment.total, subject=("bill_payment", payment.id),
    )
    paid = sa.select(BillPaymentItem.bill_id).where(BillPaymentItem.bill_payment_id == payment.id)
    session.execute(sa.update(Bill).where(Bill.id.in_(paid)).values(state=BillState.PAID).execution_options(synchronize_session=False))
    audit.record(session, JOB, Done.BILL_PAYMENT_POSTED, "bill_payment", payment.id, total=payment.total.fen, tries=payment.attempts)
    tell(session, payment, "bill.paid")


def _give_back(session: Session, payment: BillPayment, answer: Answer) -> None:
    """The biller said a definite no: the money is back in the wallet in the same transaction, the bills may be paid again."""
    moved = _settle(session, payment, state=BillPaymentState.FAILED, failed_at=clock.now(), failure_code=answer.detail or "failed")
    if not moved:
        if payment.state is BillPaymentState.POSTED:
            _contradicted(session, payment, "failed")
        return
    _refund(session, payment, "the biller refused it")


@operation
def return_unsent(session: Session, payment_id: int) -> bool:
    """Give back the money of a payment that no call was ever begun about: its biller has not answered for too long.

    False when one was begun, or it has ended. `begin` moves the payment out of the same state, so only one of the two happens.
    """
    unsent = sa.update(BillPayment).where(
        BillPayment.id == payment_id, BillPayment.state == BillPaymentState.FUNDS_HELD, BillPayment.attempts == 0
    )
    if not take(session, unsent.values(state=BillPaymentState.FAILED, failed_at=clock.now(), failure_code=rules.NEVER_SENT)):
        return False
    _refund(session, session.get_one(BillPayment, payment_id), "the biller did not answer, so nothing was sent")
    return True


def _refund(session: Session, payment: BillPayment, reason: str) -> None:
    """Bring the money of a payment that has failed back to where it came from, and free its bills.

    What the provider's own hand gave back of it before is not given back again: the money that was held covers it.
    """
    moment = clock.now()
    free_bills(session, payment.id)
    assert payment.paid_with_id is not None
    back = payment.total - payments.cover_from(
        session, payment.paid_with_id, payment.total, "bill_hold", subject=("bill_payment", payment.id)
    )
    is_on_its_way = False
    if back:
        refund = payments.open_refund(
            session, payment_id=payment.paid_with_id, cause=f"bill_payment:{payment.id}:returned", amount=back, reason=reason
        )
        is_on_its_way = refund.settled_at is None
    session.execute(_row(payment).values(state=BillPaymentState.REFUNDED, refunded_at=moment))
    session.refresh(payment)
    audit.record(session, JOB, Done.BILL_PAYMENT_RETURNED, "bill_payment", payment.id, total=payment.total.fen, code=payment.failure_code)
    tell(session, payment, "bill.returned_to_card" if is_on_its_way or not back else "bill.returned")


def _go_on_asking(session: Session, payment: BillPayment, settle_window: timedelta) -> None:
    """The end is not known. That is not a failure: nothing is given back, nothing is sent again, the biller is asked."""
    if payment.state not in IS_OPEN:
        return
    plan = rules.follow_up(queries.standing_of(session, payment), settle_window, clock.now())
    values: dict[str, Any] = {"state": BillPaymentState.UNKNOWN, "next_inquiry_at": plan.next_inquiry_at}
    if plan.needs_person and payment.handed_over_at is None:
        values["handed_over_at"] = clock.now()
        audit.record(session, JOB, Done.BILL_PAYMENT_HANDED_OVER, "bill_payment", payment.id, tries=payment.attempts)
        tell(session, payment, "bill.with_a_person")
        tell_operators(session, payment, "bill.needs_a_person")
    session.execute(_row(payment).where(BillPayment.state.in_(IS_OPEN)).values(**values))


def _contradicted(session: Session, payment: BillPayment, says: str) -> None:
    """The biller says the opposite of what it said before. The money is not moved by a machine again: people decide."""
    if not take(session, _row(payment).where(BillPayment.contradicted_at.is_(None)).values(contradicted_at=clock.now())):
        return
    audit.record(session, JOB, Done.BILL_PAYMENT_CONTRADICTED, "bill_payment", payment.id, state=payment.state.value, biller_says=says)
    tell_operators(session, payment, "bill.contradiction")


def tell(session: Session, payment: BillPayment, kind: str) -> None:
    """Put a notice about a payment into the payer's inbox, once per kind."""
    biller = queries.biller_of(session, payment.biller_id)
    notices.post(
        session, payment.user_id, kind, dedupe_key=f"{kind}:{payment.id}", link=f"/bills/{payment.ref}", amount=str(payment.total),
        biller=names_of(biller),
    )


def tell_operators(session: Session, payment: BillPayment, kind: str) -> None:
    """Put a notice about a payment into the inbox of everybody who may ask its biller, once per kind."""
    biller = queries.biller_of(session, payment.biller_id)
    held = sa.select(RoleGrant.user_id).where(RoleGrant.role.in_(holders(BillPermission.BILLER_ASK)), RoleGrant.revoked_at.is_(None))
    for operator in session.scalars(sa.select(User).where(User.id.in_(held)).order_by(User.id)):
        notices.post(
            session, operator.id, kind, dedupe_key=f"{kind}:{payment.id}:{operator.id}", link="", amount=str(payment.total),
            biller=names_of(biller), serial=payment.serial,
        )


def names_of(biller: Biller) -> dict[str, str]:
    """A biller's name in every language: a notice is put into words when it is read, in the language of whoever reads it then."""
    return {"zh": biller.name_zh, "en": biller.name_en}


@operation
def ask_again(session: Session, actor: Actor, payment_ref: str) -> bool:
    """Have the biller asked now about a payment whose end is not known (a person's button); False when it is known."""
    payment = session.scalars(sa.select(BillPayment).where(BillPayment.ref == payment_ref)).first()
    if payment is None:
        raise BillPaymentNotFound()
    moment = clock.now()
    if not take(session, _row(payment).where(BillPayment.state == BillPaymentState.UNKNOWN).values(next_inquiry_at=moment)):
        return False
    audit.record(session, actor, Done.BILL_PAYMENT_ASKED_AGAIN, "bill_payment", payment.id)
    outbox.enqueue(
        session, "bills.send", dedupe_key=f"bills.send:{payment.id}:{payment.attempts}:asked", about=("bill_payment", payment.id),
        payment_id=payment.id, biller=queries.biller_of(session, payment.biller_id).code,
    )  # fmt: skip
    return True
