"""A round of checks every few minutes: what has changed at once, everything within a day, what is broken until it is whole again."""

# ruff: noqa: S608  (names of tables and queries of our own, nothing that anybody sends)

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.cli.tags import Done
from shop.cli.verify.checks import Outcome, check
from shop.cli.verify.facts import Facts, snapshot
from shop.cli.verify.slices import EVERY_ROUND, SLICES, SOURCES, cut
from shop.kernel import clock
from shop.kernel.db import finish_reading, operation, perform, reading
from shop.models.platform import InvariantCheck
from shop.platform import audit, marks
from shop.platform.actor import JOB
from shop.platform.features import registry
from shop.platform.marks import Checked

log = logging.getLogger("shop.verify")

WHOLE_EVERY = timedelta(days=1)
SECONDS_FOR_WHOLE = 30.0
"""How long one round goes on beginning whole checks: all of them are made within a day, and a round ends within its lease."""
LONGEST_STATEMENT = 60

Seen = Callable[[Outcome], None]


def nothing(_outcome: Outcome) -> None:
    return None


def run_round(*, seconds: float = SECONDS_FOR_WHOLE, seen: Seen = nothing) -> list[Outcome]:
    """Check what has changed since the last round, then of the rest what was not checked whole for longest; write down how all stood."""
    standing = {row.name: row for row in reading().scalars(sa.select(InvariantCheck))}
    suspects = {name for name, row in standing.items() if row.broken_since is not None or row.trouble}
    whole_at = {name: row.whole_at for name, row in standing.items()}
    marked = marks.read(reading(), map(mark_of, SOURCES))
    finish_reading()
    began = time.monotonic()
    with snapshot(longest_seconds=LONGEST_STATEMENT) as session:
        tops = {mark_of(source): int(session.scalar(sa.text(f"SELECT MAX(id) FROM {source}")) or 0) for source in SOURCES}
        since = {source: marked.get(mark_of(source), tops[mark_of(source)]) for source in SOURCES}
        facts = Facts(session)
        sliced = check_slices(session, facts, since, suspects, seen)
        now = [one for one in registry.invariants() if one.name in EVERY_ROUND or one.name in suspects]
        whole = check(session, now, facts, seen)
        old = clock.now() - WHOLE_EVERY
        due = [one for one in registry.invariants() if one not in now and ((when := whole_at.get(one.name)) is None or when < old)]
        for one in sorted(due, key=lambda one: str(whole_at.get(one.name) or "")):
            if time.monotonic() - began > seconds:
                break
            whole += check(session, [one], facts, seen)
    perform(note, [*(told(one, False) for one in sliced), *(told(one, True) for one in whole)], tops)
    return [*sliced, *whole]


def mark_of(source: str) -> str:
    return f"verify:{source}"


def check_slices(session: Session, facts: Facts, since: dict[str, int], suspects: set[str], seen: Seen) -> list[Outcome]:
    """Check what belongs to what has changed. When a slice cannot be made its invariants count as not checked."""
    outcomes: list[Outcome] = []
    for part in SLICES:
        asked = [one for one in registry.invariants() if one.name in part.invariants and one.name not in suspects]
        try:
            with session.begin_nested(), cut(session, part, since):
                outcomes += check(session, asked, facts, seen)
                facts.forget()
        except sa.exc.SQLAlchemyError:
            log.exception("the slice of %s could not be made", part.name)
            facts.known.clear()
            done = {outcome.name for outcome in outcomes}
            outcomes += [Outcome(one.name, None, "not cut out", 0) for one in asked if one.name not in done]
    return outcomes


def told(outcome: Outcome, is_whole: bool) -> Checked:
    rows = outcome.finding.count if outcome.finding else 0
    return Checked(outcome.name, rows, outcome.trouble, outcome.milliseconds, is_whole)


@operation
def note(session: Session, checked: list[Checked], tops: dict[str, int]) -> None:
    """Write a round down. What broke, and what holds again, is put on record."""
    broke, mended = marks.note_round(session, checked, tops)
    rows = {one.name: one.rows for one in checked}
    for name in broke:
        audit.record(session, JOB, Done.INVARIANT_BROKEN, "invariant", 0, invariant=name, rows=rows[name])
        log.error("invariant %s does not hold", name)
    for name in mended:
        audit.record(session, JOB, Done.INVARIANT_MENDED, "invariant", 0, invariant=name, rows=rows[name])
        log.warning("invariant %s holds again", name)
