"""Answers made small for the way, static files made small once.

Why this is safe with secrets on the page, and what is left as it is, stands in docs/decisions/0020-compression.md.
"""

from __future__ import annotations

import gzip
import io
import secrets
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, current_app, request

from shop.platform.asked import address, came_from

SMALL = frozenset(
    {
        "text/html", "text/css", "text/javascript", "text/plain", "text/csv", "application/json", "application/problem+json",
        "application/manifest+json", "application/xml", "image/svg+xml",
    }
)  # fmt: skip
"""What shrinks. Pictures and archives are small already."""

WORTH_IT = 1024
"""Bytes; below that an answer fits into one packet anyway."""

LEVEL = 5
LEVEL_ONCE = 9
LONGEST_PADDING = 100
"""Up to so many random bytes hide the true length of an answer that is made for one reader."""

VERSIONED = frozenset({"static", "bundles.serve"})
"""Endpoints whose addresses carry the version of what they hold."""

FOR_EVER = "public, max-age=31536000, immutable"


def compress(content: bytes, padding: int) -> bytes:
    """gzip whose length says little: `padding` bytes of a name that nobody reads stand in its header."""
    packed = io.BytesIO()
    name = secrets.token_hex(padding)[:padding] if padding else ""
    with gzip.GzipFile(filename=name, mode="wb", compresslevel=LEVEL, fileobj=packed, mtime=0) as file:
        file.write(content)
    return packed.getvalue()


@lru_cache(maxsize=256)
def compressed_file(place: str, changed_at: int) -> bytes | None:
    """A static file, compressed as well as it goes; None when that gains nothing. `changed_at` makes an edited file a new one."""
    content = Path(place).read_bytes()
    packed = gzip.compress(content, LEVEL_ONCE, mtime=0)
    return packed if len(packed) < len(content) else None


def asked_from_elsewhere() -> bool:
    """Whether another site made the browser ask. Such an answer keeps its length: a stranger who chose part of the page must not
    learn from the length of the rest what it says."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in {"same-origin", "none"}
    return bool(request.referrer) and came_from().netloc != request.host


def may_shrink(response: Response) -> bool:
    """Whether this answer may be compressed for whoever asks."""
    environ = request.environ
    return (
        "gzip" in environ.get("HTTP_ACCEPT_ENCODING", "").lower()
        and response.status_code not in {204, 206, 304}
        and response.mimetype in SMALL
        and not response.headers.get("Content-Encoding")
        and request.accept_encodings["gzip"] > 0
        and "HTTP_RANGE" not in environ
    )


def keep_versioned(response: Response) -> None:
    """A static file asked for under the version that is served now never changes; under any other address it is asked about again."""
    assets = current_app.extensions.get("assets")
    is_current = assets is not None and address.word("v") == assets.version
    response.headers["Cache-Control"] = FOR_EVER if is_current else "no-cache"


def shrink_static(response: Response) -> None:
    """Give the file's compressed form, made once in this process."""
    place = Path(str(current_app.static_folder)) / str((request.view_args or {})["filename"])
    packed = compressed_file(str(place), place.stat().st_mtime_ns)
    if packed is None:
        return
    response.direct_passthrough = False
    response.close()  # the file that send_file had opened
    replace_body(response, packed)


def replace_body(response: Response, packed: bytes) -> None:
    """Put the compressed bytes in place. The tag becomes a weak one: it names what is said, not how it was packed."""
    response.set_data(packed if request.method != "HEAD" else b"")
    response.headers["Content-Length"] = str(len(packed))
    response.headers["Content-Encoding"] = "gzip"
    tag, _is_weak = response.get_etag()
    if tag:
        response.set_etag(tag, weak=True)


def make_small(response: Response) -> Response:
    """After every request."""
    endpoint = request.endpoint
    is_static = endpoint == "static" and response.status_code in {200, 304}
    if endpoint in VERSIONED and response.status_code in {200, 304}:
        keep_versioned(response)
    if response.mimetype in SMALL:
        said = response.headers.get("Vary", "")
        if "Accept-Encoding" not in said:
            response.headers["Vary"] = f"{said}, Accept-Encoding" if said else "Accept-Encoding"
    if not may_shrink(response):
        return response
    if is_static:
        if (response.content_length or 0) >= WORTH_IT:
            shrink_static(response)
        return response
    if response.is_streamed or response.direct_passthrough or request.method == "HEAD" or asked_from_elsewhere():
        return response
    content = response.get_data()
    if len(content) >= WORTH_IT:
        replace_body(response, compress(content, secrets.randbelow(LONGEST_PADDING + 1)))
    return response


def init_app(app: Flask) -> None:
    """Compress after everything else has spoken: hooks registered first run last."""
    app.after_request(make_small)
