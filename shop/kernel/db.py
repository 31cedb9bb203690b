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
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from enum import Enum
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import sqlalchemy as sa
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, DisconnectionError, IntegrityError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session

from shop.kernel.columns import MoneyType, TextEnum, UtcDateTime
from shop.kernel.errors import Busy, ShopError
from shop.kernel.money import Money

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
)
POSTGRESQL_TRANSIENT = {"40001", "40P01", "55P03"}
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
            listen_sqlite(database.engines["reading"], begin="BEGIN", pragmas=(*SQLITE_PRAGMAS, "query_only=ON"))


def sqlite_options() -> dict[str, Any]:
    return {"connect_args": {"timeout": 10}, "pool_size": 8, "max_overflow": 4}


def postgresql_options() -> dict[str, Any]:
    return {
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


def reading() -> Session:
    """The session for reading, one per request, job or command."""
    return database.session()


def finish_reading() -> None:
    """Let go of what `reading()` holds open, before something slow; what is read afterwards is read anew."""
    database.session.rollback()


_writing: ContextVar[Session | None] = ContextVar("writing", default=None)


@contextmanager
def transaction() -> Iterator[Session]:
    """Commit at the end of the block, roll back on any exception. Never nests: pass the session down.

    A named constraint that speaks becomes its refusal. What `reading()` had read is forgotten, so that
    pages drawn afterwards show the new state.
    """
    if _writing.get() is not None:
        raise RuntimeError("transaction() inside transaction(): pass the session down instead")
    database.session.rollback()
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
    except BaseException:
        session.rollback()
        raise
    finally:
        _writing.reset(token)
        session.close()


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


def is_transient(error: DBAPIError) -> bool:
    """Whether running the whole transaction again can succeed."""
    if getattr(error.orig, "sqlstate", None) in POSTGRESQL_TRANSIENT:
        return True
    return str(getattr(error.orig, "sqlite_errorname", "")).startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


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


def insert_once(session: Session, table: type[Base], **values: Any) -> int | None:
    """Insert a row unless its unique key is taken; the new id, or None when somebody was first.

    Tables only with an `id`. `RETURNING` is the honest answer here: row counts of such inserts are not.
    """
    insert: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = insert(table).values(**values).on_conflict_do_nothing().returning(table.__table__.c.id)
    return session.execute(statement).scalar_one_or_none()
