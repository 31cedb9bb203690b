"""`flask backup`: what is in a backup comes back, what was changed is refused, and nothing is replaced by accident."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from shop.cli.backup import archive, creating, places, restoring
from shop.cli.backup.errors import BackupTrouble, BrokenBackup
from shop.cli.backup.postgresql import find_tool
from shop.kernel.db import database, reading
from shop.models.accounts import User
from shop.models.platform import Restoration
from shop.platform import files
from shop.platform.files import FolderStorage
from tests.support import right_books
from tests.support.factories import Factories
from tests.support.second_shops import flask_backup, name_of, restored, second_shop, wind_on

KEY = "1:" + base64.b64encode(hashlib.sha256(b"a key of tests").digest()).decode()
OTHER_KEY = "1:" + base64.b64encode(hashlib.sha256(b"another key of tests").digest()).decode()
PICTURE = "ab/" + "ab" * 16 + ".webp"


@pytest.fixture(autouse=True)
def _own_files(app: Flask, tmp_path: Path) -> Iterator[None]:
    before = app.extensions["storage"]
    app.extensions["storage"] = FolderStorage(tmp_path / "media")
    yield
    app.extensions["storage"] = before


@pytest.fixture
def second(app: Flask, engine_name: str, tmp_path: Path) -> Iterator[Flask]:
    """Where backups of the shop are restored to; it is not there yet."""
    with second_shop(app, engine_name, tmp_path) as made:
        yield made


def back_up(app: Flask, place: Path, **wishes: bool) -> Path:
    return creating.create(app, place, creating.Wish(**wishes))[0]


def people(app: Flask) -> list[str]:
    with app.app_context():
        return sorted(reading().scalars(sa.select(User.display_name)))


def test_a_drill_backs_up_restores_and_checks_and_leaves_nothing(app: Flask, engine_name: str, tmp_path: Path) -> None:
    right_books.write()
    wind_on(app)
    files.storage().put_back(PICTURE, b"a picture")
    folder = tmp_path / "drills"
    folder.mkdir()
    code, said = flask_backup(app, "drill", "--folder", str(folder))
    assert (code, "the backup is good" in said, " 1 files" in said) == (0, True, True), said
    assert list(folder.iterdir()) == []
    assert reading().scalar(sa.select(sa.func.count()).select_from(Restoration)) == 0, "the shop's own database was only read"


def test_a_drill_of_books_that_do_not_hold_says_which(app: Flask, tmp_path: Path) -> None:
    right_books.write()
    wind_on(app)
    with database.engines[None].begin() as connection:
        connection.execute(sa.text("UPDATE ledger_accounts SET balance = balance + 1 WHERE code = 'wallet:1'"))
    code, said = flask_backup(app, "drill", "--folder", str(tmp_path))
    assert (code, "BROKEN ledger.balance_is_its_transfers" in said) == (1, True), said


def test_what_is_in_a_backup_comes_back(app: Flask, second: Flask, make: Factories, tmp_path: Path) -> None:
    make.user(display_name="阿美")
    files.storage().put_back(PICTURE, b"a picture")
    backup = back_up(app, tmp_path / "one.backup")
    make.user(display_name="after the backup")
    assert backup.stat().st_mode & 0o077 == 0, "for its owner only"
    said = restored(second, backup)
    assert people(second) == ["阿美"]
    with second.app_context():
        assert files.storage().read(PICTURE) == b"a picture"
    assert "Sending is paused" in said


def test_a_database_that_holds_data_is_only_replaced_by_its_name_and_kept_aside(
    app: Flask, second: Flask, make: Factories, tmp_path: Path
) -> None:
    make.user(display_name="first")
    backup = back_up(app, tmp_path / "one.backup")
    restored(second, backup)
    make.user(display_name="second")
    newer = back_up(app, tmp_path / "two.backup")
    for words in ((), ("--replace", "yes")):
        code, said = flask_backup(second, "restore", str(newer), *words)
        assert (code, f"--replace {name_of(second)}" in said) == (1, True), said
        assert people(second) == ["first"], "nothing happened"
    said = restored(second, newer, "--replace", name_of(second))
    assert people(second) == ["first", "second"]
    assert "is kept as" in said


def test_a_database_that_is_in_use_is_not_replaced(app: Flask, second: Flask, make: Factories, tmp_path: Path) -> None:
    make.user(display_name="first")
    backup = back_up(app, tmp_path / "one.backup")
    restored(second, backup)
    visitor = sa.create_engine(second.config["DATABASE_URL"], poolclass=sa.NullPool)
    with visitor.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")  # as every process of the shop opens it
        connection.execute(sa.text("SELECT * FROM users"))
        code, said = flask_backup(second, "restore", str(backup), "--replace", name_of(second))
    assert (code, "is in use" in said) == (1, True), said
    assert people(second) == ["first"]
    left = [place.name for place in tmp_path.iterdir() if "restoring" in place.name]
    assert left == [], "what was built beside it is gone"


def test_a_sealed_backup_is_opened_with_its_key_only(app: Flask, engine_name: str, make: Factories, tmp_path: Path) -> None:
    make.user(display_name="阿美")
    app.config["BACKUP_KEY"] = KEY
    try:
        backup = back_up(app, tmp_path / "one.backup", with_keys=True)
        assert restoring.keys_inside(app, backup)["DATA_KEYS"] == app.config["DATA_KEYS"]
    finally:
        app.config["BACKUP_KEY"] = ""
    assert app.config["LOOKUP_KEY"].encode() not in backup.read_bytes()
    with pytest.raises(BrokenBackup, match="version 1 of BACKUP_KEY"):
        restoring.keys_inside(app, backup)
    with second_shop(app, engine_name, tmp_path, BACKUP_KEY=OTHER_KEY) as other:
        code, said = flask_backup(other, "restore", str(backup))
        assert (code, "changed, cut short, or sealed under another key" in said) == (1, True)
    with second_shop(app, engine_name, tmp_path, BACKUP_KEY=KEY) as second:
        restored(second, backup)
        assert people(second) == ["阿美"]


@pytest.mark.parametrize("key", ["", KEY], ids=["plain", "sealed"])
def test_a_backup_that_was_cut_short_or_changed_is_refused(app: Flask, make: Factories, tmp_path: Path, key: str) -> None:
    make.user()
    files.storage().put_back(PICTURE, os.urandom(700_000))  # several pieces
    app.config["BACKUP_KEY"] = key
    try:
        whole = back_up(app, tmp_path / "one.backup").read_bytes()
        sealing = places.backup_keys(app)
    finally:
        app.config["BACKUP_KEY"] = ""
    middle = len(whole) // 2
    wrong = {
        "cut in the middle": whole[:middle], "cut at a piece": whole[: 51 + 256 * 1024 + 16], "without its last bytes": whole[:-20_000],
        "one bit": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :], "nothing": b"",
        "only its head": whole[:51], "another magic": b"x" + whole[1:],
    }  # fmt: skip
    for number, (what, content) in enumerate(wrong.items()):
        place, folder = tmp_path / f"{number}.backup", tmp_path / f"unpacked-{number}"
        place.write_bytes(content)
        folder.mkdir()
        assert is_refused(place, folder, sealing), f"{what} was taken"


def is_refused(place: Path, folder: Path, sealing: dict[int, bytes]) -> bool:
    try:
        archive.unpack(place, folder, sealing)
    except BrokenBackup:
        return True
    return False


def test_a_backup_is_there_whole_or_not_at_all(app: Flask, make: Factories, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make.user()
    monkeypatch.setattr(creating, "Manifest", None)  # fails when all parts are written
    with pytest.raises(TypeError):
        back_up(app, tmp_path / "one.backup")
    assert [place.name for place in tmp_path.iterdir() if place.name != "media" and "linli" not in place.name] == []


def test_a_backup_is_never_overwritten(app: Flask, make: Factories, tmp_path: Path) -> None:
    make.user()
    place = tmp_path / "one.backup"
    place.write_text("somebody's")
    with pytest.raises(BackupTrouble, match="never overwritten"):
        back_up(app, place)
    assert place.read_text() == "somebody's"


def test_keeping_a_few_takes_away_the_oldest_of_ours_only(app: Flask, make: Factories, tmp_path: Path) -> None:
    make.user()
    folder = tmp_path / "kept"
    folder.mkdir()
    (folder / "letter.txt").write_text("mine")
    (folder / "linli-20200101T000000Z-AAAAAA.backup").write_text("old")
    (folder / "linli-20200102T000000Z-AAAAAA.backup").write_text("less old")
    code, said = flask_backup(app, "create", str(folder), "--keep", "2")
    assert code == 0, said
    names = sorted(place.name for place in folder.iterdir())
    assert names[0] == "letter.txt"
    assert (len(names), "linli-20200101T000000Z-AAAAAA.backup" in names) == (3, False)


def test_a_backup_of_other_keys_or_a_newer_shop_is_refused(app: Flask, engine_name: str, make: Factories, tmp_path: Path) -> None:
    make.user()
    backup = back_up(app, tmp_path / "one.backup")
    with second_shop(app, engine_name, tmp_path, SECRET_KEY="another secret") as other:
        code, said = flask_backup(other, "restore", str(backup))
        assert (code, "SECRET_KEY of this shop is not what it was" in said) == (1, True), said


def test_keys_go_into_sealed_backups_only(app: Flask, make: Factories, tmp_path: Path) -> None:
    make.user()
    with pytest.raises(BackupTrouble, match="sealed backups only"):
        back_up(app, tmp_path / "one.backup", with_keys=True)
    assert not (tmp_path / "one.backup").exists()


@pytest.mark.one_engine
def test_missing_tools_are_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackupTrouble, match="pg_dump of PostgreSQL 15 or newer is not on this machine"):
        find_tool("pg_dump", 15, ())
    for version in (14, 16, 17):
        place = tmp_path / f"{version}"
        place.mkdir()
        tool = place / "pg_dump"
        tool.write_text(f"#!/bin/sh\necho 'pg_dump (PostgreSQL) {version}.2'\n")
        tool.chmod(0o700)
    assert find_tool("pg_dump", 15, [str(tmp_path / "*")]).endswith("16/pg_dump"), "the oldest that knows the server"
