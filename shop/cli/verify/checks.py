"""All invariants, and what breaks them now."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.cli.verify.facts import Facts
from shop.kernel import clock
from shop.kernel.columns import UtcDateTime
from shop.kernel.db import fault_code
from shop.platform.features import registry
from shop.platform.invariants import Invariant, Row, ScriptedInvariant

AGO = {
    "now": timedelta(0),
    "five_minutes_ago": timedelta(minutes=5),
    "fifteen_minutes_ago": timedelta(minutes=15),
    "an_hour_ago": timedelta(hours=1),
    "a_day_ago": timedelta(days=1),
}

Check = Invariant | ScriptedInvariant


@dataclass(frozen=True, slots=True)
class Finding:
    """An invariant that does not hold, with the first rows that break it and how many there are."""

    name: str
    sentence: str
    rows: tuple[Row, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one check ended. `finding` is None when it holds; `trouble` is a word of why it could not be made, of nobody's data."""

    name: str
    finding: Finding | None
    trouble: str
    milliseconds: int

    @property
    def holds(self) -> bool:
        return self.finding is None and not self.trouble


def broken(session: Session, *, invariants: Sequence[Check] | None = None, shown: int = 5) -> list[Finding]:
    """Those of `invariants` (all there are) that do not hold now; nothing when all do. Only reads, in any session."""
    asked = registry.invariants() if invariants is None else invariants
    found = (find(session, invariant, shown) for invariant in asked)
    return [finding for finding in found if finding is not None]


def find(session: Session, invariant: Check, shown: int = 5) -> Finding | None:
    """What breaks one invariant."""
    rows = iter(invariant.rows(session, times()))
    first = tuple(readable(row) for row in islice(rows, shown))
    return Finding(invariant.name, invariant.sentence, first, len(first) + sum(1 for _ in rows)) if first else None


def check(session: Session, invariants: Iterable[Check], facts: Facts, seen: Callable[[Outcome], None] = lambda _: None) -> list[Outcome]:
    """Check each in a snapshot, what they share worked out once. One that fails hides no other: it is told as not checked."""
    outcomes = []
    for invariant in invariants:
        began, finding, trouble = time.monotonic(), None, ""
        try:
            with session.begin_nested():
                asked = invariant
                if isinstance(invariant, Invariant) and invariant.given:
                    facts.provide(invariant)
                    statement = invariant.statement.strip()  # one may add queries of its own to those it is given
                    asked = replace(invariant, given="", statement=f"WITH {statement[1:]}" if statement.startswith(",") else statement)
                finding = find(session, asked)
        except Exception as error:
            facts.known.clear()  # what was made since the savepoint is gone with it
            trouble = fault_code(error) if isinstance(error, sa.exc.SQLAlchemyError) else type(error).__name__
        outcomes.append(Outcome(invariant.name, finding, trouble, int((time.monotonic() - began) * 1000)))
        seen(outcomes[-1])
    return outcomes


def times() -> Iterable[sa.BindParameter[Any]]:
    """The moments that statements may name."""
    moment = clock.now()
    return [sa.bindparam(name, moment - ago, type_=UtcDateTime()) for name, ago in (AGO | registry.ages()).items()]


def readable(row: Row) -> Row:
    """Sums as whole numbers, whatever the engine calls them."""
    return {name: int(value) if isinstance(value, Decimal) else value for name, value in row.items()}
