"""What the shop writes down about faults: where and of what kind, never what somebody typed or what a row holds.

Every log record of this process goes through `discreet_record`, whoever makes it: figures that could be a phone, a code, a PIN or an
account number become `…`, long tokens and what stands behind a `?` too, and an exception is told by its class, its place and, of a
database, the names of what refused. Its own words are left out, because they quote: `Failing row contains (…)`, `invalid literal …`.
"""

from __future__ import annotations

import logging
import re
import sqlite3
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any

import psycopg
from sqlalchemy.exc import DBAPIError

from shop.kernel.errors import ShopError

HIDDEN = "…"
QUERY = re.compile(r"(?<=[^\s\"'(])\?[^\s\"']+")
TOKEN = re.compile(r"(?<![\w-])(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{24,}(?![\w-])")
FIGURES = re.compile(
    r"(?<![\w.])(?:\+?86[ -]?)?1[3-9]\d(?:[ -]?\d{4}){2}(?!\w)"  # a phone as people write it
    r"|(?<![\w.])(?!\d{4}-\d\d-\d\d(?!\d))\d+(?:-\d+){2,}(?!\w)"  # a flat, but not a date
    r"|(?<![\w.])\d{6,}(?!\w)"
)
QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|‘[^’]*’|“[^”]*”")

# What the interpreter says by itself names our own attributes and functions.
SPEAKS_OF_CODE = (AttributeError, NameError, TypeError, ImportError, NotImplementedError, RecursionError)
SHOWN_OF_STATEMENT = 300

Where = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def discreet(text: str) -> str:
    """A text without what could be somebody's number, code, token or query."""
    return TOKEN.sub(HIDDEN, FIGURES.sub(HIDDEN, QUERY.sub(f"?{HIDDEN}", text)))


def told(error: BaseException, limit: int | None = None) -> str:
    """A traceback that quotes nothing: the chain of errors, each with its place (`limit` as `traceback` has it), its class and `said`."""
    parts = []
    for link in reversed(list(chain(error))):
        frames = traceback.format_tb(link.__traceback__, limit)
        words = said(link)
        parts.append("".join(frames) + f"{type(link).__module__}.{type(link).__qualname__}" + (f": {words}" if words else ""))
    return "Traceback (most recent call last):\n" + "\n\nand then:\n\n".join(parts)


def chain(error: BaseException) -> Iterator[BaseException]:
    """An error and what led to it, the last one first."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def said(error: BaseException) -> str:
    """What may be told of an error beside its class."""
    if isinstance(error, ShopError):
        return error.code
    if isinstance(error, DBAPIError):
        statement = " ".join((error.statement or "").split())[:SHOWN_OF_STATEMENT]
        return "; ".join(part for part in (said(error.orig) if error.orig else "", discreet(statement)) if part)
    if isinstance(error, psycopg.Error):
        found = (error.sqlstate, error.diag.table_name, error.diag.column_name, error.diag.constraint_name)
        return " ".join(str(part) for part in found if part)
    if isinstance(error, sqlite3.Error):
        return discreet(QUOTED.sub(HIDDEN, str(error)))
    if isinstance(error, OSError):
        return error.strerror or ""
    return discreet(str(error)) if isinstance(error, SPEAKS_OF_CODE) else ""


_plain_record = logging.getLogRecordFactory()


def discreet_record(*args: Any, **options: Any) -> logging.LogRecord:
    """A log record that may be kept."""
    record = _plain_record(*args, **options)
    if isinstance(record.args, tuple):  # numbers are ours: ids, counts, ports
        record.args = tuple(one if isinstance(one, int | float) else spoken(one) for one in record.args)
        record.msg = discreet(str(record.msg))
    else:  # named values, as access logs have them
        record.msg, record.args = discreet(record.getMessage()), ()
    if record.exc_info and record.exc_info[1] is not None:
        record.exc_text, record.exc_info = told(record.exc_info[1]), None
    return record


def spoken(value: object) -> str:
    return (said(value) or type(value).__qualname__) if isinstance(value, BaseException) else discreet(str(value))


def install() -> None:
    """Have every logger of this process write discreetly. Again is harmless."""
    logging.setLogRecordFactory(discreet_record)
