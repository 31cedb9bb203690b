"""A look at the whole database that stays the same while it lasts, and what several checks want to know worked out once in it.

Facts are temporary tables. They, and everything else done in a snapshot, are gone when it ends.
"""

# ruff: noqa: S608  (names of tables and queries of our own, nothing that anybody sends)

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel.db import database
from shop.platform.invariants import Invariant


@contextmanager
def snapshot(*, longest_seconds: int = 0) -> Iterator[Session]:
    """A session that sees one moment, whatever others commit; rolled back at the end. Waits for no lock of writers, and they not for it.

    A statement may take `longest_seconds` (0: as long as it takes; PostgreSQL only).
    """
    engine = database.engines["reading"]
    is_sqlite = engine.dialect.name == "sqlite"
    with engine.connect() as plain:
        connection = plain if is_sqlite else plain.execution_options(isolation_level="REPEATABLE READ")
        with Session(connection) as session:
            if not is_sqlite:
                session.execute(sa.text("SET TRANSACTION READ WRITE"))  # for temporary tables; all is rolled back
                session.execute(sa.text(f"SET LOCAL statement_timeout = {int(longest_seconds) * 1000}"))
                session.execute(sa.text("SET LOCAL idle_in_transaction_session_timeout = 0"))
                session.execute(sa.text("SET LOCAL work_mem = '64MB'"))
            yield session  # closed without a commit: nothing is kept


@contextmanager
def making_tables(session: Session) -> Iterator[None]:
    """Let the block make temporary tables on a SQLite connection that may otherwise only read."""
    driver: Any = session.connection().connection.driver_connection
    if session.get_bind().dialect.name != "sqlite":
        yield
        return
    (only_reads,) = driver.execute("PRAGMA query_only").fetchone()
    driver.execute("PRAGMA query_only=OFF")
    try:
        yield
    finally:
        driver.execute(f"PRAGMA query_only={only_reads}")


def make_table(session: Session, name: str, query: str, **values: Any) -> None:
    """Put what a query finds into a temporary table, in place of one of that name."""
    with making_tables(session):
        drop_table(session, name)
        session.execute(sa.text(f"CREATE TEMPORARY TABLE {name} AS {query}").bindparams(**values))
        if session.get_bind().dialect.name == "postgresql":
            session.execute(sa.text(f"ANALYZE {name}"))


def drop_table(session: Session, name: str) -> None:
    """Forget a temporary table; a table of the shop with that name is not touched."""
    place = "temp" if session.get_bind().dialect.name == "sqlite" else "pg_temp"
    session.execute(sa.text(f"DROP TABLE IF EXISTS {place}.{name}"))


class Facts:
    """The facts that invariants are given, each worked out when the first of them asks for it."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.known: dict[str, str] = {}

    def provide(self, invariant: Invariant) -> None:
        """Have the tables there that the statement of an invariant names."""
        for name, query in parts(invariant.given).items():
            if self.known.get(name) != query:
                self.known.pop(name, None)
                make_table(self.session, name, query)
                self.known[name] = query

    def forget(self) -> None:
        """Drop all facts: what they were worked out from is about to be looked at otherwise."""
        with making_tables(self.session):
            for name in self.known:
                drop_table(self.session, name)
        self.known.clear()


def parts(given: str) -> dict[str, str]:
    """The named queries of a WITH clause, each as a query of its own."""
    found, rest = {}, given.strip()
    is_recursive = rest.startswith("RECURSIVE ")
    rest = rest.removeprefix("RECURSIVE ")
    while begun := re.match(r"(\w+) AS \(", rest := rest.lstrip(" \n,")):
        end = closing(rest, begun.end() - 1)
        name, body = begun[1], rest[begun.end() : end]
        found[name] = f"WITH RECURSIVE {name} AS ({body}) SELECT * FROM {name}" if is_recursive and is_named(name, body) else body.strip()
        rest = rest[end + 1 :]
    return found


def is_named(name: str, body: str) -> bool:
    return name in re.findall(r"\w+", body)


def closing(text: str, opened: int) -> int:
    """Where the bracket that opens at a place is closed, quoted texts left out."""
    depth, is_quoted = 0, False
    for place in range(opened, len(text)):
        if text[place] == "'":
            is_quoted = not is_quoted
        elif not is_quoted:
            depth += {"(": 1, ")": -1}.get(text[place], 0)
            if depth == 0:
                return place
    raise ValueError("a bracket is not closed")
