"""What is kept how long, and forgetting it. Each feature says it of its tables, in `Feature.keeps`; docs/operations/retention.md tells why.

Rows are forgotten in small batches, each a transaction of its own, walking along the key from where the last round ended: the cost is
that of what is new, and nothing is sorted or scanned. A row that must stay when it comes of age stays for good (a later rule may end it),
so `when` names what is final at that age.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from shop.kernel import clock
from shop.kernel.db import Base, finish_reading, operation, perform
from shop.platform import marks

BATCH = 500
"""Rows looked at in one transaction: some milliseconds, so that nobody who writes beside it waits."""

SECONDS = 60.0
"""How long one round goes on; the next one goes on from there."""


@dataclass(frozen=True, slots=True)
class Forget:
    """Rows older than `after`, by a time that rises with the key, are deleted where `when` holds. `first` empties tables that name them."""

    after: timedelta
    by: InstrumentedAttribute[datetime]
    when: Callable[[], sa.ColumnElement[bool]] | None = None
    first: tuple[InstrumentedAttribute[int], ...] = ()


@dataclass(frozen=True, slots=True)
class Keep:
    """How long the rows of a table are kept, and why, in a few words. Without `forget`: as long as what they belong to, or for good.

    `elsewhere` says that the feature has a job of its own for it.
    """

    why: str
    forget: tuple[Forget, ...] = ()
    elsewhere: bool = False


Keeps = dict[type[Base], Keep]

LAW = "The law on e-commerce asks for records of trade for three years and more, the rules for payments for five: nothing of it is deleted."
PLACES = "Few rows, in use as long as the shop is."


def prune(model: type[Base], rule: Forget, number: int, until: float) -> int:
    """Forget what a rule lets go of, until a moment of `time.monotonic()`; the number of rows."""
    name, count = f"prune:{model.__tablename__}:{number}", 0
    while time.monotonic() < until:
        gone, is_over = perform(prune_some, model, rule, name)
        count += gone
        if is_over:
            break
    finish_reading()
    return count


@operation
def prune_some(session: Session, model: type[Base], rule: Forget, name: str) -> tuple[int, bool]:
    """Look at the next rows and delete those to be forgotten; how many went, and whether no more are old enough.

    The newest row of all stays: SQLite would give its number to another, and numbers are what keys of jobs are made of.
    """
    key: Any = sa.inspect(model).primary_key[0]
    done = marks.read(session, [name]).get(name, 0)
    newest = session.scalar(sa.select(sa.func.max(key))) or 0
    looked = session.execute(sa.select(key, rule.by).where(key > done, key < newest).order_by(key).limit(BATCH)).all()
    border = clock.now() - rule.after
    old = []
    for row in looked:
        if row[1] is not None and row[1] >= border:
            break
        old.append(row[0])
    if not old:
        return 0, True
    wanted = [key > done, key <= old[-1], rule.by < border, *([rule.when()] if rule.when else [])]
    ids = list(session.scalars(sa.select(key).where(*wanted)))
    for child in rule.first:
        session.execute(sa.delete(child.class_).where(child.in_(ids)).execution_options(synchronize_session=False))
    session.execute(sa.delete(model).where(key.in_(ids)).execution_options(synchronize_session=False))
    marks.put(session, name, old[-1])
    return len(ids), len(old) < BATCH
