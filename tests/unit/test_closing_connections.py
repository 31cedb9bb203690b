"""A SQLite connection that goes leaves what the planner should know behind, and waits for nobody."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from shop.kernel.db import SQLITE_PRAGMAS, listen_sqlite, optimize_when_closing

pytestmark = pytest.mark.one_engine


def grown(place: Path) -> sa.Engine:
    """A table of some thousand rows that nobody has counted, and an engine that has just asked it something."""
    engine = sa.create_engine(f"sqlite:///{place}")
    listen_sqlite(engine, begin="BEGIN IMMEDIATE", pragmas=SQLITE_PRAGMAS)
    optimize_when_closing(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE parcels (id INTEGER PRIMARY KEY, point INTEGER, state TEXT)")
        connection.exec_driver_sql("CREATE INDEX by_point ON parcels (point)")
        connection.exec_driver_sql("CREATE INDEX by_state ON parcels (state)")
        connection.exec_driver_sql(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) "
            "INSERT INTO parcels SELECT i, i % 500, 'x' FROM n"
        )
        connection.exec_driver_sql("SELECT id FROM parcels WHERE point = 3 AND state = 'x'").all()
    return engine


def known(place: Path) -> dict[str, str]:
    """What the planner knows of each index."""
    with sqlite3.connect(place) as connection:
        there = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'").fetchone()
        return dict(connection.execute("SELECT idx, stat FROM sqlite_stat1 ORDER BY idx").fetchall()) if there else {}


def test_a_table_that_has_grown_is_known_once_its_connection_is_closed(tmp_path: Path) -> None:
    engine = grown(tmp_path / "shop.db")
    assert known(tmp_path / "shop.db") == {}
    engine.dispose()
    assert set(known(tmp_path / "shop.db")) == {"by_point", "by_state"}


def test_closing_waits_for_no_writer_and_fails_nothing(tmp_path: Path) -> None:
    engine = grown(tmp_path / "shop.db")
    other = sqlite3.connect(tmp_path / "shop.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    engine.dispose()
    assert time.monotonic() - began < 2, "the writer holds its lock until the test ends"
    other.execute("ROLLBACK")
    other.close()
    assert known(tmp_path / "shop.db") == {}
    with engine.begin() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM parcels").scalar() == 5_000
