"""One database per app: engines, sessions, and the only place that commits.

Reads go through `reading()`, writes through `perform(operation, ...)` or `transaction()`. The recipe behind the
two engines was measured; docs/decisions/0002-two-engines.md says what each setting is for.
"""

from __future__ import annotations

import random
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import datetime
from enum import Enum
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import psycopg
import sqlalchemy as sa
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy.exc import DBAPIError, DisconnectionError, IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.orm import DeclarativeBase, Session

from shop.kernel.columns import MoneyType, TextEnum, UtcDateTime
from shop.kernel.errors import Busy, ShopError, Unavailable
from shop.kernel.money import Money
from shop.kernel.statements import WorkedOut, insert_or_ignore, inserting_or_ignoring, table
from shop.kernel.work import watch_statements

P = ParamSpec("P")
T = TypeVar("T")

SQLITE_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "recursive_triggers=ON",
    "trusted_schema=OFF",
    "cell_size_check=ON",
)
POSTGRESQL_OPTIONS = (
    "-c statement_timeout=10000 -c lock_timeout=4000 -c idle_in_transaction_session_timeout=15000 -c timezone=UTC"
    " -c random_page_cost=1.1"  # no disk turns any more: a row found by an index costs little more than the next one of a scan
)
POSTGRESQL_TRANSIENT = {"40001", "40P01", "55P03"}
POSTGRESQL_BUSY = {"57014", "53300"}
"""A statement that ran out of time; no connection left."""

POSTGRESQL_AWAY = ("08", "53", "57P", "58", "25P03")
"""What SQLSTATE begins with when the server is away, short of room, or about to stop."""

SQLITE_TRANSIENT = ("SQLITE_BUSY", "SQLITE_LOCKED")
SQLITE_AWAY = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_PROTOCOL")
READ_ONLY = ("25006", "SQLITE_READONLY")
SQLITE_ANALYSIS = 400
"""So many rows of an index are looked at before a connection goes: SQLite's own advice, some milliseconds whatever the size."""

TRIES = 6
IDLE_SECONDS = 5.0


class Base(DeclarativeBase):
    """The one declarative base. Every constraint has a name, because names become sentences."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {Money: MoneyType(), datetime: UtcDateTime(), Enum: TextEnum, str: sa.Text(), int: sa.BigInteger()}


class StrayWrite(RuntimeError):
    """Rows were changed outside `perform` or `transaction()`: they would be lost without a word."""


class ReadingSession(FlaskSession):
    """The session of one request, job or command for reading. It cannot write, on either engine."""

    def get_bind(self, *_args: Any, **_options: Any) -> sa.Engine:
        return self._db.engines["reading"]


@sa.event.listens_for(ReadingSession, "before_flush")
def refuse_stray_writes(session: Session, _context: object, _instances: object) -> None:
    raise StrayWrite(f"changed but not in a transaction: {[*session.new, *session.dirty, *session.deleted]}")


database = SQLAlchemy(session_options={"class_": ReadingSession}, disable_autonaming=True)


def init_app(app: Flask) -> None:
    """Make the app's two engines: one that writes, one that cannot."""
    url = sa.make_url(app.config["DATABASE_URL"])
    is_sqlite = url.get_backend_name() == "sqlite"
    reading_options = sqlite_options() if is_sqlite else postgresql_reading_options()
    app.config.setdefault("SQLALCHEMY_DATABASE_URI", url)
    app.config.setdefault("SQLALCHEMY_ENGINE_OPTIONS", sqlite_options() if is_sqlite else postgresql_options())
    app.config.setdefault("SQLALCHEMY_BINDS", {"reading": {"url": url, **reading_options}})
    database.init_app(app)
    with app.app_context():
        if not is_sqlite:
            for engine in database.engines.values():
                ping_when_idle(engine)
        else:
            listen_sqlite(database.engines[None], begin="BEGIN IMMEDIATE", pragmas=SQLITE_PRAGMAS)
            optimize_when_closing(database.engines[None])
            listen_sqlite(database.engines["reading"], begin="BEGIN", pragmas=(*SQLITE_PRAGMAS, "query_only=ON"))
        for engine in database.engines.values():
            watch_statements(engine, app.config["SLOW_STATEMENT_MS"] / 1000)


def sqlite_file(url: str) -> Path | None:
    """Where a SQLite database lies; None for another engine or one in memory."""
    made = sa.make_url(url)
    return Path(made.database) if made.get_backend_name() == "sqlite" and made.database and made.database != ":memory:" else None


def sqlite_options() -> dict[str, Any]:
    return {"connect_args": {"timeout": 10}, "pool_size": 8, "max_overflow": 4, "pool_timeout": 5, "hide_parameters": True}


