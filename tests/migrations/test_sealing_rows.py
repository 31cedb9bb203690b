"""Rows that lay in clear are carried over into sealed ones, and back; nothing of them is lost, on either engine."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_migrate import downgrade, upgrade

from shop import create_app
from shop.kernel import keys
from shop.kernel.db import database, reading
from shop.models.accounts import User
from shop.models.bills import BillPayment
from shop.models.pickup import Pass
from shop.models.platform import IdempotencyKey, Notice
from tests.conftest import dispose, execute_on_server, make_config, server_url
from tests.support import right_books
from tests.support.sealed import RING

BEFORE = "0007"


@pytest.fixture
def fresh(engine_name: str, tmp_path: Path) -> Iterator[Flask]:
    """An app on a database of its own, with nothing in it."""
    name = f"linli_sealing_{uuid.uuid4().hex[:12]}"
    url = f"sqlite:///{tmp_path / 'linli.db'}"
    if engine_name == "postgresql":
        execute_on_server(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        url = server_url().set(database=name).render_as_string(hide_password=False)
    made = create_app(make_config(url))
    with made.app_context():
        yield made
        dispose(made)
    if engine_name == "postgresql":
        execute_on_server(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def rows(statement: str) -> list[tuple[object, ...]]:
    with database.engines[None].connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(statement))]


def test_rows_in_clear_become_sealed_ones_and_back(fresh: Flask) -> None:
    upgrade()
    right_books.write()
    dispose(fresh)
    downgrade(revision=BEFORE)
    clear = rows("SELECT id, phone, display_name, totp_secret FROM users ORDER BY id")
    assert clear[:2] == [(1, "13800000101", "甲", None), (2, "13800000102", "乙", "s")]
    numbers, codes = rows("SELECT id, account_no FROM bill_payments ORDER BY id"), rows("SELECT id, code FROM passes ORDER BY id")
    with database.engines[None].begin() as connection:
        connection.execute(sa.text("""UPDATE notices SET facts = '{"code": "123 456", "until": null}'"""))
        for number in range(4, 2_500):  # more than one batch
            connection.execute(
                sa.text(
                    "INSERT INTO users (id, phone, display_name, state, verification_level, created_at)"
                    " VALUES (:id, :phone, '', 'active', 0, '2026-06-08')"
                ),
                {"id": number, "phone": f"139{number:08d}"},
            )
    dispose(fresh)

    upgrade()
    stored = rows("SELECT phone, phone_hash, display_name, totp_secret FROM users ORDER BY id")
    assert len(stored) == 2_499
    assert [RING.open("users.phone", str(row[0])) for row in stored[:2]] == ["13800000101", "13800000102"]
    assert stored[2_000][1] == RING.find("phone", "13900002001")
    assert stored[0][3] is None
    session = reading()
    assert session.scalars(sa.select(User.id).where(User.phone == "13900002001")).one() == 2_001
    assert session.scalars(sa.select(Notice.facts)).all() == [{"code": "123 456", "until": None}]
    assert {row.code for row in session.scalars(sa.select(Pass))} == {code for _, code in codes}
    assert session.scalars(sa.select(BillPayment.id).where(BillPayment.account_no == numbers[0][1])).first() == numbers[0][0]
    assert session.scalars(sa.select(IdempotencyKey.request_hash)).all() == [keys.fingerprint("idempotent request", "h")]
    assert right_books.broken_but_for_what_going_back_loses() == []
    dispose(fresh)

    downgrade(revision=BEFORE)
    assert rows("SELECT id, phone, display_name, totp_secret FROM users WHERE id < 4 ORDER BY id") == clear
    assert rows("SELECT id, account_no FROM bill_payments ORDER BY id") == numbers
    assert rows("SELECT id, code FROM passes ORDER BY id") == codes


@pytest.mark.one_engine
def test_the_database_file_keeps_nothing_in_clear(fresh: Flask, tmp_path: Path) -> None:
    """Of SQLite; PostgreSQL's old rows go with VACUUM FULL, as the handbook says."""
    upgrade()
    right_books.write()
    dispose(fresh)
    downgrade(revision=BEFORE)
    with database.engines[None].connect() as connection:
        connection.connection.dbapi_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
    dispose(fresh)
    assert b"13800000101" in (tmp_path / "linli.db").read_bytes()
    upgrade()
    with database.engines[None].connect() as connection:
        connection.connection.dbapi_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
    dispose(fresh)
    assert b"13800000101" not in (tmp_path / "linli.db").read_bytes()
