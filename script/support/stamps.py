"""Remember what was set up, so that a second run does nothing."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


class Stamps:
    """A small JSON file of names and fingerprints. A damaged or missing file counts as empty: the work is then done again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            read = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            read = {}
        self.values: dict[str, str] = read if isinstance(read, dict) else {}

    def is_current(self, name: str, fingerprint: str) -> bool:
        """True when `name` was last done with exactly this fingerprint."""
        return self.values.get(name) == fingerprint

    def record(self, **fingerprints: str) -> None:
        """Note what was just done. The file is replaced in one step, so a stop in between loses nothing."""
        self.values.update(fingerprints)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(self.values, indent=1, sort_keys=True), encoding="utf-8")
        os.replace(fresh, self.path)


def fingerprint_of_text(*parts: str) -> str:
    """A fingerprint of texts; their borders count."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode()
        digest.update(f"{len(data)}:".encode() + data)
    return digest.hexdigest()


def fingerprint_of_file(path: Path) -> str:
    """A fingerprint of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def fingerprint_of_listing(paths: Iterable[Path]) -> str:
    """A fingerprint of names, sizes and times, without reading the files."""
    lines = []
    for path in sorted(paths):
        status = path.stat()
        lines.append(f"{path}\t{status.st_size}\t{status.st_mtime_ns}")
    return fingerprint_of_text(*lines)


@contextmanager
def only_one_at_a_time(path: Path) -> Iterator[None]:
    """Hold a lock file while the block runs; a second caller, of any process, waits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
