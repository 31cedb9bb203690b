"""Money coming in and going back, whoever carries it, and what the provider told us."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from shop.kernel.columns import Document, community_key, pk
from shop.kernel.db import Base
from shop.kernel.money import ZERO, Money
from shop.models.orders import PaymentMethod

UNBOOKED = sa.text("booked_amount IS NULL OR booked_fee IS NULL")
# Written out where it is asked for too: a partial index is used only where its condition stands in the statement word for word.
# The state is left out: only what succeeded has a time of that, and with the state the planner takes the index of states.
WITHOUT_FEE = sa.text("provider_fee IS NULL AND method = 'stripe'")
HANDED_OVER = "handed_over_at IS NOT NULL"
OPEN_PROPOSAL = "state = 'asked' AND refund_id IS NOT NULL"


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


PAYS = sa.text("pays_purchase")
STILL_OPEN = "state IN ('created', 'requires_action', 'processing')"
"""Of payments: their end is not known. Few, beside all that ended."""


class Payment(Base):
    """One attempt to pay one thing. Its reference is the provider's idempotency key."""

    __tablename__ = "payments"
    __table_args__ = (
        sa.CheckConstraint("amount > 0", name="amount_positive"),
        sa.CheckConstraint("refunded_amount >= 0 AND refunded_amount <= amount", name="refunds_within_amount"),
        sa.CheckConstraint("(purpose = 'purchase') = (purchase_id IS NOT NULL)", name="purchase_named"),
        sa.CheckConstraint("(purpose = 'bill') = (bill_payment_id IS NOT NULL)", name="bill_named"),
        sa.Index("ix_payments_state_created_at", "state", "created_at"),
        sa.Index("ix_payments_open", "expires_at", sqlite_where=sa.text(STILL_OPEN), postgresql_where=sa.text(STILL_OPEN)),
        sa.Index(
            "ix_payments_failure_code", "failure_code", "closed_at",
            sqlite_where=sa.text("failure_code IS NOT NULL"), postgresql_where=sa.text("failure_code IS NOT NULL"),
        ),
        sa.Index("ix_payments_without_fee", "succeeded_at", sqlite_where=WITHOUT_FEE, postgresql_where=WITHOUT_FEE),
        sa.Index("uq_payments_pays_purchase", "purchase_id", unique=True, postgresql_where=PAYS, sqlite_where=PAYS),
    )

    id: Mapped[pk]
    ref: Mapped[str] = mapped_column(unique=True)
    community_id: Mapped[community_key]
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    purpose: Mapped[PaymentPurpose]
    purchase_id: Mapped[int | None] = mapped_column(sa.ForeignKey("purchases.id"), index=True)
    bill_payment_id: Mapped[int | None] = mapped_column(sa.ForeignKey("bill_payments.id"), index=True)
    method: Mapped[PaymentMethod]
    state: Mapped[PaymentState] = mapped_column(default=PaymentState.CREATED)
    amount: Mapped[Money]
    refunded_amount: Mapped[Money]  # asked for or done; failed refunds are given back
    pays_purchase: Mapped[bool] = mapped_column(default=False, server_default=sa.false())  # no other attempt's money stays
    provider_session: Mapped[str | None] = mapped_column(unique=True)  # Checkout Session
    provider_intent: Mapped[str | None] = mapped_column(unique=True)  # Payment Intent
    provider_url: Mapped[str | None]  # where the person pays
    provider_fee: Mapped[Money | None]
    failure_code: Mapped[str | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    succeeded_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    opening: Mapped[dict[str, Any] | None] = mapped_column(Document)  # what the provider's page is asked for with, for good
    asked_at: Mapped[datetime | None]  # when a page last had the provider asked
    answered_at: Mapped[datetime | None]  # when the provider last said how things stand
    silent_since: Mapped[datetime | None]  # from when on it has given no answer; none while it answers
    returned_at: Mapped[datetime | None]  # a wrong amount has gone back
    return_refused: Mapped[str | None]  # the provider's no to taking a wrong amount back: a person has it


class RefundState(StrEnum):
    REQUESTED = "requested"
    SENT = "sent"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class RefundMethod(StrEnum):
    """By which way money goes back: as a rule the one it came."""

    WALLET = "wallet"
    STRIPE = "stripe"
    CASH = "cash"
    BANK = "bank"  # transferred by hand


class RefundOrigin(StrEnum):
    SHOP = "shop"
    PROVIDER = "provider"  # made at the card provider's side, which told us


class Refund(Base):
    """Money going back; one per cause. What failed may be carried on by others, never by more than it was."""

    __tablename__ = "refunds"
    __table_args__ = (
        sa.CheckConstraint("amount > 0", name="amount_positive"),
        sa.CheckConstraint("carried_on >= 0 AND carried_on <= amount", name="carried_on_within_amount"),
        sa.CheckConstraint("carried_on = 0 OR state = 'failed'", name="only_failed_is_carried_on"),
        sa.Index("ix_refunds_state_created_at", "state", "created_at"),
        sa.Index("ix_refunds_handed_over_at", "handed_over_at", sqlite_where=sa.text(HANDED_OVER), postgresql_where=sa.text(HANDED_OVER)),
    )

    id: Mapped[pk]
    ref: Mapped[str] = mapped_column(unique=True)
    community_id: Mapped[community_key]
    payment_id: Mapped[int] = mapped_column(sa.ForeignKey("payments.id"), index=True)
    cause: Mapped[str] = mapped_column(unique=True)  # "line:17:weighed", "purchase:9:late"
    sub_order_id: Mapped[int | None] = mapped_column(sa.ForeignKey("sub_orders.id"), index=True)
    amount: Mapped[Money]
    state: Mapped[RefundState] = mapped_column(default=RefundState.REQUESTED)
    reason: Mapped[str]
    method: Mapped[RefundMethod]
    origin: Mapped[RefundOrigin] = mapped_column(default=RefundOrigin.SHOP)
    provider_ref: Mapped[str | None] = mapped_column(index=True)  # one of the provider's may be several here, by sub-order
    failure_code: Mapped[str | None]
    replaces_id: Mapped[int | None] = mapped_column(sa.ForeignKey("refunds.id"), index=True)  # the failed one it carries on
    carried_on: Mapped[Money] = mapped_column(default=ZERO)  # how much of a failed one others carry on
    uncovered_at: Mapped[datetime | None]  # it left us from nobody's money: to be got back, until that is done
    handed_over_at: Mapped[datetime | None]  # since when a person has it
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]


