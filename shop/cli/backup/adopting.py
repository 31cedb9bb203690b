"""What is done to a database that was just restored, in a process of its own: its books are checked, and it is made to send nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from shop.accounts import operations as accounts
from shop.cli.verify.checks import Finding, broken
from shop.kernel import clock
from shop.kernel.db import database, finish_reading, operation, perform, reading
from shop.platform import outbox, pauses
from shop.platform.features import registry


def wrong_then(made_at: datetime, accepted: Sequence[str] = ()) -> list[Finding]:
    """The invariants that did not hold at the moment of the backup, but those that somebody accepts.

    At that moment: what waits for an hour by now did not then, and nobody could do it meanwhile.
    """
    unlimit()
    kept = [invariant for invariant in registry.invariants() if invariant.name not in accepted]
    with clock.apart():
        clock.move(made_at - (clock.now() - clock.shift()))
        found = broken(reading(), invariants=kept)
    finish_reading()
    return found


def unlimit() -> None:
    """Nobody waits for this database yet: the books of a large one may take their time."""
    if database.engines["reading"].dialect.name == "postgresql":
        reading().connection().exec_driver_sql("SET statement_timeout = 0")


@operation
def adopt(session: Session, ref: str, made_at: datetime) -> None:
    """From now on nothing is sent, messages that may have gone are not told again, and everybody signs in anew. Once per restore."""
    pauses.pause(session, ref, made_at)
    outbox.end_messages(session)
    accounts.close_doors(session)


def adopt_if_right(ref: str, made_at: datetime, accepted: Sequence[str] = ()) -> list[Finding]:
    """Check the books, and adopt the database when nothing is found; what was found."""
    found = wrong_then(made_at, accepted)
    if not found:
        perform(adopt, ref, made_at)
    return found
