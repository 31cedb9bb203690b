"""Going over everything that is sealed: which keys are in use, what cannot be opened, and sealing it anew under the newest key.

Reads and writes what is stored, past the column types. Resealing takes few rows in each transaction, and only rows that somebody else
has not written meanwhile; it may stop anywhere and be run again while the shop runs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import keys
from shop.kernel.db import Base, operation, take
from shop.kernel.keys import CannotOpen
from shop.kernel.sealing import hash_columns, sealed_columns

BATCH = 200
READ_AT_ONCE = 1_000


def stored(table: sa.Table) -> sa.TableClause:
    """A table as it is stored: key, sealed text and hashes."""
    names = [*(column.name for column in sealed_columns(Base.metadata)[table]), *hash_columns(table)]
    return sa.table(table.name, sa.column("id", sa.BigInteger), *(sa.column(name, sa.Text) for name in names))


def sealed_tables() -> dict[sa.TableClause, list[str]]:
    """Every table with sealed columns, as it is stored, and their names."""
    return {stored(table): [column.name for column in columns] for table, columns in sealed_columns(Base.metadata).items()}


def versions_in_use(session: Session) -> dict[str, Counter[str]]:
    """How many values of each column are under which version; `?` are those whose beginning is no version."""
    found: dict[str, Counter[str]] = {}
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    for table, names in sealed_tables().items():
        for name in names:
            column = table.c[name]
            end = sa.func.instr(column, ":") - 1 if is_sqlite else sa.func.strpos(column, ":") - 1
            version = sa.case((end > 0, sa.func.substr(column, 1, sa.case((end > 0, end), else_=0))), else_="?")
            counted = sa.select(version.label("version"), sa.func.count()).where(column.is_not(None), column != "").group_by("version")
            counts = Counter({str(row[0]): int(row[1]) for row in session.execute(counted)})
            found[f"{table.name}.{name}"] = Counter({known_version(text): count for text, count in counts.items()})
    return found


def known_version(text: str) -> str:
    return text if text.isascii() and text.isdigit() and len(text) < 6 else "?"


def rows(session: Session, table: sa.TableClause) -> Iterator[Any]:
    """Every row of a table as it is stored, in order."""
    after = 0
    while found := session.execute(sa.select(table).where(table.c.id > after).order_by(table.c.id).limit(READ_AT_ONCE)).all():
        yield from found
        after = found[-1].id


def unopened(session: Session) -> Iterator[dict[str, Any]]:
    """Where a value is stored that none of our keys opens."""
    for table, names in sealed_tables().items():
        for row in rows(session, table):
            for name in names:
                if opened(table.name, name, row) is CANNOT_OPEN:
                    yield {"table": table.name, "id": row.id, "column": name}


def not_found(session: Session) -> Iterator[dict[str, Any]]:
    """Where a hash is stored that is not the one of its value; values that cannot be opened are told by `unopened`."""
    for table in sealed_columns(Base.metadata):
        hashes = hash_columns(table)
        for row in rows(session, stored(table)) if hashes else ():
            yield from ({"table": table.name, "id": row.id, "column": name} for name in wrong_hashes(table.name, row, hashes))


Hashes = dict[str, tuple[str, str, Callable[[str], str]]]
CANNOT_OPEN = object()


def opened(table: str, name: str, row: Any) -> Any:
    """A value of a stored row; `CANNOT_OPEN` when it is none of ours."""
    value = row._mapping[name]
    try:
        return None if value is None else keys.ring().open(f"{table}.{name}", value)
    except CannotOpen:
        return CANNOT_OPEN


def wrong_hashes(table: str, row: Any, hashes: Hashes) -> dict[str, str]:
    """The hash columns of a stored row that do not say what its values are found by, and what they should say."""
    found = {}
    for name, (sealed, purpose, part) in hashes.items():
        value = opened(table, sealed, row)
        if value is not CANNOT_OPEN and (right := keys.ring().find(purpose, part(value))) != row._mapping[name]:
            found[name] = right
    return found


def outdated(table: sa.TableClause, names: list[str]) -> sa.ColumnElement[bool]:
    """Rows that hold a value under another version than the newest."""
    newest = f"{keys.ring().newest}:%"
    return sa.or_(*(sa.and_(table.c[name].is_not(None), table.c[name] != "", table.c[name].not_like(newest)) for name in names))


def count_outdated(session: Session) -> int:
    """How many rows are still to be sealed anew."""
    counts = (session.scalar(sa.select(sa.func.count()).where(outdated(table, names))) for table, names in sealed_tables().items())
    return sum(count or 0 for count in counts)


@operation
def reseal(session: Session, table: sa.TableClause, names: list[str], after: int) -> tuple[int, int | None]:
    """Seal the next rows of a table under the newest key: how many, and after which id to go on; None at the end.

    A row that somebody else writes meanwhile is left as they wrote it. Raises `CannotOpen` when a key is missing.
    """
    wanted = sa.select(table).where(table.c.id > after, outdated(table, names)).order_by(table.c.id).limit(BATCH)
    found, ring, done = session.execute(wanted).all(), keys.ring(), 0
    for row in found:
        old = {name: row._mapping[name] for name in names if row._mapping[name]}
        new = {name: ring.seal(f"{table.name}.{name}", ring.open(f"{table.name}.{name}", value)) for name, value in old.items()}
        unchanged = [table.c[name] == value for name, value in old.items()]
        done += take(session, sa.update(table).where(table.c.id == row.id, *unchanged).values(new))
    return done, found[-1].id if len(found) == BATCH else None


@operation
def rehash(session: Session, table: sa.Table, after: int) -> tuple[int, int | None]:
    """Write the hashes of the next rows of a table anew where they are wrong: how many rows, and after which id to go on."""
    target, hashes = stored(table), hash_columns(table)
    found, done = session.execute(sa.select(target).where(target.c.id > after).order_by(target.c.id).limit(BATCH)).all(), 0
    for row in found:
        if wrong := wrong_hashes(table.name, row, hashes):
            done += take(session, sa.update(target).where(target.c.id == row.id).values(wrong))
    return done, found[-1].id if len(found) == BATCH else None
