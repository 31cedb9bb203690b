"""What an invariant is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Invariant:
    """A promise: `statement` finds the rows that break it.

    It may name the times `:now`, `:five_minutes_ago`, `:fifteen_minutes_ago`, `:an_hour_ago`, `:a_day_ago`, and the `ages`
    that a feature brings.
    """

    name: str  # "ledger.cause_once": area, then what holds
    sentence: str  # what is true when nothing is found
    statement: str
    given: str = ""  # the WITH clause of the statement, where several share one

    def rows(self, session: Session, times: Iterable[sa.BindParameter[Any]]) -> Iterable[Row]:
        """The rows that break it, as they are found."""
        text = f"WITH {self.given} {self.statement}" if self.given else self.statement
        named = [time for time in times if f":{time.key}" in text]
        return (dict(row) for row in session.execute(sa.text(text).bindparams(*named)).mappings())


@dataclass(frozen=True, slots=True)
class ScriptedInvariant:
    """A promise that SQL alone cannot check."""

    name: str
    sentence: str
    script: Callable[[Session], Iterable[Row]]

    def rows(self, session: Session, times: Iterable[sa.BindParameter[Any]]) -> Iterable[Row]:
        """The rows that break it, as they are found."""
        return self.script(session)
