"""Payments that need a person: what is known about each, and with it what is safe to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel.money import Money
from shop.models.accounts import User
from shop.models.bills import AttemptOutcome, BillAttempt, Biller, BillPayment, BillPaymentState
from shop.models.payments import Payment, Refund, RefundState

UNRESOLVED = (BillPaymentState.SENDING, BillPaymentState.UNKNOWN)

CONTRADICTED: Any = BillPayment.contradicted_at.is_not(None)
WITH_A_PERSON: Any = sa.and_(BillPayment.handed_over_at.is_not(None), BillPayment.state == BillPaymentState.UNKNOWN)
BEING_ASKED: Any = sa.and_(BillPayment.handed_over_at.is_(None), BillPayment.state.in_(UNRESOLVED))

WHICH: dict[str, Any] = {"": sa.or_(WITH_A_PERSON, CONTRADICTED), "asking": BEING_ASKED}


@dataclass(frozen=True, slots=True)
class Case:
    """A bill payment whose end is not known, or about which its biller contradicted itself."""

    id: int
    ref: str
    serial: str
    state: BillPaymentState
    total: Money
    biller_name_zh: str
    biller_name_en: str
    payer_name: str
    created_at: datetime
    sent_at: datetime | None
    handed_over_at: datetime | None
    contradicted_at: datetime | None
    next_inquiry_at: datetime | None
    attempts: int
    last_outcome: AttemptOutcome | None
    last_at: datetime | None

    @property
    def can_be_asked(self) -> bool:
        """Asking moves no money: it is safe whenever the end is not known."""
        return self.state is BillPaymentState.UNKNOWN


def cases(session: Session, which: str, before: int | None, limit: int) -> tuple[list[Case], int | None]:
    """Bill payments that need a person (or are still being asked about), the newest first, and where the next page begins. One query."""
    last = sa.orm.aliased(BillAttempt)
    columns: tuple[Any, ...] = (
        BillPayment.id, BillPayment.ref, BillPayment.serial, BillPayment.state, BillPayment.total, Biller.name_zh, Biller.name_en,
        User.display_name, BillPayment.created_at, BillPayment.sent_at, BillPayment.handed_over_at, BillPayment.contradicted_at,
        BillPayment.next_inquiry_at, BillPayment.attempts, last.outcome, last.started_at,
    )  # fmt: skip
    found = (
        sa.select(*columns)
        .join(Biller, Biller.id == BillPayment.biller_id)
        .join(User, User.id == BillPayment.user_id)
        .outerjoin(last, sa.and_(last.bill_payment_id == BillPayment.id, last.number == BillPayment.attempts))
        .where(WHICH.get(which, WHICH[""]))
    )
    if before is not None:
        found = found.where(BillPayment.id < before)
    rows = [Case(*row) for row in session.execute(found.order_by(BillPayment.id.desc()).limit(limit + 1))]
    return rows[:limit], rows[limit - 1].id if len(rows) > limit else None


def failed_refunds(session: Session, limit: int = 50) -> Sequence[Any]:
    """Refunds that the provider did not take, the newest first: the money is still with us and belongs to the buyer."""
    return session.execute(
        sa.select(Refund.ref, Refund.amount, Refund.failure_code, Refund.created_at, User.display_name.label("payer_name"))
        .join(Payment, Payment.id == Refund.payment_id)
        .join(User, User.id == Payment.user_id)
        .where(Refund.state == RefundState.FAILED)
        .order_by(Refund.id.desc())
        .limit(limit)
    ).all()
