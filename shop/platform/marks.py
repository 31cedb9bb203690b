"""How far somebody has come along tables that only grow, and how each invariant stood: written down, and asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.db import operation
from shop.models.platform import InvariantCheck, Mark

LATE_COMMITS = timedelta(minutes=10)
"""No transaction that took a number is still open after this long: statements end after ten seconds, idle ones after fifteen."""


def read(session: Session, names: Iterable[str]) -> dict[str, int]:
    """The marks there are."""
    wanted = sa.select(Mark.name, Mark.up_to).where(Mark.name.in_(list(names)))
    return {row.name: row.up_to for row in session.execute(wanted)}


@operation
def put(session: Session, name: str, up_to: int) -> None:
    """Say how far somebody has come."""
    mark = session.get(Mark, name) or Mark(name=name, seen=0)
    mark.up_to, mark.seen, mark.seen_at = up_to, up_to, clock.now()
    session.add(mark)


def follow(session: Session, tops: Mapping[str, int]) -> None:
    """Move marks to what was newest when it was last noted, once that is old enough for every number below to be there; note what is now.

    A mark that is not there yet is put where the table ends: what is older is looked at by whole checks.
    """
    moment = clock.now()
    for name, top in tops.items():
        mark = session.get(Mark, name)
        if mark is None:
            session.add(Mark(name=name, up_to=top, seen=top, seen_at=moment))
        elif mark.seen_at <= moment - LATE_COMMITS:
            mark.up_to, mark.seen, mark.seen_at = mark.seen, top, moment


@dataclass(frozen=True, slots=True)
class Checked:
    """How a check ended, as it is written down."""

    name: str
    rows: int
    trouble: str
    milliseconds: int
    is_whole: bool


@operation
def note_round(session: Session, checked: Iterable[Checked], tops: Mapping[str, int]) -> tuple[list[str], list[str]]:
    """Write down a round of checks, and go on from there; the invariants that broke in it, and those that hold again."""
    moment, broke, mended = clock.now(), [], []
    for one in checked:
        row = session.get(InvariantCheck, one.name) or InvariantCheck(name=one.name, rows=0)
        if one.rows and row.broken_since is None:
            broke.append(one.name)
            row.broken_since = moment
        if one.is_whole and not one.rows and not one.trouble and row.broken_since is not None:
            mended.append(one.name)
            row.broken_since = None
        row.checked_at, row.rows, row.trouble, row.milliseconds = moment, one.rows, one.trouble, one.milliseconds
        row.whole_at = moment if one.is_whole and not one.trouble else row.whole_at
        session.add(row)
    follow(session, tops)
    return broke, mended
