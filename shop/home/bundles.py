"""One style sheet and one script for each kind of page, joined from their parts when they are first asked for. Set-up leaves a small
form of each (`shop/home/minifying.py`), which is served as long as its parts are the ones it was made of: nothing can be out of date.

Style parts follow each other. Every script part of ours becomes a function of its own, so that their names never meet. A part that
exports `enhance(root)` is called with the document, and with whatever comes onto the page later; app.js, the last part, tells of both
by the event "linli:arrived". A script that one page alone needs is no part: its template loads it as a module.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from flask import Blueprint, Response, abort, current_app, request

from shop.home import minifying
from shop.platform.access import public_file

bp = Blueprint("bundles", __name__)

COMPONENTS = (
    "icon", "button", "field", "choice", "stepper", "price", "card", "heart", "rows", "filters", "clock", "steps", "tag", "sheet", "elder",
    "flash", "table", "empty", "code", "chart", "bulletin", "reviews",
)  # fmt: skip
GROUND = ("vendor/bootstrap.css", "css/tokens.css", "css/base.css", *(f"css/components/{name}.css" for name in COMPONENTS))
PAGES = tuple(f"css/pages/{name}.css" for name in ("catalog", "home", "orders", "plain", "points", "questions"))
NARROW = "css/narrow.css"
CONTRAST = "css/contrast.css"
PARTS = (
    "js/sure.js", "js/stepper.js", "js/code.js", "js/read.js", "js/sheet.js", "js/choice.js", "js/sends.js", "js/wait.js", "js/focus.js",
    "js/tell.js", "js/sw-register.js",
)  # fmt: skip
BUNDLES: dict[str, tuple[str, ...]] = {
    "site.css": (*GROUND, "css/layout.css", *PAGES, NARROW, CONTRAST),
    "site.js": ("vendor/htmx.min.js", *PARTS, "js/recent.js", "js/suggest.js", "js/put.js", "js/app.js"),
    "console.css": (*GROUND, "css/layout.css", NARROW, "css/console.css", CONTRAST),
    "console.js": ("vendor/htmx.min.js", *PARTS, "js/desk.js", "js/handing.js", "js/keys.js", "js/app.js"),
    "paper.css": (*GROUND, "css/print.css", CONTRAST),
    "paper.js": ("js/code.js", "js/app.js"),
}
"""What pages load, and of which files in `static/` it is made, in this order."""

KINDS = {".css": "text/css", ".js": "text/javascript"}
BY_OTHERS = "vendor/"
"""Made by others: no part of ours."""

EXPORT = "export function enhance("
CALLED = 'document.addEventListener("linli:arrived", (event) => enhance(event.detail));'


@dataclass(frozen=True, slots=True)
class Bundle:
    """A joined file, as it is and compressed."""

    plain: bytes
    packed: bytes


@lru_cache(maxsize=2 * len(BUNDLES))
def bundle(folder: Path, name: str, version: str) -> Bundle:
    """The bundle as its parts are now; `version`, the fingerprint of the folder, makes an edited part a new bundle."""
    parts = joined(folder, name)
    plain = minifying.kept(name, parts) or parts.encode()
    return Bundle(plain, gzip.compress(plain, 9, mtime=0))


def joined(folder: Path, name: str) -> str:
    """All parts of a bundle in their order."""
    parts = ((place, (folder / place).read_text(encoding="utf-8")) for place in BUNDLES[name])
    return "\n".join(text if name.endswith(".css") else script_part(place, text) for place, text in parts)


def script_part(place: str, text: str) -> str:
    """A script in a function of its own; what it exports is called when something arrives."""
    if place.startswith(BY_OTHERS):
        return text
    if EXPORT in text:
        text = f"{text.replace(EXPORT, EXPORT.removeprefix('export '))}\n{CALLED}"
    return f'(() => {{\n"use strict";\n{text}\n}})();'


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
