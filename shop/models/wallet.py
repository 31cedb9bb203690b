"""The ledger and the wallets on it. Only `shop.wallet` imports this module."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from shop.kernel.columns import community_key, pk
from shop.kernel.db import Base
from shop.kernel.money import Money


class AccountKind(StrEnum):
    WALLET = "wallet"  # a person's balance (we owe it)
    ESCROW = "escrow"  # paid, not yet handed over
    MERCHANT = "merchant"  # payable to a merchant
    COMMISSION = "commission"  # the platform's income
    BILLER = "biller"  # payable to a biller
    BILL_HOLD = "bill_hold"  # taken for a bill whose outcome is not known yet
    REFUND_DUE = "refund_due"  # on its way back to a card
    PROVIDER = "provider"  # held for us by the card provider
    PROVIDER_FEE = "provider_fee"  # what the provider keeps
    CUSTODIAN = "custodian"  # held by the licensed institution behind the wallet
    CASH = "cash"  # in the till of a point
    SUSPENSE = "suspense"  # arrived, but for nothing we know
    BANK = "bank"  # our own account at a bank: what was transferred from it by hand
    DISPUTED = "disputed"  # taken back by buyers' banks: lost, unless a bank gives it back
    PROMOTION = "promotion"  # what the platform spends on offers: it owes merchants what their buyers did not pay


class LedgerAccount(Base):
    """An account. Wallets keep their balance in the row, under a floor; all others are summed when asked (no hot row)."""

    __tablename__ = "ledger_accounts"
    __table_args__ = (sa.CheckConstraint("balance IS NULL OR balance >= 0", name="balance_not_below_floor"),)

    id: Mapped[pk]
    code: Mapped[str] = mapped_column(unique=True)  # "wallet:17", "escrow", "merchant:orange-coop"
    kind: Mapped[AccountKind]
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"), index=True)
    merchant_id: Mapped[int | None] = mapped_column(sa.ForeignKey("merchants.id"), index=True)
    biller_id: Mapped[int | None] = mapped_column(sa.ForeignKey("billers.id"), index=True)
    balance: Mapped[Money | None]  # credits less debits; kept for wallets only


class TransferKind(StrEnum):
    OPENING = "opening"
    TOP_UP = "top_up"
    PAYMENT = "payment"
    RELEASE = "release"
    COMMISSION = "commission"
    REFUND = "refund"
    BILL_HOLD = "bill_hold"
    BILL_POSTED = "bill_posted"
    BILL_RETURNED = "bill_returned"
    PROVIDER_FEE = "provider_fee"
    DISPUTE = "dispute"
    CORRECTION = "correction"


class Transfer(Base):
    """Money moved from one account (debit) to another (credit). Never changed, never deleted; corrected by another."""

    __tablename__ = "transfers"
    __table_args__ = (
        sa.CheckConstraint("amount > 0", name="amount_positive"),
        sa.CheckConstraint("debit_account_id <> credit_account_id", name="two_accounts"),
        sa.Index("ix_transfers_debit_account_id_at", "debit_account_id", "at"),
        sa.Index("ix_transfers_credit_account_id_at", "credit_account_id", "at"),
        sa.Index("ix_transfers_subject", "subject_type", "subject_id"),
    )

    id: Mapped[pk]
    cause: Mapped[str] = mapped_column(unique=True)  # one transfer per cause, however often it is told
    community_id: Mapped[community_key]
    kind: Mapped[TransferKind]
    debit_account_id: Mapped[int] = mapped_column(sa.ForeignKey("ledger_accounts.id"))
    credit_account_id: Mapped[int] = mapped_column(sa.ForeignKey("ledger_accounts.id"))
    amount: Mapped[Money]
    subject_type: Mapped[str]  # "sub_order", "bill_payment", "payment", ...
    subject_id: Mapped[int]
    at: Mapped[datetime]


class ClosingBalance(Base):
    """What an account without a kept balance held when a business day was over. Written once: transfers of that day never change."""

    __tablename__ = "closing_balances"

    account_id: Mapped[int] = mapped_column(sa.ForeignKey("ledger_accounts.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    ends_at: Mapped[datetime]  # the first moment of the next day
    balance: Mapped[Money]  # credits less debits, of all transfers before that moment


class WalletClass(StrEnum):
    I = "I"  # noqa: E741  (the regulation's own numeral)
    II = "II"
    III = "III"


class WalletState(StrEnum):
    ACTIVE = "active"
    FROZEN = "frozen"


class Wallet(Base):
    """A person's wallet at the custodian: its class, its PIN, its guard against guessing."""

    __tablename__ = "wallets"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), primary_key=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("ledger_accounts.id"), unique=True)
    wallet_class: Mapped[WalletClass]
    state: Mapped[WalletState] = mapped_column(default=WalletState.ACTIVE)
    pin_hash: Mapped[str | None]
    pin_failures: Mapped[int] = mapped_column(default=0)
    pin_failed_at: Mapped[datetime | None]  # the first of the failures counted
    locked_until: Mapped[datetime | None]
    pin_cleared_at: Mapped[datetime | None]  # by hand, after a check of the owner's identity
    opened_at: Mapped[datetime]
