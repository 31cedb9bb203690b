"""What is overdue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.models.orders import PaymentMethod, Purchase, PurchaseState
from shop.models.payments import Payment, PaymentState
from shop.payments.queries import STILL_OPEN_ONES
from shop.payments.rules import OPEN
from shop.settlement.rules import MISMATCH


def overdue_payments(session: Session, moment: datetime, limit: int = 200) -> Sequence[int]:
    """Card payments that may be paid no longer but are still open, oldest first."""
    overdue = sa.select(Payment.id).where(
        STILL_OPEN_ONES, Payment.method == PaymentMethod.STRIPE, Payment.expires_at <= moment
    )
    return session.scalars(overdue.order_by(Payment.expires_at).limit(limit)).all()


def overdue_purchases(session: Session, moment: datetime, limit: int = 200) -> Sequence[int]:
    """Purchases that were not paid in time and for which no attempt is open any more, oldest first."""
    attempt = sa.select(Payment.id).where(Payment.purchase_id == Purchase.id, Payment.state.in_(OPEN))
    overdue = sa.select(Purchase.id).where(
        Purchase.state == PurchaseState.AWAITING_PAYMENT, Purchase.expires_at <= moment, ~attempt.exists()
    )
    return session.scalars(overdue.order_by(Purchase.expires_at).limit(limit)).all()


def mismatches_to_return(session: Session, closed_before: datetime, limit: int = 200) -> Sequence[int]:
    """Card payments of a wrong amount that has not gone back and that no person has, oldest first."""
    waiting = sa.select(Payment.id).where(
        Payment.state == PaymentState.FAILED, Payment.failure_code == MISMATCH, Payment.returned_at.is_(None),
        Payment.return_refused.is_(None), Payment.closed_at < closed_before,
    )
    return session.scalars(waiting.order_by(Payment.closed_at).limit(limit)).all()
