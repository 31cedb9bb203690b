"""The rules of wallets: account codes, classes and limits, what makes a PIN. Plain functions over plain values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise

from shop.kernel import clock
from shop.kernel.money import Money
from shop.models.wallet import AccountKind
from shop.models.wallet import TransferKind as TransferKind
from shop.models.wallet import WalletClass as WalletClass
from shop.models.wallet import WalletState as WalletState
from shop.wallet.errors import (
    ClearedPinLimitExceeded,
    DayLimitExceeded,
    LifetimeLimitExceeded,
    LimitExceeded,
    PinMalformed,
    PinTooEasy,
    StepUpRequired,
    YearLimitExceeded,
)

# Announcement 2015-43 of the People's Bank, articles 11 and 24 (docs/algorithms/ledger.md says how they are read here).
LIFETIME_LIMIT = Money(100_000)
YEAR_LIMITS = {WalletClass.II: Money(10_000_000), WalletClass.III: Money(20_000_000)}
DAY_LIMIT_PIN = Money(100_000)
DAY_LIMIT_PIN_AND_CODE = Money(500_000)

PIN_TRIES = 5
PIN_WINDOW = timedelta(hours=24)
PIN_LOCK = timedelta(hours=3)
CLEARED_PIN_REST = timedelta(hours=24)
REASON_LENGTH = 200

CLASS_OF_LEVEL = {1: WalletClass.I, 2: WalletClass.II, 3: WalletClass.III}
SPENDING = (TransferKind.PAYMENT, TransferKind.BILL_HOLD)
"""What counts against the limits. A refund does not give limit back: the rule counts payments made."""


@dataclass(frozen=True, slots=True)
class Posting:
    """One movement asked for: `amount` from account `debit` to account `credit`, because of `cause`.

    `at` is for history that is written later (demo data, imports); none means now.
    """

    cause: str
    kind: TransferKind | str
    debit: str
    credit: str
    amount: Money
    subject: tuple[str, int]
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """What somebody has shown in this request: their PIN, and perhaps a code from a text message."""

    user_id: int
    has_code: bool = False


@dataclass(frozen=True, slots=True)
class Spent:
    """What a wallet has paid today, and in the period its class counts (calendar year; for class I its lifetime)."""

    today: Money
    period: Money


class LimitKind(StrEnum):
    """Which of a wallet's limits an amount is above."""

    LIFETIME = "lifetime"  # class I
    YEAR = "year"  # classes II and III
    DAY = "day"
    CLEARED_PIN = "cleared_pin"  # the day's, while a PIN was cleared lately


@dataclass(frozen=True, slots=True)
class LimitHit:
    """A limit that no further proof lifts, and what is left of it."""

    kind: LimitKind
    limit: Money
    left: Money


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What an account's code says about it."""

    kind: AccountKind
    user_id: int | None = None
    merchant_id: int | None = None
    biller_id: int | None = None


def account_facts(code: str) -> AccountFacts:
    """Read an account code such as `escrow` or `merchant:12`. Raises ValueError for anything else."""
    name, colon, number = code.partition(":")
    kind = AccountKind(name)
    numbered = kind in {AccountKind.WALLET, AccountKind.MERCHANT, AccountKind.BILLER, AccountKind.CASH}
    if numbered != bool(colon) or (numbered and not re.fullmatch(r"[1-9][0-9]*", number)):
        raise ValueError(f"not an account code: {code!r}")
    return AccountFacts(
        kind,
        user_id=int(number) if kind is AccountKind.WALLET else None,
        merchant_id=int(number) if kind is AccountKind.MERCHANT else None,
        biller_id=int(number) if kind is AccountKind.BILLER else None,
    )


def wallet_code(user_id: int) -> str:
    """The ledger account of a person's wallet."""
    return f"wallet:{user_id}"


def class_for(level: int) -> WalletClass | None:
    """The class of wallet a verification level allows; none below level 1."""
    return CLASS_OF_LEVEL.get(level)


def period_start(wallet_class: WalletClass, moment: datetime) -> datetime | None:
    """From when payments count against the class limit; None counts all of them."""
    if wallet_class is WalletClass.I:
        return None
    return clock.at(clock.local(moment).date().replace(month=1, day=1), time(0))


def day_start(moment: datetime) -> datetime:
    """When the business day of a moment began."""
    return clock.at(clock.local(moment).date(), time(0))


def was_cleared_lately(pin_cleared_at: datetime | None, moment: datetime) -> bool:
    """Whether the PIN was cleared by hand within a day. Somebody else may hold the phone then: no code lifts the day's limit."""
    return pin_cleared_at is not None and pin_cleared_at + CLEARED_PIN_REST > moment


def day_limit(*, cleared_lately: bool) -> Money:
    """What a wallet may pay on a day, with every proof there is."""
    return DAY_LIMIT_PIN if cleared_lately else DAY_LIMIT_PIN_AND_CODE


def limit_hit(wallet_class: WalletClass, spent: Spent, amount: Money, *, cleared_lately: bool = False) -> LimitHit | None:
    """The limit an amount is above whatever is shown for it: the class's first, then the day's. None while it is within both."""
    limit = class_limit(wallet_class)
    if spent.period + amount > limit:
        kind = LimitKind.LIFETIME if wallet_class is WalletClass.I else LimitKind.YEAR
        return LimitHit(kind, limit, left_of(limit, spent.period))
    day = day_limit(cleared_lately=cleared_lately)
    if spent.today + amount > day:
        return LimitHit(LimitKind.CLEARED_PIN if cleared_lately else LimitKind.DAY, day, left_of(day, spent.today))
    return None


def needs_code(spent: Spent, amount: Money) -> bool:
    """Whether an amount within the limits needs a code from a text message beside the PIN."""
    return spent.today + amount > DAY_LIMIT_PIN


REFUSALS: dict[LimitKind, type[LimitExceeded]] = {
    LimitKind.LIFETIME: LifetimeLimitExceeded, LimitKind.YEAR: YearLimitExceeded, LimitKind.DAY: DayLimitExceeded,
    LimitKind.CLEARED_PIN: ClearedPinLimitExceeded,
}  # fmt: skip


def check_limits(wallet_class: WalletClass, spent: Spent, amount: Money, *, has_code: bool, cleared_lately: bool = False) -> None:
    """Refuse what the class or the day does not allow: the class first, then the day, then the proof.

    Raises a `LimitExceeded`, or `StepUpRequired` where a code from a text message would do.
    """
    hit = limit_hit(wallet_class, spent, amount, cleared_lately=cleared_lately)
    if hit is not None:
        raise REFUSALS[hit.kind](limit=hit.limit, left=hit.left)
    if needs_code(spent, amount) and not has_code:
        raise StepUpRequired(limit=DAY_LIMIT_PIN, left=left_of(DAY_LIMIT_PIN, spent.today))


def left_of(limit: Money, spent: Money) -> Money:
    """What remains of a limit, never below zero."""
    return max(limit - spent, Money(0))


def class_limit(wallet_class: WalletClass) -> Money:
    """What a class may pay in its period."""
    return LIFETIME_LIMIT if wallet_class is WalletClass.I else YEAR_LIMITS[wallet_class]


def check_new_pin(pin: str, phone: str) -> None:
    """Refuse a PIN that is not six digits (`PinMalformed`) or easy to guess (`PinTooEasy`)."""
    if not re.fullmatch(r"[0-9]{6}", pin):
        raise PinMalformed()
    repeats = any(pin == pin[:length] * (6 // length) for length in (1, 2, 3))
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    if repeats or steps in ({1}, {9}) or (phone and pin == phone[-6:]):
        raise PinTooEasy()
