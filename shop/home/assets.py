"""Addresses of static files that change when a file does, so that browsers may keep them for a year."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from flask import Flask
from markupsafe import Markup

LENGTH = 10
LOOK_AGAIN_SECONDS = 1.0

Listing = tuple[tuple[str, int, int], ...]


class Assets:
    """`asset("css/base.css")` is `/static/css/base.css?v=…`, with one version for the whole folder: its files belong together."""

    def __init__(self, folder: Path, url_path: str, is_watched: bool) -> None:
        self.folder, self.url_path, self.is_watched = folder, url_path, is_watched
        self._version = ""
        self._listing: Listing = ()
        self._looked_at = 0.0
        self._icons: dict[tuple[str, str, str], Markup] = {}

    def __call__(self, path: str) -> str:
        return f"{self.url_path}/{path}?v={self.version}"

    def icon(self, draw: Callable[..., Markup], name: str, label: str = "", **more: str) -> Markup:
        """A drawing as the macro `draw` has it. Pages are full of them, and those without a label are few: they are drawn once."""
        if label:
            return draw(name, label, **more)
        key = (name, more.get("class", ""), self.version)
        drawn = self._icons.get(key)
        if drawn is None:
            drawn = self._icons[key] = draw(name, **more)
        return drawn

    @property
    def version(self) -> str:
        """A fingerprint of what the folder holds, the same on every machine; taken once, or whenever an edited file is noticed."""
        if not self._version or (self.is_watched and time.monotonic() - self._looked_at > LOOK_AGAIN_SECONDS):
            self._looked_at = time.monotonic()
            listing = self.listing()
            if listing != self._listing:
                self._version, self._listing = self.fingerprint(), listing
        return self._version

    def listing(self) -> Listing:
        """Names, times and sizes: enough to notice an edit, cheap enough to look again and again."""
        found = ((place, place.stat()) for place in sorted(self.folder.rglob("*")) if place.is_file())
        return tuple((str(place), status.st_mtime_ns, status.st_size) for place, status in found)

    def fingerprint(self) -> str:
        digest = hashlib.sha256()
        for place in sorted(place for place in self.folder.rglob("*") if place.is_file()):
            digest.update(str(place.relative_to(self.folder)).encode() + b"\0" + place.read_bytes())
        return digest.hexdigest()[:LENGTH]


def init_app(app: Flask) -> None:
    is_watched = app.config["APP_ENV"] != "production"
    assets = Assets(Path(str(app.static_folder)), str(app.static_url_path), is_watched)
    app.extensions["assets"] = assets
    app.jinja_env.globals["asset"] = assets
    app.jinja_env.globals["drawn_once"] = lambda draw: partial(assets.icon, draw)
