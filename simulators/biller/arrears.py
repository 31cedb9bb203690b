"""What an account owes: months, tiers, due dates and late fees. Pure arithmetic in fen."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta

from simulators.biller.households import Household
from simulators.biller.registry import Biller, Tier, tariffs

SMALLEST_POWER_LATE_FEE_FEN = 1_00

Month = tuple[int, int]


@dataclass(frozen=True)
class TierLine:
    """The part of a month's usage that fell into one tier; its amount is hundredths of a fen, not rounded."""

    period: str
    tier: int
    usage: int
    unit: str
    price_fen_per_unit_x100: int
    amount_fen_x100: int


@dataclass(frozen=True)
class Bill:
    """One unpaid month of one account, as of a day (the late fee grows)."""

    bill_ref: str
    period: str
    amount_fen: int
    late_fee_fen: int
    total_fen: int
    due_on: str
    usage: int | None
    unit: str | None
    previous_reading: int | None
    reading: int | None

    def as_json(self) -> dict[str, object]:
        """The bill as the protocol sends it."""
        return asdict(self)


def step(month: Month, by: int) -> Month:
    """The month so many months later (or earlier)."""
    index = month[0] * 12 + month[1] - 1 + by
    return index // 12, index % 12 + 1


def last_full_month(today: date) -> Month:
    """The newest month that has been billed: the one before today's."""
    return step((today.year, today.month), -1)


def months_between(first: Month, last: Month) -> list[Month]:
    """Every month from first to last, oldest first; none when first is after last."""
    found = []
    while first <= last:
        found.append(first)
        first = step(first, 1)
    return found


def period_name(month: Month) -> str:
    """`2026-10`."""
    return f"{month[0]:04d}-{month[1]:02d}"


def due_on(month: Month) -> date:
    """A month's bill is due on the last day of the month after it, so the newest bill is never late."""
    after = step(month, 2)
    return date(after[0], after[1], 1) - timedelta(days=1)


def bill_reference(biller: Biller, account_no: str, month: Month) -> str:
    """The biller's name for one month of one account; it tells nobody the account number."""
    digest = hashlib.sha256(f"{biller.code}|{account_no}|{period_name(month)}".encode()).hexdigest()
    return f"{month[0]:04d}{month[1]:02d}-{digest[:12]}"


def tier_lines(tiers: Sequence[Tier], usage: int, period: str) -> list[TierLine]:
    """Usage divided over the tiers; the lines stay exact, only their sum is rounded."""
    lines = []
    for tier in tiers:
        top = usage if tier.ends_at is None else min(usage, tier.ends_at)
        units = top - tier.starts_at
        if units > 0:
            price = tier.price_fen_per_unit_x100
            lines.append(TierLine(period, tier.number, units, tier.unit, price, units * price))
    return lines


def rounded_fen(lines: Sequence[TierLine]) -> int:
    """The sum of exact lines in fen, rounded half up once."""
    return (sum(line.amount_fen_x100 for line in lines) + 50) // 100


def late_fee_fen(biller: Biller, principal_fen: int, due: date, today: date) -> int:
    """Late fee per day of delay at the biller's rate, half up; power asks at least one yuan; never above the principal."""
    days = (today - due).days
    if days <= 0 or biller.late_fee_bp_per_day == 0 or principal_fen == 0:
        return 0
    fee = (principal_fen * biller.late_fee_bp_per_day * days + 5_000) // 10_000
    if biller.category == "electricity":
        fee = max(fee, SMALLEST_POWER_LATE_FEE_FEN)
    return min(fee, principal_fen)


def month_tier_lines(household: Household, month: Month) -> list[TierLine]:
    """The tier lines of one month; empty where no meter counts."""
    tiers = tariffs().get(household.biller.code, ())
    return tier_lines(tiers, household.usage(*month), period_name(month)) if tiers else []


def month_bill(household: Household, month: Month, today: date) -> Bill:
    """The bill of one month of one household as of today."""
    biller = household.biller
    lines = month_tier_lines(household, month)
    usage, unit, reading, previous = None, None, None, None
    if lines:
        usage, unit = household.usage(*month), lines[0].unit
        reading = household.reading_after(*month)
        previous, amount = reading - usage, rounded_fen(lines)
    else:
        amount = household.flat_fee_fen()
        if biller.category == "property":
            usage, unit = household.floor_area, "m2"
    due = due_on(month)
    fee = late_fee_fen(biller, amount, due, today)
    return Bill(
        bill_ref=bill_reference(biller, household.account_no, month),
        period=period_name(month),
        amount_fen=amount,
        late_fee_fen=fee,
        total_fen=amount + fee,
        due_on=due.isoformat(),
        usage=usage,
        unit=unit,
        previous_reading=previous,
        reading=reading,
    )