def postgresql_options() -> dict[str, Any]:
    return {
        "hide_parameters": True,  # what people typed belongs into no message
        "pool_size": 5,
        "max_overflow": 5,
        "pool_timeout": 5,
        "pool_recycle": 1800,
        "isolation_level": "READ COMMITTED",
        "connect_args": {"connect_timeout": 3, "options": POSTGRESQL_OPTIONS},
    }


def postgresql_reading_options() -> dict[str, Any]:
    """One statement, one snapshot: READ COMMITTED promises a page no more, so BEGIN and ROLLBACK are left out."""
    options = POSTGRESQL_OPTIONS + " -c default_transaction_read_only=on"
    return {**postgresql_options(), "isolation_level": "AUTOCOMMIT", "connect_args": {"connect_timeout": 3, "options": options}}


def ping_when_idle(engine: sa.Engine) -> None:
    """Ask a connection whether it is alive only after it lay idle: a purchase checks out eleven, all warm."""

    @sa.event.listens_for(engine, "checkin")
    def note(_connection: Any, record: Any) -> None:
        record.info["idle_since"] = time.monotonic()

    @sa.event.listens_for(engine, "checkout")
    def ping(connection: Any, record: Any, _proxy: Any) -> None:
        if time.monotonic() - record.info.get("idle_since", time.monotonic()) < IDLE_SECONDS:
            return
        try:
            alive = engine.dialect.do_ping(connection)
        except Exception as error:
            raise DisconnectionError() from error
        if not alive:
            raise DisconnectionError()


def listen_sqlite(engine: sa.Engine, begin: str, pragmas: tuple[str, ...]) -> None:
    """Take BEGIN out of the driver's hands: left to itself it reads outside transactions, and oversells."""

    @sa.event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        for pragma in pragmas:
            connection.execute("PRAGMA " + pragma)

    @sa.event.listens_for(engine, "begin")
    def begin_transaction(connection: sa.Connection) -> None:
        """Said to the driver itself: through SQLAlchemy's cursors this word costs as much as a query."""
        try:
            connection.connection.driver_connection.execute(begin)  # type: ignore[union-attr]  # there is one: it has just begun
        except sqlite3.OperationalError as error:
            raise OperationalError(begin, None, error) from error


def optimize_when_closing(engine: sa.Engine) -> None:
    """Before a connection goes, SQLite learns anew of the tables it asked that have grown, as its manual advises.

    Somebody else may be writing: then it is left for another time, nobody waits for it.
    """

    @sa.event.listens_for(engine, "close")
    def optimize(connection: Any, _record: object) -> None:
        with suppress(sqlite3.Error):
            connection.execute("PRAGMA busy_timeout=0")
            connection.execute(f"PRAGMA analysis_limit={SQLITE_ANALYSIS}")
            connection.execute("PRAGMA optimize")


def close_connections() -> None:
    """Give the connections of this process back before it ends; one that is in use is left alone."""
    for engine in database.engines.values():
        engine.dispose()


def reading() -> Session:
    """The session for reading, one per request, job or command."""
    return database.session()


def finish_reading() -> None:
    """Let go of what `reading()` holds open, before something slow; what is read afterwards is read anew."""
    session = database.session()
    session.rollback()
    session.info.clear()


_writing: ContextVar[Session | None] = ContextVar("writing", default=None)


@contextmanager
def transaction() -> Iterator[Session]:
    """Commit at the end of the block, roll back on any exception. Never nests: pass the session down.

    A named constraint that speaks becomes its refusal, a database that is away or full `Unavailable`. What `reading()`
    had read is forgotten, so that
    pages drawn afterwards show the new state.
    """
    if _writing.get() is not None:
        raise RuntimeError("transaction() inside transaction(): pass the session down instead")
    finish_reading()
    session = Session(database.engines[None], expire_on_commit=False)
    token = _writing.set(session)
    try:
        yield session
        session.commit()
    except IntegrityError as broken:
        session.rollback()
        refusal = CONSTRAINT_REFUSALS.get(constraint_name(broken))
        if refusal is None:
            raise
        raise refusal() from broken
    except (DBAPIError, PoolExhausted) as error:
        session.rollback()
        if is_transient(error):
            raise
        refuse_fault(error, writes=True)
        raise
    except BaseException:
        session.rollback()
        raise
    finally:
        _writing.reset(token)
        session.close()


def refresh_statistics() -> None:
    """Let the planner know how many rows there are now and how they are spread. Some tenths of a second; may be told at any time.

    SQLite looks at a thousand rows of each index, PostgreSQL at a sample of each table. It keeps them itself as well, but not at once.
    """
    engine = database.engines[None]
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        else:
            connection.exec_driver_sql("PRAGMA analysis_limit = 1000")
        connection.exec_driver_sql("ANALYZE")


