"""The rehearsal: a backup that was never restored is a hope. Everything but the last step, in a place of its own, then nothing is left."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from flask import Flask

from shop.cli.backup import archive, creating, places, restoring
from shop.cli.backup.errors import BackupTrouble
from shop.cli.backup.restoring import Say, whisper
from shop.kernel import ids
from shop.platform.files import FolderStorage


@dataclass(frozen=True, slots=True)
class Drilled:
    """What the rehearsal showed."""

    rows: int
    files: int
    size: int  # bytes of the backup
    seconds_to_back_up: float
    seconds_to_restore: float


def drill(app: Flask, place: Path | None = None, *, folder: Path | None = None, say: Say = whisper) -> Drilled:
    """Make a backup (or take the one at `place`), restore it into a scratch database, check all of it, and take everything away.

    Raises `BackupTrouble` with what is wrong. The shop's own database is only read.
    """
    with tempfile.TemporaryDirectory(prefix="drill-", dir=folder) as scratch:
        began = time.monotonic()
        if place is None:
            say("making a backup")
            place, _ = creating.create(app, Path(scratch) / "drill.backup")
        backed_up = time.monotonic()
        with restoring.opened(app, place, Path(scratch)) as backup:
            rows = rehearse(app, backup, Path(scratch), say)
            count = len(backup.file_names())
        return Drilled(rows, count, place.stat().st_size, backed_up - began, time.monotonic() - backed_up)


def rehearse(app: Flask, backup: restoring.Opened, scratch: Path, say: Say) -> int:
    """Restore into a scratch place; how many rows there are."""
    target, ref = places.database_of(app.config["DATABASE_URL"]), f"drill_{ids.readable(8).lower()}"
    restoring.check_fits(app, backup.manifest, target)
    candidate = target.beside(ref)
    try:
        restoring.rebuild(app, backup, candidate, ref, (), say)
    finally:
        candidate.drop()
    storage = FolderStorage(scratch / "media")
    for name in backup.file_names():
        content = backup.part(archive.FILES + name).read_bytes()
        storage.put_back(name, content)
        if storage.read(name) != content:
            raise BackupTrouble(f"the file {name} was not kept as it was")
    return sum(backup.manifest.counts.values())