class ProposalState(StrEnum):
    ASKED = "asked"
    APPROVED = "approved"
    REFUSED = "refused"


class RefundProposal(Base):
    """Money one person wants to give back and another must agree to: of a sub-order, or of a refund that failed."""

    __tablename__ = "refund_proposals"
    __table_args__ = (
        sa.CheckConstraint("amount > 0", name="amount_positive"),
        sa.CheckConstraint("(sub_order_id IS NULL) <> (refund_id IS NULL)", name="concerns_one_thing"),
        sa.CheckConstraint("(state = 'asked') = (decided_at IS NULL)", name="decided_with_its_time"),
        sa.CheckConstraint("state <> 'approved' OR decided_by_id <> asked_by_id", name="approved_by_another"),
        sa.CheckConstraint("method <> 'bank' OR reference <> ''", name="transfers_have_a_reference"),
        sa.Index("ix_refund_proposals_state_id", "state", "id"),
        sa.Index(
            "uq_refund_proposals_open_refund", "refund_id", unique=True, sqlite_where=sa.text(OPEN_PROPOSAL),
            postgresql_where=sa.text(OPEN_PROPOSAL),
        ),
    )

    id: Mapped[pk]
    key: Mapped[str] = mapped_column(unique=True)  # a double click is one proposal
    community_id: Mapped[community_key]
    sub_order_id: Mapped[int | None] = mapped_column(sa.ForeignKey("sub_orders.id"), index=True)
    refund_id: Mapped[int | None] = mapped_column(sa.ForeignKey("refunds.id"), index=True)
    amount: Mapped[Money]
    method: Mapped[RefundMethod]
    reference: Mapped[str]  # under which a transfer by hand is found at the bank
    reason: Mapped[str]
    state: Mapped[ProposalState] = mapped_column(default=ProposalState.ASKED)
    asked_by_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    asked_at: Mapped[datetime]
    decided_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    decided_at: Mapped[datetime | None]


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


class MovementKind(StrEnum):
    CHARGE = "charge"
    DISPUTE = "dispute"


class ProviderMovement(Base):
    """What moved on our account at the provider for a payment, in the currency the account settles in, and what that is in yuan.

    The ledger has the latter. It is empty where the provider's figures do not say, and otherwise never changed.
    """

    __tablename__ = "provider_movements"
    __table_args__ = (sa.Index("ix_provider_movements_unbooked", "noted_at", sqlite_where=UNBOOKED, postgresql_where=UNBOOKED),)

    id: Mapped[pk]
    community_id: Mapped[community_key]
    payment_id: Mapped[int] = mapped_column(sa.ForeignKey("payments.id"), index=True)
    kind: Mapped[MovementKind]
    provider_ref: Mapped[str] = mapped_column(unique=True)
    source_ref: Mapped[str | None]  # the dispute it belongs to
    currency: Mapped[str]  # of the account
    amount: Mapped[int] = mapped_column(sa.BigInteger)  # signed, in the smallest unit of that currency, as is the fee
    fee: Mapped[int] = mapped_column(sa.BigInteger)
    source_currency: Mapped[str]  # of the buyer's side
    source_amount: Mapped[int] = mapped_column(sa.BigInteger)
    exchange_rate: Mapped[str | None]  # as the provider wrote it
    booked_amount: Mapped[Money | None]
    booked_fee: Mapped[Money | None]
    is_by_hand: Mapped[bool] = mapped_column(default=False, server_default=sa.false())  # a person said what it is in yuan
    noted_at: Mapped[datetime]
