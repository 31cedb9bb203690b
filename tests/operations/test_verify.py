"""`flask verify` finds nothing in right books, and each planted fault by its own invariant, on both engines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

import shop.wiring  # noqa: F401  (names the features)
from shop.cli.verify.checks import broken
from shop.kernel import clock, db
from shop.kernel.columns import UtcDateTime
from shop.kernel.db import reading
from shop.platform.features import registry
from tests.operations.verify_faults import FAULTS
from tests.support import right_books
from tests.support.books import assert_books_are_right

INVARIANTS = registry.invariants()
NAMES = [invariant.name for invariant in INVARIANTS]


def loosen(connection: sa.Connection, table: str) -> None:
    """Put a bare copy in a table's place: no keys, no checks, no triggers. Undone by the rollback."""
    connection.exec_driver_sql(f"CREATE TABLE loose AS SELECT * FROM {table}")
    connection.exec_driver_sql(f"DROP TABLE {table}{'' if connection.dialect.name == 'sqlite' else ' CASCADE'}")
    connection.exec_driver_sql(f"ALTER TABLE loose RENAME TO {table}")


@contextmanager
def planted(app: Flask, *faults: str) -> Iterator[Session]:
    """A session on the books with faults in them that no constraint would let in; all gone afterwards."""
    db.database.session.rollback()
    engine = sa.create_engine(app.config["DATABASE_URL"])
    if engine.dialect.name == "sqlite":
        db.listen_sqlite(engine, begin="BEGIN IMMEDIATE", pragmas=("foreign_keys=OFF",))
    moment = clock.now()
    times = {"old": moment - timedelta(days=2), "moment": moment, "ago": moment - timedelta(hours=2)}
    times |= {"before": moment - timedelta(days=61), "long_ago": moment - timedelta(days=60)}
    try:
        with engine.connect() as connection, connection.begin() as opened:
            for table in dict.fromkeys(re.findall(r"(?:UPDATE|INSERT INTO|DELETE FROM) (\w+)", " ".join(faults))):
                loosen(connection, table)
            for fault in faults:
                named = [sa.bindparam(name, value, type_=UtcDateTime()) for name, value in times.items() if f":{name}" in fault]
                result = connection.execute(sa.text(fault).bindparams(*named))
                assert result.rowcount != 0, f"this fault changes nothing: {fault}"
            with Session(connection) as session:
                yield session
            opened.rollback()
    finally:
        engine.dispose()


def test_right_books_break_nothing(app: Flask) -> None:
    right_books.write()
    assert broken(reading()) == []


def test_an_empty_shop_breaks_nothing(app: Flask) -> None:
    assert_books_are_right(leave_out=())


def test_every_invariant_has_a_planted_fault() -> None:
    assert sorted(FAULTS) == sorted(NAMES)


def test_names_and_sentences_are_told_apart() -> None:
    assert len(set(NAMES)) == len(NAMES)
    sentences = [invariant.sentence for invariant in INVARIANTS]
    assert len(set(sentences)) == len(sentences)
    assert all(sentence.endswith(".") for sentence in sentences)


@pytest.mark.parametrize("name", NAMES)
def test_a_planted_fault_is_found_by_its_invariant_alone(app: Flask, name: str) -> None:
    right_books.write()
    with planted(app, *FAULTS[name]) as session:
        findings = broken(session)
    assert [finding.name for finding in findings] == [name], findings
    assert findings[0].rows
    reading().rollback()
    assert broken(reading()) == [], "the fault was not taken out again"


def test_five_rows_are_shown_and_all_are_counted(app: Flask) -> None:
    right_books.write()
    doubled = "INSERT INTO jobs SELECT * FROM jobs"
    with planted(app, "UPDATE jobs SET state = 'dead'", doubled, doubled) as session:
        dead = next(finding for finding in broken(session) if finding.name == "plumbing.no_job_gave_up")
    assert len(dead.rows) == 5
    assert dead.count == 8


def test_the_helper_for_other_tests_speaks_of_what_is_broken(app: Flask) -> None:
    right_books.write()
    with db.transaction() as session:
        session.execute(sa.text("UPDATE listings SET price = 1"))
    with pytest.raises(AssertionError, match=r"stock\.listings_show_the_price"):
        assert_books_are_right()
    assert_books_are_right(leave_out=("stock.listings",))


def test_the_command_says_how_many_hold(app: Flask) -> None:
    right_books.write()
    result = app.test_cli_runner().invoke(args=["verify"])
    assert result.exit_code == 0
    assert result.output == f"{len(INVARIANTS)} invariants hold\n"


def test_the_command_shows_what_is_broken_and_fails(app: Flask) -> None:
    right_books.write()
    with db.transaction() as session:
        session.execute(sa.text("UPDATE listings SET price = 1"))
    result = app.test_cli_runner().invoke(args=["verify"])
    assert result.exit_code == 1
    assert "BROKEN stock.listings_show_the_price" in result.output
    assert "code=box  shown=1  price=1000" in result.output
    assert result.output.endswith(f"{len(INVARIANTS) - 1} invariants hold, 1 do not\n")
    machine = app.test_cli_runner().invoke(args=["verify", "--json"])
    document = json.loads(machine.output)
    assert machine.exit_code == 1
    assert document["invariants"] == len(INVARIANTS)
    assert [(found["name"], found["count"]) for found in document["broken"]] == [("stock.listings_show_the_price", 2)]
