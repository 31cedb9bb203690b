"""Where pictures and other uploads are kept: a port, and a folder behind it. Served from `/media/`.

`shop/platform/buckets.py` keeps them in S3-compatible storage instead.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from flask import Blueprint, Response, current_app, redirect, send_from_directory
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from shop.platform.access import public_file

bp = Blueprint("files", __name__)

KEPT_NAME = re.compile(r"[0-9a-f]{2}/[0-9a-f]{32}(-[a-z]+)?\.(webp|png|jpg)")


class Storage(Protocol):
    """Whoever keeps files. A name is made from the content, so it never changes what it means."""

    def keep(self, content: bytes, suffix: str) -> str:
        """Store and give back the name; the same content twice is one file."""

    def keep_beside(self, name: str, content: bytes, variation: str, suffix: str = "") -> None:
        """Store another form of a kept file under its name with `-variation`, and with another suffix when it is of another kind."""

    def read(self, name: str) -> bytes:
        """The content of a kept file; raises `FileNotFoundError`."""

    def has(self, name: str) -> bool:
        """Whether a file of this name is kept. May ask somebody far away: for commands and jobs, outside of any transaction."""

    def may_show(self, name: str) -> bool:
        """Whether pages may point at a file of this name. Asks nobody far away: for every page."""

    def address(self, name: str) -> str:
        """Where else a file is read, made without asking anybody; empty when the shop serves it itself."""

    def put_back(self, name: str, content: bytes) -> bool:
        """Store a file of a backup under the name it had; False, and nothing changes, when it is there.

        Raises `ValueError` for what is no name of a kept file.
        """


def name_of(content: bytes, suffix: str) -> str:
    """The name of a file, made from what it holds."""
    digest = hashlib.sha256(content).hexdigest()[:32]
    return f"{digest[:2]}/{digest}{suffix}"


def name_beside(name: str, variation: str, suffix: str) -> str:
    """The name of another form of a file."""
    stem, dot, usual = name.rpartition(".")
    return f"{stem}-{variation}{suffix or dot + usual}"


class FolderStorage:
    """Files in a folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, content: bytes, suffix: str) -> str:
        name = name_of(content, suffix)
        self._write(self.folder / name, content)
        return name

    def keep_beside(self, name: str, content: bytes, variation: str, suffix: str = "") -> None:
        self._write(self.folder / name_beside(name, variation, suffix), content)

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def has(self, name: str) -> bool:
        return (self.folder / name).exists()

    def names(self) -> Iterator[str]:
        """The names of all kept files, other forms among them; for backups. A bucket has backups of its own."""
        for place in sorted(self.folder.glob("??/*")):
            name = f"{place.parent.name}/{place.name}"
            if is_name(name):
                yield name

    def put_back(self, name: str, content: bytes) -> bool:
        if not is_name(name):
            raise ValueError("not the name of a kept file")
        if self.has(name):
            return False
        self._write(self.folder / name, content)
        return True

    def may_show(self, name: str) -> bool:
        return self.has(name)

    def address(self, name: str) -> str:
        return ""

    def _write(self, place: Path, content: bytes) -> None:
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            waiting = place.with_suffix(".part")
            waiting.write_bytes(content)
            waiting.replace(place)


def is_name(text: str) -> bool:
    """Whether this can be the name of a kept file."""
    return KEPT_NAME.fullmatch(text) is not None


def storage() -> Storage:
    """The storage of this app, chosen by wiring."""
    made: Storage = current_app.extensions["storage"]
    return made


SENT_ON_FOR = 3_600
"""Seconds a browser may remember where a file of a bucket is read; the address works a day longer than it is given out."""


@bp.get("/media/<path:name>")
@public_file
def serve(name: str) -> ResponseReturnValue:
    """A stored file, or where it is read. Its name is its content's, so it may be kept for ever."""
    if not is_name(name):
        raise NotFound()
    kept = storage()
    if elsewhere := kept.address(name):
        sent_on = redirect(elsewhere)
        sent_on.headers["Cache-Control"] = f"public, max-age={SENT_ON_FOR}"
        return sent_on
    answer: Response = send_from_directory(current_app.extensions["storage"].folder, name, max_age=31_536_000)
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return answer
