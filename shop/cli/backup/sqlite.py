"""A SQLite database: copied by SQLite's own online backup while others write, put back as a file that takes the place of another."""

from __future__ import annotations

import gzip
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from shop.cli.backup.archive import DATABASES, Watch, ignore, sync_folder
from shop.cli.backup.databases import IN_USE, Dumped, growing, has_rows
from shop.cli.backup.errors import BackupTrouble, BrokenBackup

COPIED = 1024 * 1024
SIDES = ("-wal", "-shm", "-journal")


class SqliteDatabase:
    """One database file."""

    engine = "sqlite"
    part = DATABASES["sqlite"]

    def __init__(self, file: Path) -> None:
        self.file = file

    @property
    def name(self) -> str:
        return self.file.name

    @property
    def url(self) -> str:
        return f"sqlite:///{self.file}"

    def version(self) -> str:
        return sqlite3.sqlite_version

    def size(self) -> int:
        return self.file.stat().st_size if self.file.exists() else 0

    def exists(self) -> bool:
        return self.file.exists()

    def has_data(self) -> bool:
        if not self.exists():
            return False
        return has_rows(self.counts())

    def dump(self, place: Path, watch: Watch = ignore) -> Dumped:
        """Copy in one step, which begins anew for nobody; check the copy; press it.

        A copy in several steps begins again whenever another process writes. What others write meanwhile stays in their log.
        """
        copy = place.with_suffix(".copy")
        with closing(self._opened()) as source, closing(sqlite3.connect(copy, isolation_level=None)) as target:
            source.execute("PRAGMA query_only=ON")
            with growing(copy, watch):
                source.backup(target, pages=-1)
            target.execute("PRAGMA journal_mode=DELETE")
        made = SqliteDatabase(copy)
        made.check()
        dumped = Dumped(made.schema(), made.counts())
        with copy.open("rb") as plain, gzip.open(place, "wb", compresslevel=1) as pressed:
            shutil.copyfileobj(plain, pressed, COPIED)
        copy.unlink()
        return dumped

    def check(self) -> None:
        """Ask SQLite whether the file is whole. Raises `BrokenBackup`."""
        with closing(self._opened()) as database:
            if (said := database.execute("PRAGMA integrity_check(1)").fetchone()[0]) != "ok":
                raise BrokenBackup(f"SQLite finds the database damaged: {said}")
            if (row := database.execute("PRAGMA foreign_key_check").fetchone()) is not None:
                raise BrokenBackup(f"a row of {row[0]} points at nothing")

    def schema(self) -> str:
        with closing(self._opened()) as database:
            if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
                return ""
            return str((database.execute("SELECT version_num FROM alembic_version").fetchone() or ("",))[0])

    def counts(self) -> dict[str, int]:
        with closing(self._opened()) as database:
            names = database.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
            ).fetchall()
            return {name: database.execute(f'SELECT COUNT(*) FROM "{name}"').fetchone()[0] for (name,) in names}  # noqa: S608

    def _opened(self) -> sqlite3.Connection:
        return sqlite3.connect(self.file, timeout=10, isolation_level=None)

    def beside(self, ref: str) -> SqliteDatabase:
        return SqliteDatabase(self.file.with_name(f"{self.file.name}.restoring-{ref}"))

    def load(self, part: Path, watch: Watch = ignore) -> None:
        """Make this file from the part of a backup. Raises `BrokenBackup`."""
        try:
            with gzip.open(part, "rb") as pressed, self.file.open("xb") as plain:
                while data := pressed.read(COPIED):
                    plain.write(data)
                    watch(len(data))
            self.check()
        except (sqlite3.DatabaseError, EOFError, gzip.BadGzipFile) as error:
            raise BrokenBackup(f"the database in the backup cannot be read ({type(error).__name__})") from error

    def take_place_of(self, target: SqliteDatabase, ref: str) -> str:
        """Become the database of the shop; the name under which the one before is kept. Raises `BackupTrouble` while it is in use."""
        self._settle()
        aside = target.file.with_name(f"{target.file.name}.before-{ref}")
        with target.alone():
            if target.exists():
                target.file.rename(aside)
            self.file.rename(target.file)
        sync_folder(target.file.parent)
        return aside.name if aside.exists() else ""

    def _settle(self) -> None:
        """Bring everything into the one file, so that renaming it loses nothing."""
        with closing(self._opened()) as database:
            database.execute("PRAGMA journal_mode=DELETE")

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else has the file open. SQLite itself knows: it leaves the log only for whoever is the last one."""
        if self.exists():
            with closing(sqlite3.connect(self.file, timeout=1, isolation_level=None)) as database:
                try:
                    mode = database.execute("PRAGMA journal_mode=DELETE").fetchone()[0]
                except sqlite3.OperationalError:
                    mode = "in use"
            if mode != "delete":
                raise BackupTrouble(IN_USE.format(name=self.name))
        yield

    def drop(self) -> None:
        for side in ("", *SIDES):
            self.file.with_name(self.file.name + side).unlink(missing_ok=True)
