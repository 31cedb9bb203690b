"""All invariants, and what breaks them now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.cli.verify import bills, ledger, orders, payments, pickup, plumbing, stock
from shop.cli.verify.invariant import Invariant, Row, ScriptedInvariant
from shop.kernel import clock
from shop.kernel.columns import UtcDateTime

INVARIANTS: tuple[Invariant | ScriptedInvariant, ...] = (
    *ledger.INVARIANTS,
    *payments.INVARIANTS,
    *orders.INVARIANTS,
    *stock.INVARIANTS,
    *bills.INVARIANTS,
    *pickup.INVARIANTS,
    *plumbing.INVARIANTS,
)

AGO = {
    "now": timedelta(0),
    "five_minutes_ago": timedelta(minutes=5),
    "fifteen_minutes_ago": timedelta(minutes=15),
    "an_hour_ago": timedelta(hours=1),
    "a_day_ago": timedelta(days=1),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """An invariant that does not hold, with the first rows that break it and how many there are."""

    name: str
    sentence: str
    rows: tuple[Row, ...]
    count: int


def broken(
    session: Session, *, invariants: Sequence[Invariant | ScriptedInvariant] = INVARIANTS, shown: int = 5
) -> list[Finding]:
    """The invariants that do not hold now; nothing when all do. Only reads."""
    findings = []
    for invariant in invariants:
        rows = iter(invariant.rows(session, times()))
        first = tuple(readable(row) for row in islice(rows, shown))
        if first:
            findings.append(Finding(invariant.name, invariant.sentence, first, len(first) + sum(1 for _ in rows)))
    return findings


def times() -> Iterable[sa.BindParameter[Any]]:
    """The moments that statements may name."""
    moment = clock.now()
    return [sa.bindparam(name, moment - ago, type_=UtcDateTime()) for name, ago in AGO.items()]


def readable(row: Row) -> Row:
    """Sums as whole numbers, whatever the engine calls them."""
    return {name: int(value) if isinstance(value, Decimal) else value for name, value in row.items()}
