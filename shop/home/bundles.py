"""One style sheet and one script for each kind of page, joined from their parts when they are first asked for: nothing to build, so
nothing that can be out of date.

Style parts follow each other. Every script part of ours becomes a function of its own, so that their names never meet. A part that
exports `enhance(root)` is called with the document, and with whatever comes onto the page later; app.js, the last part, tells of both
by the event "linli:arrived". A script that one page alone needs is no part: its template loads it as a module.
"""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from flask import Blueprint, Response, abort, current_app, request

from shop.platform.access import public_file

bp = Blueprint("bundles", __name__)

COMPONENTS = (
    "icon", "button", "field", "choice", "stepper", "price", "card", "rows", "filters", "clock", "steps", "tag", "sheet", "elder", "flash",
    "table", "empty", "code", "chart",
)  # fmt: skip
GROUND = ("vendor/bootstrap.css", "css/tokens.css", "css/base.css", *(f"css/components/{name}.css" for name in COMPONENTS))
PAGES = tuple(f"css/pages/{name}.css" for name in ("catalog", "home", "orders", "plain", "points", "questions"))
NARROW = "css/narrow.css"
PARTS = ("js/stepper.js", "js/code.js", "js/sheet.js", "js/choice.js", "js/wait.js", "js/sw-register.js")
BUNDLES: dict[str, tuple[str, ...]] = {
    "site.css": (*GROUND, "css/layout.css", *PAGES, NARROW),
    "site.js": ("vendor/htmx.min.js", *PARTS, "js/recent.js", "js/put.js", "js/app.js"),
    "console.css": (*GROUND, "css/layout.css", NARROW, "css/console.css"),
    "console.js": ("vendor/htmx.min.js", *PARTS, "js/desk.js", "js/keys.js", "js/app.js"),
    "paper.css": (*GROUND, "css/print.css"),
    "paper.js": ("js/code.js", "js/app.js"),
}
"""What pages load, and of which files in `static/` it is made, in this order."""

KINDS = {".css": "text/css", ".js": "text/javascript"}
BY_OTHERS = "vendor/"
"""Small already, and left exactly as they are."""

STYLE_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
SPACE = re.compile(r"\s+")
AROUND_MARKS = re.compile(r" ?([{};]) ?")
EXPORT = "export function enhance("
CALLED = 'document.addEventListener("linli:arrived", (event) => enhance(event.detail));'
AFTER_NAME = re.compile(r"(?<=[\w-]): ")


@dataclass(frozen=True, slots=True)
class Bundle:
    """A joined file, as it is and compressed."""

    plain: bytes
    packed: bytes


@lru_cache(maxsize=2 * len(BUNDLES))
def bundle(folder: Path, name: str, version: str) -> Bundle:
    """The bundle as its parts are now; `version`, the fingerprint of the folder, makes an edited part a new bundle."""
    plain = joined(folder, name).encode()
    return Bundle(plain, gzip.compress(plain, 9, mtime=0))


def joined(folder: Path, name: str) -> str:
    """All parts of a bundle in their order."""
    part_of = style_part if name.endswith(".css") else script_part
    return "\n".join(part_of(place, (folder / place).read_text(encoding="utf-8")) for place in BUNDLES[name])


def style_part(place: str, text: str) -> str:
    """A style sheet without comments and without space that means nothing."""
    if place.startswith(BY_OTHERS):
        return text
    text = SPACE.sub(" ", STYLE_COMMENT.sub("", text)).strip()
    return AFTER_NAME.sub(":", AROUND_MARKS.sub(r"\1", text))


def script_part(place: str, text: str) -> str:
    """A script in a function of its own, without lines that only comment; what it exports is called when something arrives."""
    if place.startswith(BY_OTHERS):
        return text
    lines = (line.strip() for line in text.splitlines())
    said = "\n".join(line for line in lines if line and not line.startswith("//"))
    if EXPORT in said:
        said = f"{said.replace(EXPORT, EXPORT.removeprefix('export '))}\n{CALLED}"
    return f'(() => {{\n"use strict";\n{said}\n}})();'


@bp.get("/static/built/<name>")
@public_file
def serve(name: str) -> Response:
    """A bundle. How long browsers may keep it is decided where it is for all files (shop/platform/compression.py)."""
    if name not in BUNDLES:
        abort(404)
    assets = current_app.extensions["assets"]
    made = bundle(assets.folder, name, assets.version)
    answer = Response(made.plain, mimetype=KINDS[Path(name).suffix])
    if request.accept_encodings["gzip"] > 0:
        answer.set_data(made.packed)
        answer.headers["Content-Encoding"] = "gzip"
    answer.set_etag(f"{name}-{assets.version}", weak=True)
    answer.make_conditional(request)
    return answer
