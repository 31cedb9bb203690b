"""Household bills: billers, the accounts people saved, what is due, and each payment with every attempt."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from shop.kernel.columns import Document, community_key, moment_key, pk
from shop.kernel.db import Base
from shop.kernel.money import Money
from shop.kernel.sealing import Sealed, found_by


class BillerFlow(StrEnum):
    FETCH_PAY = "fetch_pay"
    VALIDATE_PAY = "validate_pay"
    PAY_ONLY = "pay_only"


class AmountRule(StrEnum):
    EXACT = "exact"
    EXACT_OR_MORE = "exact_or_more"
    FIXED_STEPS = "fixed_steps"
    FIXED_FACES = "fixed_faces"
    MONTHS = "months"


class Biller(Base):
    """Who is paid: power, water, gas, telephone, property."""

    __tablename__ = "billers"

    id: Mapped[pk]
    code: Mapped[str] = mapped_column(unique=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    category: Mapped[str]
    mode: Mapped[str]  # postpaid, prepaid, prepaid_card
    flow: Mapped[BillerFlow]
    account_pattern: Mapped[str]
    amount_rule: Mapped[AmountRule]
    channel: Mapped[str]  # http, file
    late_fee_bps_per_day: Mapped[int]
    position: Mapped[int]
    is_idempotent: Mapped[bool] = mapped_column(default=True)  # the same serial twice is one write-off
    answers_inquiries: Mapped[bool] = mapped_column(default=True)


class BillAccount(Base):
    """A customer number somebody saved. Names and addresses only masked."""

    __tablename__ = "bill_accounts"
    __table_args__ = (
        sa.UniqueConstraint("user_id", "biller_id", "account_hash", name="uq_bill_accounts_user_id_biller_id_account_no"),
    )

    id: Mapped[pk]
    ref: Mapped[str] = mapped_column(unique=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    biller_id: Mapped[int] = mapped_column(sa.ForeignKey("billers.id"))
    account_no: Mapped[str] = mapped_column(Sealed("bill_accounts.account_no", found_by="account_hash", purpose="bill account"))
    account_hash: Mapped[str] = found_by("account_no", purpose="bill account")
    label: Mapped[str] = mapped_column(Sealed("bill_accounts.label"), default="")
    holder_masked: Mapped[str] = mapped_column(Sealed("bill_accounts.holder_masked"), default="")
    address_masked: Mapped[str] = mapped_column(Sealed("bill_accounts.address_masked"), default="")
    balance: Mapped[Money | None]  # prepaid at the biller
    offer: Mapped[dict[str, Any] | None] = mapped_column(Document)  # what a prepaid biller sells this account
    created_at: Mapped[datetime]
    fetched_at: Mapped[datetime | None]  # none until the biller has known the number
    removed_at: Mapped[datetime | None]


class LookUpOutcome(StrEnum):
    FOUND = "found"
    UNKNOWN_ACCOUNT = "unknown_account"
    UNAVAILABLE = "unavailable"  # no answer from the biller, or none that can be understood


class BillLookUp(Base):
    """One question to a biller about a number. All that stays of a number the biller does not know."""

    __tablename__ = "bill_look_ups"
    __table_args__ = (
        sa.UniqueConstraint("user_id", "account_key", "day", "number"),
        sa.Index("ix_bill_look_ups_account_ref", "account_ref", "id"),
        sa.Index("uq_bill_look_ups_user_id_day_place", "user_id", "day", "place", unique=True),
    )

    id: Mapped[pk]
    community_id: Mapped[community_key]
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    biller_id: Mapped[int] = mapped_column(sa.ForeignKey("billers.id"))
    account_ref: Mapped[str]  # of the saved account, while there is one
    account_key: Mapped[str]  # a keyed fingerprint of the number, to count by
    day: Mapped[date]
    number: Mapped[int]  # counts the questions of one person about one number on one day
    place: Mapped[int | None]  # of the first question about a number: which of the person's numbers of that day it is
    asked_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    outcome: Mapped[LookUpOutcome | None]


class BillState(StrEnum):
    DUE = "due"
    PAID = "paid"
    WITHDRAWN = "withdrawn"  # the biller no longer asks for it


class Bill(Base):
    """What a biller asks for one period of one customer number, as last fetched."""

    __tablename__ = "bills"
    __table_args__ = (
        sa.UniqueConstraint("biller_id", "biller_ref"),
        sa.CheckConstraint("total = amount + late_fee AND total > 0", name="total_adds_up"),
        sa.Index("ix_bills_account_hash_state", "account_hash", "state"),
    )

    id: Mapped[pk]
    ref: Mapped[str] = mapped_column(unique=True)
    biller_id: Mapped[int] = mapped_column(sa.ForeignKey("billers.id"))
    account_no: Mapped[str] = mapped_column(Sealed("bills.account_no", found_by="account_hash", purpose="bill account"))
    account_hash: Mapped[str] = found_by("account_no", purpose="bill account")
    biller_ref: Mapped[str]
    period: Mapped[str]  # "2026-10"
    amount: Mapped[Money]
    late_fee: Mapped[Money]
    total: Mapped[Money]
    due_on: Mapped[date]
    usage: Mapped[str] = mapped_column(default="")  # "186 kWh", for people
    state: Mapped[BillState] = mapped_column(default=BillState.DUE)
    fetched_at: Mapped[datetime]


class BillPaymentState(StrEnum):
    CREATED = "created"
    FUNDS_HELD = "funds_held"
    SENDING = "sending"
    POSTED = "posted"
    UNKNOWN = "unknown"
    FAILED = "failed"
    REFUNDED = "refunded"


IN_FLIGHT = "state IN ('created', 'funds_held', 'sending', 'unknown')"


LOOKED_AFTER = "handed_over_at IS NOT NULL AND state = 'unknown' OR contradicted_at IS NOT NULL"
"""Of bill payments: a person has it, or its biller contradicted itself."""


class BillPayment(Base):
    """One payment to one biller under one serial for ever. What is not known is `unknown`, never `failed`.

    Of one customer number at most one is on its way: a second one waits until the outcome of the first is known.
    """

    __tablename__ = "bill_payments"
    __table_args__ = (
        sa.CheckConstraint("total > 0", name="total_positive"),
        sa.Index("ix_bill_payments_user_id_id", "user_id", "id"),
        sa.Index("ix_bill_payments_state_next_inquiry_at", "state", "next_inquiry_at"),
        sa.Index("ix_bill_payments_looked_after", "id", sqlite_where=sa.text(LOOKED_AFTER), postgresql_where=sa.text(LOOKED_AFTER)),
        sa.Index(
            "uq_bill_payments_in_flight", "biller_id", "account_hash", unique=True,
            sqlite_where=sa.text(IN_FLIGHT), postgresql_where=sa.text(IN_FLIGHT),
        ),
    )

    id: Mapped[pk]
    ref: Mapped[str] = mapped_column(unique=True)
    serial: Mapped[str] = mapped_column(unique=True)  # our serial at the biller
    request_key: Mapped[str] = mapped_column(unique=True)  # a double click is one payment
    community_id: Mapped[community_key]
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    biller_id: Mapped[int] = mapped_column(sa.ForeignKey("billers.id"))
    bill_account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("bill_accounts.id"), index=True)
    account_no: Mapped[str] = mapped_column(Sealed("bill_payments.account_no", found_by="account_hash", purpose="bill account"))
    account_hash: Mapped[str] = found_by("account_no", purpose="bill account")
    holder_masked: Mapped[str] = mapped_column(Sealed("bill_payments.holder_masked"), default="")
    total: Mapped[Money]
    # The payment that carries its money; by card several share one. No foreign key: a payment names a bill payment already.
    paid_with_id: Mapped[int | None] = mapped_column(sa.BigInteger, index=True)
    state: Mapped[BillPaymentState] = mapped_column(default=BillPaymentState.CREATED)
    attempts: Mapped[int] = mapped_column(default=0)
    next_inquiry_at: Mapped[datetime | None]
    biller_serial: Mapped[str | None]
    receipt_no: Mapped[str | None]  # the biller's; two billers may give the same
    failure_code: Mapped[str | None]
    next_step: Mapped[str | None]  # what is left to do for the person: "load_card"
    created_at: Mapped[datetime]
    held_at: Mapped[datetime | None]  # since when its money is with us
    sent_at: Mapped[datetime | None]
    posted_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    refunded_at: Mapped[datetime | None]
    handed_over_at: Mapped[datetime | None]  # since when a person looks after it
    contradicted_at: Mapped[datetime | None]  # the biller said failed, and later posted


class BillPaymentItem(Base):
    """A bill within a payment. While the payment may still succeed the bill is taken: nobody pays it a second time."""

    __tablename__ = "bill_payment_items"
    __table_args__ = (
        sa.UniqueConstraint("bill_payment_id", "bill_id"),
        sa.Index(
            "uq_bill_payment_items_live_bill", "bill_id", unique=True,
            sqlite_where=sa.text("is_live"), postgresql_where=sa.text("is_live"),
        ),
    )

    id: Mapped[pk]
    community_id: Mapped[community_key]
    bill_payment_id: Mapped[int] = mapped_column(sa.ForeignKey("bill_payments.id"))
    bill_id: Mapped[int] = mapped_column(sa.ForeignKey("bills.id"))
    amount: Mapped[Money]
    is_live: Mapped[bool] = mapped_column(default=True)  # false once failed or refunded
    created_at: Mapped[moment_key]  # of the payment


class AttemptKind(StrEnum):
    POST = "post"
    INQUIRY = "inquiry"


class AttemptOutcome(StrEnum):
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    PROCESSING = "processing"
    NOT_FOUND = "not_found"
    UNCLEAR = "unclear"  # no answer, or none that can be understood


class BillAttempt(Base):
    """One call to the biller: written before it is made, completed after it was answered."""

    __tablename__ = "bill_attempts"
    __table_args__ = (sa.UniqueConstraint("bill_payment_id", "number"),)

    id: Mapped[pk]
    community_id: Mapped[community_key]
    bill_payment_id: Mapped[int] = mapped_column(sa.ForeignKey("bill_payments.id"))
    number: Mapped[int]
    kind: Mapped[AttemptKind]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[AttemptOutcome | None]
    detail: Mapped[str] = mapped_column(default="")
