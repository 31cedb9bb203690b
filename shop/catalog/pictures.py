"""Pictures of products: every upload is decoded, bounded, turned upright, re-encoded without its metadata.

Kept as WebP in two sizes; a picture's name is that of the large one, `small(name)` names the small. Beside them lies a JPEG for
whoever shows a link to a page: chats and search engines do not all read WebP. `shared(name)` names it.
"""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

from shop.kernel.errors import Invalid, sentence
from shop.platform.files import Storage

if TYPE_CHECKING:
    from PIL.Image import Image

LARGE, SMALL = 960, 320
SHARED = 800
SHARED_BYTES = 150_000
"""What a chat shows beside a link: a square of so many pixels, of at most so many bytes."""

GROUND = "#fbf8f3"
"""The ground colour of tokens.css, around what is no square."""

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
    from PIL import ImageOps

    upright = opened(content)
    large = ImageOps.fit(upright, (min(LARGE, *upright.size),) * 2)
    name = storage.keep(encoded(large), ".webp")
    storage.keep_beside(name, encoded(large.resize((min(SMALL, large.width),) * 2)), "small")
    storage.keep_beside(name, share_form(large), "share", ".jpg")
    return name


def opened(content: bytes) -> Image:
    """An uploaded picture, bounded, upright and without its metadata. Raises `UnreadablePicture`, `PictureTooLarge`."""
    from PIL import Image, ImageOps  # slow to import, needed only where pictures come in

    if len(content) > MAX_BYTES:
        raise PictureTooLarge()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            found = Image.open(io.BytesIO(content), formats=FORMATS)
            if found.width * found.height > MAX_PIXELS:
                raise PictureTooLarge()
            return ImageOps.exif_transpose(found).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise UnreadablePicture() from None


def add_share_form(storage: Storage, name: str) -> bool:
    """Make the form for links of a picture kept without one; whether it was missing. Again: nothing is missing any more."""
    from PIL import Image

    if storage.has(shared(name)):
        return False
    with Image.open(io.BytesIO(storage.read(name)), formats=FORMATS) as kept:
        storage.keep_beside(name, share_form(kept.convert("RGB")), "share", ".jpg")
    return True


def share_form(picture: object) -> bytes:
    """The whole picture on a square of the ground colour, as JPEG; of what is fine in detail, a little less."""
    from PIL import Image, ImageOps

    square = ImageOps.pad(picture, (SHARED, SHARED), Image.Resampling.BICUBIC, color=GROUND)  # type: ignore[arg-type]
    content = b""
    for quality in (85, 75, 60, 45, 30, 15):
        kept = io.BytesIO()
        square.save(kept, "JPEG", quality=quality, optimize=True)
        content = kept.getvalue()
        if len(content) <= SHARED_BYTES:
            break
    return content


def encoded(picture: object) -> bytes:
    kept = io.BytesIO()
    picture.save(kept, "WEBP", quality=82, method=4)  # type: ignore[attr-defined]
    return kept.getvalue()


def shared(name: str) -> str:
    """The form of a stored picture for links."""
    return name.replace(".webp", "-share.jpg")


def small(name: str) -> str:
    """The small size of a stored picture."""
    return name.replace(".webp", "-small.webp")
