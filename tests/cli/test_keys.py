"""`flask keys`: a new key takes over while the shop runs, and nothing is lost on the way."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask

from shop.cli.verify.checks import broken
from shop.kernel import keys, resealing
from shop.kernel.db import database, perform, reading
from shop.kernel.keys import KeyRing
from shop.models.accounts import User
from tests.support import right_books
from tests.support.factories import Factories
from tests.support.sealed import LOOKUP_KEY, RING

from config import read_data_keys, read_key  # isort: skip
from tests.support.sealed import DATA_KEYS, made_up_key  # isort: skip

ROTATED = KeyRing.of(read_data_keys(f"2:{made_up_key(2)},{DATA_KEYS}"), read_key(LOOKUP_KEY))
NEW_ONLY = KeyRing.of(read_data_keys(f"2:{made_up_key(2)}"), read_key(LOOKUP_KEY))


@pytest.fixture(autouse=True)
def _ring_of_tests(app: Flask) -> Iterator[None]:
    yield
    keys.keep_ring(RING)


def run(app: Flask, *words: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=["keys", *words])
    return result.exit_code, result.output


def test_everything_is_sealed_under_the_new_key(app: Flask) -> None:
    right_books.write()
    keys.keep_ring(ROTATED)
    assert "version 1: " in run(app, "check")[1]
    code, said = run(app, "rotate")
    assert (code, said.endswith("rows written anew\n")) == (0, True)
    assert run(app, "check")[1].startswith("version 1: 0 values, can be taken away\nversion 2: ")
    keys.keep_ring(NEW_ONLY)
    database.session.rollback()
    assert broken(reading()) == [], "every value opens with the new key alone, and is found"
    assert run(app, "rotate")[1].endswith("0 rows written anew\n"), "again is harmless"


def test_a_rotation_that_stopped_goes_on(make: Factories, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resealing, "BATCH", 2)
    people = [make.user() for _ in range(5)]
    keys.keep_ring(ROTATED)
    table, names = next((table, names) for table, names in resealing.sealed_tables().items() if table.name == "users")
    count, after = perform(resealing.reseal, table, names, 0)
    assert (count, after) == (2, people[1].id)
    assert resealing.count_outdated(reading()) == 3
    assert run(app, "rotate")[1].endswith("3 rows written anew\n")


def test_a_row_written_meanwhile_is_not_written_over(make: Factories, monkeypatch: pytest.MonkeyPatch) -> None:
    user = make.user()
    keys.keep_ring(ROTATED)
    table, names = next((table, names) for table, names in resealing.sealed_tables().items() if table.name == "users")
    take = resealing.take

    def rename_first(session: sa.orm.Session, statement: sa.Update) -> bool:
        session.execute(sa.update(User).where(User.id == user.id).values(display_name="新名"))
        return take(session, statement)

    monkeypatch.setattr(resealing, "take", rename_first)
    assert perform(resealing.reseal, table, names, 0) == (0, None)
    reading().rollback()
    assert reading().get_one(User, user.id, populate_existing=True).display_name == "新名"


def test_a_missing_key_is_said_and_nothing_is_changed(make: Factories, app: Flask) -> None:
    make.user()
    keys.keep_ring(NEW_ONLY)
    code, said = run(app, "check")
    assert code == 1
    assert "version 1: 2 values, NO KEY" in said
    code, said = run(app, "rotate")
    assert code == 1
    assert "not in DATA_KEYS" in said


def test_a_new_lookup_key_finds_everybody_again(app: Flask) -> None:
    right_books.write()
    keys.keep_ring(KeyRing.of(read_data_keys(DATA_KEYS), read_key(made_up_key(50))))
    assert {finding.name for finding in broken(reading())} == {"plumbing.sealed_values_are_found"}
    assert run(app, "rotate", "--lookups")[0] == 0
    database.session.rollback()
    assert broken(reading()) == []
