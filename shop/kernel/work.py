"""What this thread works on (a request, a job) and what it costs: `with begun("job", "bills.send", "4711") as work:`.

`watch_statements` has an engine count and time what is asked of it, and write down what takes long: the statement's text without
values, and the place in the shop that asked. The beginning and the end of transactions are not counted.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from shop.kernel.discretion import HIDDEN, discreet

log = logging.getLogger("shop.statements")

SHOWN_OF_STATEMENT = 600
LITERAL = re.compile(r"'[^']*'")


@dataclass(slots=True)
class Work:
    """One piece of work. `place` is a route's pattern or a job's kind, never a filled path."""

    kind: str  # "request" or "job"
    place: str
    number: str = ""  # what the answer calls the request, or the job's id
    actor: int | None = None
    statements: int = 0
    database_seconds: float = 0.0
    began: float = field(default_factory=time.perf_counter)

    @property
    def seconds(self) -> float:
        """How long it has taken until now."""
        return time.perf_counter() - self.began


_work: ContextVar[Work | None] = ContextVar("work", default=None)


def current() -> Work | None:
    """What is being worked on here; None outside of requests and jobs."""
    return _work.get()


@contextmanager
def begun(kind: str, place: str = "", number: str = "") -> Iterator[Work]:
    """Have everything in the block count as this work's."""
    token = _work.set(made := Work(kind, place, number))
    try:
        yield made
    finally:
        _work.reset(token)


def watch_statements(engine: sa.Engine, slow_seconds: float) -> None:
    """Count and time what is asked of an engine; what takes `slow_seconds` or more, or fails after that long, is written down."""

    def note(began: float, statement: str) -> None:
        seconds = time.perf_counter() - began
        work = _work.get()
        if work is not None:
            work.statements += 1
            work.database_seconds += seconds
        if seconds >= slow_seconds:
            tell_slow(statement, seconds, work)

    @sa.event.listens_for(engine, "before_cursor_execute")
    def ask(_connection: Any, _cursor: Any, _statement: str, _parameters: Any, context: Any, _many: bool) -> None:
        if context is not None:
            context.asked_at = time.perf_counter()

    @sa.event.listens_for(engine, "after_cursor_execute")
    def answered(_connection: Any, _cursor: Any, statement: str, _parameters: Any, context: Any, _many: bool) -> None:
        if context is None:
            return
        seconds = time.perf_counter() - context.asked_at  # as `note` does; said here again, for it is done at every statement
        work = _work.get()
        if work is not None:
            work.statements += 1
            work.database_seconds += seconds
        if seconds >= slow_seconds:
            tell_slow(statement, seconds, work)

    @sa.event.listens_for(engine, "handle_error")
    def failed(trouble: sa.engine.ExceptionContext) -> None:
        began: float | None = getattr(trouble.execution_context, "asked_at", None)
        if began is not None:
            note(began, trouble.statement or "")


def tell_slow(statement: str, seconds: float, work: Work | None) -> None:
    """Write down a statement that took long."""
    place = f"{work.kind} {work.place}" if work else "nothing known"
    log.warning(
        "slow statement, %s ms, for %s: %s", round(seconds * 1000), place, shape_of(statement),
        extra={"facts": {"ms": round(seconds * 1000), "place": place}},
    )  # fmt: skip


def shape_of(statement: str) -> str:
    """The text of a statement on one line, without any value: bound ones are not in it, literal ones are left out."""
    return discreet(LITERAL.sub(f"'{HIDDEN}'", " ".join(statement.split())))[:SHOWN_OF_STATEMENT]
