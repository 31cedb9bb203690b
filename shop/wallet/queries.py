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
from shop.kernel.statements import table
from shop.models.wallet import ClosingBalance, LedgerAccount, Transfer, TransferKind, Wallet, WalletClass, WalletState
from shop.wallet.rules import (
    SPENDING,
    LimitHit,
    Spent,
    class_limit,
    day_limit,
    day_start,
    left_of,
    limit_hit,
    needs_code,
    period_start,
    was_cleared_lately,
)

MUCH = Money(10**12)
"""More than anybody puts into a wallet."""


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
    locked_until: datetime | None

    @property
    def day_limit(self) -> Money:
        """What it may pay today in all, with every proof there is."""
        return day_limit(cleared_lately=was_cleared_lately(self.pin_cleared_at, clock.now()))


@dataclass(frozen=True, slots=True)
class Means:
    """Whether a wallet can pay an amount now, and if not, what stands in the way. For every page that offers the wallet.

    `hit` is a limit that neither PIN nor code nor more money lifts: where there is one, topping up is of no use.
    """

    wallet: WalletFacts
    amount: Money
    spent: Spent
    hit: LimitHit | None

    @property
    def missing(self) -> Money | None:
        """What the balance is short of; None when it is enough."""
        return self.amount - self.wallet.balance if self.wallet.balance < self.amount else None

    @property
    def class_limit(self) -> Money:
        return class_limit(self.wallet.wallet_class)

    @property
    def class_left(self) -> Money:
        """What the class still allows to pay: in all for class I, this year for II and III."""
        return left_of(self.class_limit, self.spent.period)

    @property
    def room_for_top_up(self) -> Money:
        """The most that can be put in and still be spent: bounded for class I, whose limit is for life; others begin anew each year."""
        if self.wallet.wallet_class is not WalletClass.I:
            return MUCH
        return left_of(self.class_left, self.wallet.balance)

    @property
    def is_open(self) -> bool:
        """Neither frozen nor locked by wrong PINs."""
        return self.wallet.state is WalletState.ACTIVE and self.wallet.locked_until is None

    @property
    def can_pay(self) -> bool:
        return self.is_open and self.hit is None and self.missing is None and self.wallet.has_pin

    @property
    def can_top_up(self) -> bool:
        """Whether more money is all that is missing, and could then be spent on this."""
        return self.is_open and self.hit is None and self.missing is not None

    @property
    def needs_code(self) -> bool:
        """Whether the PIN alone is not enough for it."""
        return self.can_pay and needs_code(self.spent, self.amount)


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
        wallet.pin_cleared_at, wallet.locked_until if wallet.locked_until is not None and wallet.locked_until > clock.now() else None,
    )


def means(session: Session, user_id: int, amount: Money) -> Means | None:
    """How a person's wallet stands to an amount they want to pay; None while it is not open. Two queries."""
    wallet = find(session, user_id)
    if wallet is None:
        return None
    moment = clock.now()
    gone = spent(session, wallet.account_id, wallet.wallet_class, moment)
    lately = was_cleared_lately(wallet.pin_cleared_at, moment)
    return Means(wallet, amount, gone, limit_hit(wallet.wallet_class, gone, amount, cleared_lately=lately))


def balance(session: Session, code: str) -> Money:
    """The balance of any account: credits less debits. Kept for wallets; of all others what they held when a day was over, and what has
    moved since. An unknown account has none."""
    account = session.execute(sa.select(LedgerAccount.id, LedgerAccount.balance).where(LedgerAccount.code == code)).first()
    if account is None:
        return ZERO
    if account.balance is not None:
        return Money(account.balance.fen)
    return standing(session, account.id)


def standing(session: Session, account_id: int, until: datetime | None = None) -> Money:
    """What an account without a kept balance held at a moment, or holds now."""
    closed = sa.select(ClosingBalance.balance, ClosingBalance.ends_at).where(ClosingBalance.account_id == account_id)
    if until is not None:
        closed = closed.where(ClosingBalance.ends_at <= until)
    last = session.execute(closed.order_by(ClosingBalance.day.desc()).limit(1)).first()
    since = [] if last is None else [Transfer.at >= last.ends_at]
    moved = since if until is None else [*since, Transfer.at < until]
    credited = summed(session, Transfer.credit_account_id == account_id, *moved)
    return (ZERO if last is None else last.balance) + credited - summed(session, Transfer.debit_account_id == account_id, *moved)


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
    at = table(Transfer).c.at.type
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


def total_of_causes(session: Session, prefix: str) -> Money:
    """How much was moved by all causes that begin so. For rare questions: it reads every transfer."""
    amounts = sa.select(Transfer.amount).where(Transfer.cause.startswith(prefix, autoescape=True))
    return Money.total(session.scalars(amounts))


def amount_of(session: Session, cause: str) -> Money | None:
    """How much was moved because of a cause; None when it was never told."""
    return session.scalar(sa.select(Transfer.amount).where(Transfer.cause == cause))
