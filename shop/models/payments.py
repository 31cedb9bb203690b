"""Money coming in and going back, whoever carries it, and what the provider told us."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from shop.kernel.columns import pk
from shop.kernel.db import Base
from shop.kernel.money import Money
from shop.models.orders import PaymentMethod


class PaymentPurpose(StrEnum):
    PURCHASE = "purchase"
    BILL = "bill"
    TOP_UP = "top_up"


class PaymentState(StrEnum):
    CREATED = "created"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Payment(Base):
    """One attempt to pay one thing. Its reference is the provider's idempotency key."""

    __tablename__ = "payments"
    __table_args__ = (
        sa.CheckConstraint("amount > 0", name="amount_positive"),
        sa.CheckConstraint("refunded_amount >= 0 AND refunded_amount <= amount", name="refunds_within_amount"),
        sa.CheckConstraint("(purpose = 'purchase') = (purchase_id IS NOT NULL)", name="purchase_named"),
        sa.CheckConstraint("(purpose = 'bill') = (bill_payment_id IS NOT NULL)", name="bill_named"),
        sa.Index("ix_payments_state_created_at", "state", "created_at"),
    )

    id: Mapped[pk]
    ref: Mapped[str] = mapped_column(unique=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    purpose: Mapped[PaymentPurpose]
    purchase_id: Mapped[int | None] = mapped_column(sa.ForeignKey("purchases.id"), index=True)
    bill_payment_id: Mapped[int | None] = mapped_column(sa.ForeignKey("bill_payments.id"), index=True)
    method: Mapped[PaymentMethod]
    state: Mapped[PaymentState] = mapped_column(default=PaymentState.CREATED)
    amount: Mapped[Money]
    refunded_amount: Mapped[Money]  # asked for or done; failed refunds are given back
    provider_session: Mapped[str | None] = mapped_column(unique=True)  # Checkout Session
    provider_intent: Mapped[str | None] = mapped_column(unique=True)  # Payment Intent
    provider_url: Mapped[str | None]  # where the person pays
    provider_fee: Mapped[Money | None]
    failure_code: Mapped[str | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    succeeded_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]


class RefundState(StrEnum):
    REQUESTED = "requested"
    SENT = "sent"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class Refund(Base):
    """Money going back to the tender it came from; one per cause."""

    __tablename__ = "refunds"
    __table_args__ = (sa.CheckConstraint("amount > 0", name="amount_positive"),)

    id: Mapped[pk]
    ref: Mapped[str] = mapped_column(unique=True)
    payment_id: Mapped[int] = mapped_column(sa.ForeignKey("payments.id"), index=True)
    cause: Mapped[str] = mapped_column(unique=True)  # "line:17:weighed", "purchase:9:late"
    sub_order_id: Mapped[int | None] = mapped_column(sa.ForeignKey("sub_orders.id"), index=True)
    amount: Mapped[Money]
    state: Mapped[RefundState] = mapped_column(default=RefundState.REQUESTED)
    reason: Mapped[str]
    provider_ref: Mapped[str | None] = mapped_column(unique=True)
    failure_code: Mapped[str | None]
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]


class EventState(StrEnum):
    RECEIVED = "received"
    DONE = "done"


class ProviderEvent(Base):
    """What the provider told us, inserted once; the object is then fetched, never believed from the event."""

    __tablename__ = "provider_events"
    __table_args__ = (
        sa.UniqueConstraint("provider", "event_id"),
        sa.Index("ix_provider_events_state_received_at", "state", "received_at"),
    )

    id: Mapped[pk]
    provider: Mapped[str]
    event_id: Mapped[str]
    kind: Mapped[str]
    object_id: Mapped[str]
    state: Mapped[EventState] = mapped_column(default=EventState.RECEIVED)
    received_at: Mapped[datetime]
    processed_at: Mapped[datetime | None]
