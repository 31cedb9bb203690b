"""One file out of many parts and back: a tar stream with the manifest as its last part, sealed when there is a key."""

from __future__ import annotations

import hashlib
import io
import os
import re
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from shop.cli.backup import cipher, manifest
from shop.cli.backup.cipher import Opening, Sealing
from shop.cli.backup.errors import BackupTrouble, BrokenBackup
from shop.cli.backup.manifest import Manifest, Part
from shop.platform import files

MANIFEST, KEYS, FILES = "manifest.json", "keys.json", "files/"
DATABASES = {"sqlite": "database.sqlite.gz", "postgresql": "database.pgdump"}
LARGEST_MANIFEST = 1024 * 1024 * 1024
COPIED = 1024 * 1024

Watch = Callable[[int], None]
"""Told how many bytes were done since it was told last."""


def ignore(_done: int) -> None:
    """Nobody watches."""


class Writer:
    """Takes parts one by one; `finish` writes the manifest."""

    def __init__(self, stream: Any) -> None:
        self.tar = tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT)  # noqa: SIM115  (`finish` closes it)
        self.parts: list[Part] = []

    def add(self, name: str, source: IO[bytes], size: int, watch: Watch = ignore) -> None:
        reader = Hashing(source, watch)
        member = tarfile.TarInfo(name)
        member.size, member.mode = size, 0o600
        self.tar.addfile(member, reader)
        self.parts.append(Part(name, size, reader.digest.hexdigest()))

    def add_bytes(self, name: str, content: bytes) -> None:
        self.add(name, io.BytesIO(content), len(content))

    def finish(self, made: Manifest) -> None:
        content = made.written()
        member = tarfile.TarInfo(MANIFEST)
        member.size, member.mode = len(content), 0o600
        self.tar.addfile(member, io.BytesIO(content))
        self.tar.close()

    def abandon(self) -> None:
        """Let go of the stream; what was written is of no use."""
        with suppress(OSError, ValueError):
            self.tar.close()


class Hashing:
    """A reader that knows the digest of what was read."""

    def __init__(self, source: IO[bytes], watch: Watch = ignore) -> None:
        self.source, self.watch, self.digest = source, watch, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self.source.read(size)
        self.digest.update(data)
        self.watch(len(data))
        return data


@contextmanager
def writing(place: Path, key: tuple[int, bytes] | None) -> Iterator[Writer]:
    """Write a backup that is there whole, under its name, or not at all. Nothing is overwritten: raises `BackupTrouble`."""
    waiting = place.with_name(f".{place.name}.{os.getpid()}.part")
    if place.exists():
        raise BackupTrouble(f"{place} is there already; a backup is never overwritten")
    try:
        with waiting.open("xb") as file:
            waiting.chmod(0o600)
            sealing = Sealing(file, *key) if key else None
            writer = Writer(sealing or file)
            try:
                yield writer
            except BaseException:
                writer.abandon()
                raise
            if sealing:
                sealing.close()
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(waiting, place)  # unlike a rename it never takes the place of a file that came meanwhile
        except FileExistsError:
            raise BackupTrouble(f"{place} is there already; a backup is never overwritten") from None
        sync_folder(place.parent)
    finally:
        waiting.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder survive a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # not every file system takes it
            os.fsync(handle)
    finally:
        os.close(handle)


def unpack(place: Path, folder: Path, keys: Mapping[int, bytes], watch: Watch = ignore) -> Manifest:
    """Put all parts into a folder and check every one against the manifest. Raises `BrokenBackup`; the folder is then of no use."""
    try:
        with place.open("rb") as file:
            source = Hashing(file, watch)
            head = file.peek(len(cipher.MAGIC))[: len(cipher.MAGIC)]
            stream: Any = Opening(source, keys) if cipher.is_sealed(head) else source  # type: ignore[arg-type]
            parts, raw = _unpack(stream, folder)
            while stream.read(COPIED):  # a sealed file is only known to be whole at its end
                pass
    except (tarfile.TarError, EOFError, OSError) as error:
        raise BrokenBackup(f"the backup cannot be read to its end ({type(error).__name__})") from error
    if raw is None:
        raise BrokenBackup("the backup has no manifest: it was cut short")
    made = manifest.read(raw)
    if sorted(parts, key=_named) != sorted(made.parts, key=_named):
        raise BrokenBackup("what is in the backup is not what its manifest says: it was changed")
    if DATABASES.get(made.engine) not in {part.name for part in parts}:
        raise BrokenBackup("there is no database in the backup")
    return made


def _named(part: Part) -> str:
    return part.name


def _unpack(stream: Any, folder: Path) -> tuple[list[Part], bytes | None]:
    parts: list[Part] = []
    with tarfile.open(fileobj=stream, mode="r|") as tar:
        for member in tar:
            content = tar.extractfile(member) if member.isreg() else None
            if content is None or not is_part(member.name):
                raise BrokenBackup("there is something in the backup that belongs into none")
            if member.name == MANIFEST:
                if member.size > LARGEST_MANIFEST:
                    raise BrokenBackup("the manifest of the backup cannot be read")
                return parts, content.read()
            parts.append(_keep(member, content, folder / member.name))
    return parts, None


def is_part(name: str) -> bool:
    """Whether a backup may hold a part of this name. Names lead nowhere but into the folder."""
    if name.startswith(FILES):
        return files.is_name(name.removeprefix(FILES))
    return re.fullmatch(r"[a-z.]{1,32}", name) is not None and name in {MANIFEST, KEYS, *DATABASES.values()}


def _keep(member: tarfile.TarInfo, content: IO[bytes], place: Path) -> Part:
    place.parent.mkdir(parents=True, exist_ok=True)
    reader, size = Hashing(content), 0
    with place.open("xb") as file:
        while data := reader.read(COPIED):
            size += file.write(data)
    if size != member.size:
        raise BrokenBackup("the backup was cut short")
    return Part(member.name, size, reader.digest.hexdigest())
