"""Where pictures and other uploads are kept: a port, and a folder behind it. Served from `/media/`."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Protocol

from flask import Blueprint, Response, current_app, send_from_directory
from werkzeug.exceptions import NotFound

from shop.platform.access import public_file

bp = Blueprint("files", __name__)


class Storage(Protocol):
    """Whoever keeps files. A name is made from the content, so it never changes what it means."""

    def keep(self, content: bytes, suffix: str) -> str:
        """Store and give back the name; the same content twice is one file."""

    def keep_beside(self, name: str, content: bytes, variation: str) -> None:
        """Store another form of a kept file under its name with `-variation`."""


class FolderStorage:
    """Files in a folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, content: bytes, suffix: str) -> str:
        digest = hashlib.sha256(content).hexdigest()[:32]
        name = f"{digest[:2]}/{digest}{suffix}"
        self._write(self.folder / name, content)
        return name

    def keep_beside(self, name: str, content: bytes, variation: str) -> None:
        place = self.folder / name
        self._write(place.with_name(f"{place.stem}-{variation}{place.suffix}"), content)

    def _write(self, place: Path, content: bytes) -> None:
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            waiting = place.with_suffix(".part")
            waiting.write_bytes(content)
            waiting.replace(place)


def storage() -> Storage:
    """The storage of this app, chosen by wiring."""
    made: Storage = current_app.extensions["storage"]
    return made


@bp.get("/media/<path:name>")
@public_file
def serve(name: str) -> Response:
    """A stored file. Its name is its content's, so it may be kept for ever."""
    if not re.fullmatch(r"[0-9a-f]{2}/[0-9a-f]{32}(-[a-z]+)?\.(webp|png|jpg)", name):
        raise NotFound()
    answer: Response = send_from_directory(current_app.extensions["storage"].folder, name, max_age=31_536_000)
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return answer