def perform(operation: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run one operation in one transaction; the whole of it again where that can heal (busy, deadlock).

    Six tries with jitter, then `Busy`. The operation must therefore be free of effects outside the database.
    """
    for attempt in range(TRIES):
        try:
            with transaction() as session:
                return operation(session, *args, **kwargs)
        except DBAPIError as error:
            if not is_transient(error):
                raise
            if attempt + 1 == TRIES:
                raise Busy() from error
            time.sleep(random.uniform(0, 0.02 * 2**attempt))
    raise AssertionError("unreachable")


def is_transient(error: SQLAlchemyError) -> bool:
    """Whether running the whole transaction again can succeed."""
    code = fault_code(error)
    return code in POSTGRESQL_TRANSIENT or code.startswith(SQLITE_TRANSIENT)


def refuse_fault(error: SQLAlchemyError, *, writes: bool = False) -> None:
    """Raise `Unavailable` or `Busy` if the trouble is the database's own; return if it is a defect of ours.

    That something may only be read is the database's trouble where we may write, and a defect where we may not.
    """
    code = fault_code(error)
    if isinstance(error, PoolExhausted) or code in POSTGRESQL_BUSY or is_transient(error):
        raise Busy() from error
    if code.startswith(POSTGRESQL_AWAY) or code.startswith(SQLITE_AWAY) or (writes and code.startswith(READ_ONLY)) or is_lost(error):
        raise Unavailable() from error


def cause_of(trouble: Exception) -> str:
    """Which code of the database was behind a `Busy` or `Unavailable`, for the log."""
    cause = trouble.__cause__
    return fault_code(cause) if isinstance(cause, SQLAlchemyError) else "no room in time"


def is_lost(error: SQLAlchemyError) -> bool:
    """Whether there was no connection, or it broke."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, DisconnectionError)
    without_word = isinstance(error.orig, psycopg.OperationalError) and error.orig.sqlstate is None
    return error.connection_invalidated or without_word


def fault_code(error: SQLAlchemyError) -> str:
    """SQLSTATE, or SQLite's name of the error; the kind of exception where there is neither. Holds nothing of anybody."""
    orig = getattr(error, "orig", None)
    return str(getattr(orig, "sqlstate", None) or getattr(orig, "sqlite_errorname", None) or type(error).__name__)


CONSTRAINT_REFUSALS: dict[str, type[ShopError]] = {}
OPERATIONS: dict[str, Callable[..., Any]] = {}


def refuse(constraint: str, refusal: type[ShopError]) -> None:
    """Let a named constraint answer people with a sentence."""
    CONSTRAINT_REFUSALS[constraint] = refusal


def constraint_name(error: IntegrityError) -> str:
    """The name of the constraint that spoke, on either engine; empty when it has none."""
    diagnosis = getattr(error.orig, "diag", None)
    if diagnosis is not None:
        return diagnosis.constraint_name or ""
    text = str(error.orig)
    if found := re.match(r"CHECK constraint failed: (\w+)", text):
        return found[1]
    if found := re.match(r"UNIQUE constraint failed: (.+)", text):
        columns = [column.strip().split(".") for column in found[1].split(",")]
        if all(len(column) == 2 for column in columns):
            return "_".join(["uq", columns[0][0], *(column[1] for column in columns)])
    return ""


def operation(function: Callable[Concatenate[Session, P], T]) -> Callable[Concatenate[Session, P], T]:
    """Mark a function as one business write: needs an open transaction, ends flushed, so constraints speak here."""

    @wraps(function)
    def run(session: Session, *args: P.args, **kwargs: P.kwargs) -> T:
        if _writing.get() is not session:
            raise RuntimeError(f"{function.__qualname__} writes; call it inside `perform` or `transaction()`")
        result = function(session, *args, **kwargs)
        session.flush()
        return result

    OPERATIONS[f"{function.__module__}.{function.__name__}"] = function
    return run  # type: ignore[return-value]  # the session is always passed by position


def take(session: Session, statement: sa.Update | sa.Insert | sa.Delete) -> bool:
    """Run a conditional statement and say whether it changed exactly one row. The guard of every scarce thing."""
    result: Any = session.execute(statement.execution_options(synchronize_session=False))
    return bool(result.rowcount == 1)


def insert_once(session: Session, model: type[Base], **values: Any) -> int | None:
    """Insert a row unless its unique key is taken; the new id, or None when somebody was first. Values may be `WorkedOut`.

    Tables only with an `id`. `RETURNING` is the honest answer here: row counts of such inserts are not.
    """
    into = table(model)
    worked_out = {name: value for name, value in values.items() if type(value) is WorkedOut}
    if not worked_out:
        return session.connection().execute(insert_or_ignore(into, into.c.id).of(session), values).scalar_one_or_none()
    for name, value in worked_out.items():
        del values[name]
        values.update(value.parameters)
    statement = inserting_or_ignoring(into, into.c.id, worked_out).of(session)
    return session.connection().execute(statement, values).scalar_one_or_none()
