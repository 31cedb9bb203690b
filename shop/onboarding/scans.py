"""Papers as they are handed in: a photo is made smaller and loses its metadata, a PDF file stays as it is; both are cut into slices."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from shop.catalog import pictures
from shop.onboarding.errors import PaperMissing, PaperTooLarge, PaperUnreadable

LONGEST_SIDE, QUALITY = 1_800, 78
"""Small print of a photographed licence can still be read."""

MOST_UPLOADED = pictures.MAX_BYTES
MOST_PDF = 3 * 1024 * 1024
SLICE = 45_000
JPEG, PDF = "image/jpeg", "application/pdf"


@dataclass(frozen=True, slots=True)
class Scan:
    """A paper as it is kept."""

    content: bytes
    content_type: str


def read(content: bytes) -> Scan:
    """A paper that was uploaded, known by its first bytes. Raises `PaperMissing`, `PaperTooLarge`, `PaperUnreadable`."""
    if not content:
        raise PaperMissing()
    if content.startswith(b"%PDF-"):
        if len(content) > MOST_PDF:
            raise PaperTooLarge()
        return Scan(content, PDF)
    try:
        photo = pictures.decoded(content)
    except pictures.PictureTooLarge:
        raise PaperTooLarge() from None
    except pictures.UnreadablePicture:
        raise PaperUnreadable() from None
    photo.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    kept = io.BytesIO()
    photo.save(kept, "JPEG", quality=QUALITY, optimize=True)
    return Scan(kept.getvalue(), JPEG)


def slices(content: bytes) -> Iterator[str]:
    """The pieces of a paper in their order, as texts that can be sealed."""
    for start in range(0, len(content), SLICE):
        yield base64.b64encode(content[start : start + SLICE]).decode()


def joined(pieces: Iterable[str]) -> bytes:
    """What `slices` was given."""
    return b"".join(base64.b64decode(piece) for piece in pieces)
