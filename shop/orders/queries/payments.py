"""How an order is paid, and what went back of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel.money import Money
from shop.kernel.rows import all_as, one_as
from shop.models.orders import PaymentMethod
from shop.models.payments import Payment, PaymentState, Refund, RefundMethod, RefundState
from shop.payments.queries import LEFT
from shop.payments.rules import OPEN


@dataclass(frozen=True, slots=True)
class PaymentFacts:
    """The latest payment of a purchase."""

    id: int
    ref: str
    method: PaymentMethod
    state: PaymentState
    amount: Money
    provider_url: str | None

    @property
    def url(self) -> str | None:
        """Where it is paid, while it can be and once that page is open."""
        return self.provider_url if self.state in OPEN else None


@dataclass(frozen=True, slots=True)
class RefundFacts:
    """Money on its way back."""

    sub_order_id: int | None
    amount: Money
    state: RefundState
    reason: str
    cause: str
    created_at: datetime
    method: RefundMethod


def latest_payment(session: Session, purchase_id: int) -> PaymentFacts | None:
    """The newest attempt to pay a purchase."""
    columns = (Payment.id, Payment.ref, Payment.method, Payment.state, Payment.amount, Payment.provider_url)
    row = session.execute(sa.select(*columns).where(Payment.purchase_id == purchase_id).order_by(Payment.id.desc()).limit(1)).one_or_none()
    return one_as(PaymentFacts, row) if row else None


def refunds(session: Session, purchase_id: int) -> list[RefundFacts]:
    """What went or goes back of a purchase, oldest first. What another refund carries on is told there."""
    rows = session.execute(
        sa.select(
            Refund.sub_order_id, LEFT.label("amount"), Refund.state, Refund.reason, Refund.cause, Refund.created_at,
            Refund.method,
        )
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Payment.purchase_id == purchase_id, Refund.carried_on < Refund.amount)
        .order_by(Refund.id)
    )
    return all_as(RefundFacts, rows)
