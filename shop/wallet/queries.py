"""Reading wallets and the ledger: balances, and what counts against limits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.money import ZERO, Money
from shop.models.wallet import LedgerAccount, Transfer, TransferKind, Wallet, WalletClass, WalletState
from shop.wallet.rules import SPENDING, Spent, day_limit, day_start, period_start, was_cleared_lately


@dataclass(frozen=True, slots=True)
class WalletFacts:
    """A wallet as its owner sees it."""

    user_id: int
    account_id: int
    wallet_class: WalletClass
    state: WalletState
    balance: Money
    has_pin: bool
    opened_at: datetime
    pin_cleared_at: datetime | None

    @property
    def day_limit(self) -> Money:
        """What it may pay today in all, with every proof there is."""
        return day_limit(cleared_lately=was_cleared_lately(self.pin_cleared_at, clock.now()))


def find(session: Session, user_id: int) -> WalletFacts | None:
    """The wallet of a person, or None while it is not open."""
    row = session.execute(
        sa.select(Wallet, LedgerAccount.balance).join(LedgerAccount, LedgerAccount.id == Wallet.account_id).where(Wallet.user_id == user_id)
    ).first()
    if row is None:
        return None
    wallet, held = row
    return WalletFacts(
        wallet.user_id, wallet.account_id, wallet.wallet_class, wallet.state, held or ZERO, wallet.pin_hash is not None, wallet.opened_at,
        wallet.pin_cleared_at,
    )


def balance(session: Session, code: str) -> Money:
    """The balance of any account: credits less debits. Kept for wallets, summed for all others; an unknown account has none."""
    account = session.execute(sa.select(LedgerAccount.id, LedgerAccount.balance).where(LedgerAccount.code == code)).first()
    if account is None:
        return ZERO
    if account.balance is not None:
        return Money(account.balance.fen)
    return summed(session, Transfer.credit_account_id == account.id) - summed(session, Transfer.debit_account_id == account.id)


def corrections(session: Session, subject_type: str, subject_ids: Collection[int]) -> dict[int, list[str]]:
    """The causes of what was posted back about each of these subjects; subjects without are left out."""
    found: dict[int, list[str]] = defaultdict(list)
    rows = session.execute(
        sa.select(Transfer.subject_id, Transfer.cause)
        .where(Transfer.subject_type == subject_type, Transfer.subject_id.in_(subject_ids), Transfer.kind == TransferKind.CORRECTION)
        .order_by(Transfer.id)
    )
    for subject_id, cause in rows:
        found[subject_id].append(cause)
    return found


def summed(session: Session, *conditions: sa.ColumnElement[bool]) -> Money:
    """The amounts of all transfers that meet the conditions."""
    total = session.scalar(sa.select(sa.func.sum(Transfer.amount)).where(*conditions))
    return total if total is not None else ZERO


def spent(session: Session, account_id: int, wallet_class: WalletClass, moment: datetime) -> Spent:
    """What counts against the limits of a wallet at a moment."""
    start = period_start(wallet_class, moment)
    since = {} if start is None else {"start": start}
    facts = {"account_id": account_id, "today": day_start(moment), **since}
    row = session.connection().execute(_spent_statement(start is not None), facts).one()
    return Spent(today=row.today or ZERO, period=row.period or ZERO)


@cache
def _spent_statement(has_start: bool) -> sa.Select[*tuple[Any, ...]]:
    """Made once, like all statements of a purchase: building them costs more than running them."""
    at = Transfer.__table__.c.at.type
    counted = [Transfer.debit_account_id == sa.bindparam("account_id"), Transfer.kind.in_(SPENDING)]
    if has_start:
        counted.append(Transfer.at >= sa.bindparam("start", type_=at))
    today = sa.func.sum(Transfer.amount).filter(Transfer.at >= sa.bindparam("today", type_=at))
    return sa.select(today.label("today"), sa.func.sum(Transfer.amount).label("period")).where(*counted)


def debit_code_of(session: Session, cause: str) -> str | None:
    """Which account a transfer was taken from; None when the cause was never told."""
    return session.scalar(
        sa.select(LedgerAccount.code).join(Transfer, Transfer.debit_account_id == LedgerAccount.id).where(Transfer.cause == cause)
    )


def amount_of(session: Session, cause: str) -> Money | None:
    """How much was moved because of a cause; None when it was never told."""
    return session.scalar(sa.select(Transfer.amount).where(Transfer.cause == cause))
