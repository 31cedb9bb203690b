"""Pictures of products: every upload is decoded, bounded, turned upright, re-encoded without its metadata.

Kept as WebP in two sizes; a picture's name is that of the large one, `small(name)` names the small.
"""

from __future__ import annotations

import io
import warnings

from shop.kernel.errors import Invalid, sentence
from shop.platform.files import Storage

LARGE, SMALL = 960, 320
MAX_BYTES = 8 * 1024 * 1024
MAX_PIXELS = 24_000_000
FORMATS = ("JPEG", "PNG", "WEBP")


class UnreadablePicture(Invalid):
    code, field = "unreadable_picture", "picture"
    message = sentence("This file is not a JPEG, PNG or WebP picture we can read.")


class PictureTooLarge(Invalid):
    code, field, status = "picture_too_large", "picture", 413
    message = sentence("This picture is too large: at most 8 MB and 24 million pixels.")


def keep(storage: Storage, content: bytes) -> str:
    """Store an uploaded picture in both sizes; the name for `ProductImage.file`. Raises the refusals above."""
    from PIL import Image, ImageOps  # slow to import, needed only where pictures come in

    if len(content) > MAX_BYTES:
        raise PictureTooLarge()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            opened = Image.open(io.BytesIO(content), formats=FORMATS)
            if opened.width * opened.height > MAX_PIXELS:
                raise PictureTooLarge()
            upright = ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise UnreadablePicture() from None
    large = ImageOps.fit(upright, (min(LARGE, *upright.size),) * 2)
    name = storage.keep(encoded(large), ".webp")
    storage.keep_beside(name, encoded(large.resize((min(SMALL, large.width),) * 2)), "small")
    return name


def encoded(picture: object) -> bytes:
    kept = io.BytesIO()
    picture.save(kept, "WEBP", quality=82, method=4)  # type: ignore[attr-defined]
    return kept.getvalue()


def small(name: str) -> str:
    """The small size of a stored picture."""
    return name.replace(".webp", "-small.webp")
