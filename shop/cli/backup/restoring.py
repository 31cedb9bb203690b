"""Putting a backup back: beside what is there, checked there, and only then in its place.

What is there is never written to. It keeps its data under another name until somebody takes it away.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flask import Flask

from config import ROOT
from shop.cli.backup import archive, manifest, places
from shop.cli.backup.archive import Watch, ignore
from shop.cli.backup.errors import BackupTrouble, BrokenBackup
from shop.cli.backup.manifest import Manifest
from shop.cli.backup.places import Database
from shop.kernel import db, ids
from shop.platform import files

SAID_OF_A_STEP = 600

Say = Callable[[str], None]


def whisper(_line: str) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back."""

    manifest: Manifest
    kept_aside: str  # the name of what was there before; empty when there was nothing
    files_put_back: int


@dataclass(frozen=True, slots=True)
class Opened:
    """A backup that was unpacked and found whole."""

    manifest: Manifest
    folder: Path

    def part(self, name: str) -> Path:
        return self.folder / name

    def file_names(self) -> list[str]:
        """The uploaded files inside."""
        return [part.name.removeprefix(archive.FILES) for part in self.manifest.parts if part.name.startswith(archive.FILES)]


@contextmanager
def opened(app: Flask, place: Path, scratch: Path | None = None, watch: Watch = ignore) -> Iterator[Opened]:
    """Unpack a backup into a folder of its own, check it, and take the folder away afterwards. Raises `BackupTrouble`."""
    if not place.is_file():
        raise BackupTrouble(f"there is no backup {place}")
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=scratch or place.parent) as folder:
        yield Opened(archive.unpack(place, Path(folder), places.backup_keys(app), watch), Path(folder))


def restore(
    app: Flask, place: Path, *, replace: str = "", accepted: Sequence[str] = (), say: Say = whisper, watch: Watch = ignore
) -> Restored:
    """Put a backup in the place of the shop's database. Raises `BackupTrouble`; the shop's database is then as it was.

    `replace` is the name of the database if it may be replaced although it holds data; `accepted` are invariants that need not hold.
    """
    target = places.database_of(app.config["DATABASE_URL"])
    if target.has_data() and replace != target.name:
        raise BackupTrouble(f"{target.name} holds data. If the backup is to take its place, say --replace {target.name}")
    with opened(app, place, watch=watch) as backup:
        check_fits(app, backup.manifest, target)
        ref = ids.readable(8).lower()
        candidate = target.beside(ref)
        try:
            rebuild(app, backup, candidate, ref, accepted, say)
            count = sum(files.storage().put_back(name, backup.part(archive.FILES + name).read_bytes()) for name in backup.file_names())
            say("taking its place")
            let_go()
            aside = candidate.take_place_of(target, ref)  # type: ignore[arg-type]  # both are of one engine
        except BaseException:
            candidate.drop()
            raise
    return Restored(backup.manifest, aside, count)


def check_fits(app: Flask, made: Manifest, target: Database) -> None:
    """Whether this shop can use the backup at all. Raises `BackupTrouble`."""
    if made.engine != target.engine:
        raise BackupTrouble(f"the backup is of {made.engine}, DATABASE_URL is of {target.engine}: a backup goes back to its own engine")
    if not places.knows_schema(made.schema):
        raise BackupTrouble(f"the backup stands at migration {made.schema}, which this shop does not have: install a newer one")
    here = places.key_marks(app)
    if other := sorted(name for name, mark in made.key_marks.items() if here.get(name) != mark):
        raise BackupTrouble(f"{' and '.join(other)} of this shop is not what it was when the backup was made: set what was used then")


def rebuild(app: Flask, backup: Opened, candidate: Database, ref: str, accepted: Sequence[str], say: Say) -> None:
    """Make a database of a backup, of the newest schema, whose books hold and which sends nothing. Raises `BackupTrouble`."""
    made = backup.manifest
    say("putting the database back beside the shop's")
    candidate.load(backup.part(candidate.part))
    found = candidate.counts()
    if found != made.counts:
        wrong = sorted(name for name in {*found, *made.counts} if found.get(name) != made.counts.get(name))
        raise BrokenBackup(f"rows are missing or too many in {', '.join(wrong)}")
    if made.schema != app.config["SCHEMA_HEAD"]:
        say(f"migrating from {made.schema} to {app.config['SCHEMA_HEAD']}")
        step(app, candidate.url, "db", "upgrade")
    say("checking every invariant")
    words = [word for name in accepted for word in ("--accept", name)]
    step(app, candidate.url, "backup", "adopt", "--ref", f"{made.ref}-{ref}", "--made-at", str(manifest.told(made.made_at)), *words)


def step(app: Flask, url: str, *words: str) -> None:
    """Run one of our commands on another database, in a process of its own. Raises `BackupTrouble` with what it says."""
    done = subprocess.run(  # noqa: S603  (our own words)
        [sys.executable, "-m", "flask", "--app", "wsgi", *words], cwd=ROOT, env=places.environment_of(app, url), capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        said = (done.stdout.strip() or done.stderr.strip())[-SAID_OF_A_STEP:]
        raise BackupTrouble(f"`flask {words[0]} {words[1]}` failed on what was restored:\n{said}")


def keys_inside(app: Flask, place: Path) -> dict[str, str]:
    """The keys that were put into a backup when it was made. Raises `BackupTrouble` when there are none."""
    with opened(app, place) as backup:
        if not backup.part(archive.KEYS).exists():
            raise BackupTrouble("there are no keys in this backup")
        found: dict[str, str] = json.loads(backup.part(archive.KEYS).read_bytes())
        return found


def let_go() -> None:
    """Close every connection of this process to the shop's database: it is about to get another name."""
    db.database.session.remove()
    for engine in db.database.engines.values():
        engine.dispose()
