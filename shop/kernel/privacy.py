"""What lies in the instance folder is for its owner only: database, keys, pictures, the stand-ins' books."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def keep_files_private(instance: Path, database: Path | None = None) -> None:
    """From now on this process makes files only its owner can read, and takes what others could of the folder and the database.

    SQLite makes its side files with the rights of the database file. What belongs to somebody else is left to them.
    """
    os.umask(OTHERS)
    sides = [database.with_name(database.name + suffix) for suffix in ("", "-wal", "-shm", "-journal")] if database else []
    for place in (instance, *sides):
        with suppress(FileNotFoundError, PermissionError):
            mode = stat.S_IMODE(place.stat().st_mode)
            if mode & OTHERS:
                place.chmod(mode & ~OTHERS)
