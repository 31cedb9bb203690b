"""Making a backup while the shop runs: the database as it is at one moment first, then the files, which are never taken away."""

from __future__ import annotations

import io
import json
import re
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from flask import Flask

from shop.cli.backup import archive, places
from shop.cli.backup.archive import Watch, ignore
from shop.cli.backup.errors import BackupTrouble
from shop.cli.backup.manifest import Manifest
from shop.kernel import clock, ids, keys
from shop.platform import files

NAME = re.compile(r"linli-[0-9]{8}T[0-9]{6}Z-[0-9A-Z]{6}\.backup")


@dataclass(frozen=True, slots=True)
class Wish:
    """What kind of backup is wanted."""

    with_keys: bool = False  # the keys of personal data inside; only sealed
    with_files: bool = True


def create(app: Flask, place: Path, wish: Wish = Wish(), watch: Watch = ignore) -> tuple[Path, Manifest]:
    """Write a backup to a file, or into a folder under a name made of the moment; where it is, and what it says of itself.

    Whatever was committed before this is called is inside. The file is there whole or not at all. Raises `BackupTrouble`.
    """
    sealing = places.backup_keys(app)
    if wish.with_keys and not sealing:
        raise BackupTrouble("keys go into sealed backups only: set BACKUP_KEY")
    moment, ref = clock.now(), ids.readable(6)
    target = place / file_name(moment, ref) if place.is_dir() else place
    if not target.parent.is_dir():
        raise BackupTrouble(f"there is no folder {target.parent}")
    database, storage = places.database_of(app.config["DATABASE_URL"]), files.storage()
    if wish.with_files and not isinstance(storage, files.FolderStorage):
        raise BackupTrouble("files are in a bucket, which keeps copies of its own: say --without-files")
    if not database.exists():
        raise BackupTrouble(f"there is no database {database.name}")
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=target.parent) as scratch, archive.writing(target, first(sealing)) as writer:
        dump = Path(scratch) / database.part
        dumped = database.dump(dump, watch)
        with dump.open("rb") as file:
            writer.add(database.part, file, dump.stat().st_size)
        dump.unlink()
        for name in storage.names() if isinstance(storage, files.FolderStorage) and wish.with_files else ():
            content = storage.read(name)
            writer.add(archive.FILES + name, io.BytesIO(content), len(content), watch)
        if wish.with_keys:
            writer.add_bytes(archive.KEYS, json.dumps(places.kept_apart(app)).encode())
        made = Manifest(
            ref=ref, made_at=moment, engine=database.engine, engine_version=database.version(), schema=dumped.schema,
            app_version=places.app_version(), counts=dumped.counts, key_marks=places.key_marks(app),
            data_key_versions=sorted(map(str, keys.ring().ciphers)), parts=writer.parts,
        )  # fmt: skip
        writer.finish(made)
    return target, made


def first(sealing: dict[int, bytes]) -> tuple[int, bytes] | None:
    """The key that seals."""
    return next(iter(sealing.items()), None)


def file_name(moment: datetime, ref: str) -> str:
    return f"linli-{moment:%Y%m%dT%H%M%SZ}-{ref}.backup"


def rotate(folder: Path, keep: int) -> list[str]:
    """Take away all but the newest backups of a folder that have a name of ours; their names."""
    found = sorted(place for place in folder.iterdir() if NAME.fullmatch(place.name))
    old = found[: max(len(found) - keep, 0)]
    for place in old:
        place.unlink()
    return [place.name for place in old]
