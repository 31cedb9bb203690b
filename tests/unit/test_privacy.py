"""What lies in the instance folder is for its owner only, whatever made it."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import config
from shop.kernel.db import sqlite_file
from shop.kernel.privacy import keep_files_private
from shop.platform.files import FolderStorage
from simulators.serving import keep_private


@pytest.fixture(autouse=True)
def _loose() -> Iterator[None]:
    """As a careless machine has it: new files can be read by everybody."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    return {str(place.relative_to(folder)): stat.S_IMODE(place.stat().st_mode) for place in folder.rglob("*")}


def use(database: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE IF NOT EXISTS t (a)")
    connection.commit()
    return connection


def test_the_database_its_side_files_and_pictures_are_the_owners(tmp_path: Path) -> None:
    database = tmp_path / "linli.db"
    keep_files_private(tmp_path, database)
    with closing(use(database)):
        FolderStorage(tmp_path / "media").keep(b"picture", ".webp")
        found = modes(tmp_path)
    assert {"linli.db", "linli.db-wal", "linli.db-shm", "media"} <= set(found)
    assert [name for name, mode in found.items() if mode & 0o077] == []


def test_what_others_could_read_before_is_taken_from_them(tmp_path: Path) -> None:
    database = tmp_path / "linli.db"
    with closing(use(database)):
        tmp_path.chmod(0o755)
        keep_files_private(tmp_path, database)
        assert [name for name, mode in modes(tmp_path).items() if mode & 0o077] == []
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


def test_books_of_the_stand_ins_are_the_owners(tmp_path: Path) -> None:
    data = tmp_path / "simulators" / "sms.db"
    data.parent.mkdir()
    data.touch(0o644)
    keep_private(data)
    with closing(use(data)):
        found = modes(data.parent)
    assert [name for name, mode in found.items() if mode & 0o077] == []


def test_keys_made_in_development_are_the_owners_and_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "INSTANCE", tmp_path / "instance")
    made = {name: config.development_secret(name) for name in ("secret_key", "data_key", "lookup_key")}
    assert {name: config.development_secret(name) for name in made} == made
    assert set(modes(tmp_path / "instance").values()) == {0o600}
    assert set(modes(tmp_path / "instance")) == set(made), "nothing half-made is left"
    assert len(config.read_key(made["data_key"])) == len(config.read_key(made["lookup_key"])) == 32


@pytest.mark.parametrize(
    ("url", "place"),
    [("sqlite:////a/b.db", Path("/a/b.db")), ("sqlite://", None), ("sqlite:///:memory:", None), ("postgresql+psycopg://h/d", None)],
)
def test_only_sqlite_has_a_file(url: str, place: Path | None) -> None:
    assert sqlite_file(url) == place
