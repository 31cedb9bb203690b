"""Pictures of products: every upload is decoded, bounded, turned upright, re-encoded without its metadata.

Kept as WebP in three sizes; a picture's name is that of the large one, `medium(name)` and `small(name)` name the others. Beside them
lies a JPEG for whoever shows a link to a page: chats and search engines do not all read WebP. `shared(name)` names it.
"""

from __future__ import annotations

import io
import logging
import warnings
from typing import Any

from shop.kernel.errors import Invalid, sentence
from shop.platform.files import Storage

log = logging.getLogger("shop.catalog.pictures")

LARGE, MEDIUM, SMALL = 960, 640, 320
LEAST = 160
"""A side shorter than this shows nothing of a product."""
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


class DrawingRefused(UnreadablePicture):
    code = "drawing_refused"
    message = sentence("This is a drawing (SVG) or a page, which may hold programs. Please take a photo, or save it as JPEG or PNG.")


class PictureBreaksOff(UnreadablePicture):
    code = "picture_breaks_off"
    message = sentence("This picture is damaged or breaks off in the middle. Please send it again.")


class PictureTooLarge(Invalid):
    code, field, status = "picture_too_large", "picture", 413
    message = sentence("This picture is too large: at most 8 MB and 24 million pixels.")


class PictureTooSmall(Invalid):
    code, field = "picture_too_small", "picture"
    message = sentence("This picture is too small to show anything: at least 160 pixels each way.")


REFUSALS: tuple[type[Invalid], ...] = (UnreadablePicture, DrawingRefused, PictureBreaksOff, PictureTooLarge, PictureTooSmall)


def look(content: bytes) -> None:
    """Look at the first bytes, whatever the file is called: refuses what is no photo before anybody decodes it."""
    if len(content) > MAX_BYTES:
        raise PictureTooLarge()
    if content[:3] == b"\xff\xd8\xff" or content[:8] == b"\x89PNG\r\n\x1a\n" or (content[:4] == b"RIFF" and content[8:12] == b"WEBP"):
        return
    if content[:MARKUP].removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<":
        raise DrawingRefused()
    raise UnreadablePicture()


MARKUP = 256


def keep(storage: Storage, content: bytes) -> str:
    """Store an uploaded picture in all sizes; the name for `ProductImage.file`. Raises one of `REFUSALS`."""
    from PIL import ImageOps  # slow to import, needed only where pictures come in

    look(content)
    upright = decoded(content)
    if min(upright.size) < LEAST:
        raise PictureTooSmall()
    large = ImageOps.fit(upright, (min(LARGE, *upright.size),) * 2)
    name = storage.keep(encoded(large), ".webp")
    for variation, width in (("medium", MEDIUM), ("small", SMALL)):
        storage.keep_beside(name, encoded(large.resize((min(width, large.width),) * 2)), variation)
    storage.keep_beside(name, share_form(large), "share", ".jpg")
    return name


def decoded(content: bytes) -> Any:
    """The pixels of a picture, upright, on our ground where it is transparent. Nothing else of the file is taken along.

    What it says of its size is looked at before a pixel is decoded. Decoders fall over hostile files in many ways: each of them says
    that the picture is damaged, and none is a fault of ours.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            opened = Image.open(io.BytesIO(content), formats=FORMATS)
            if opened.width * opened.height > MAX_PIXELS:
                raise PictureTooLarge()
            upright = ImageOps.exif_transpose(opened)
            if "A" in upright.getbands() or "transparency" in upright.info:
                seen = upright.convert("RGBA")
                upright = Image.new("RGB", seen.size, GROUND)
                upright.paste(seen, mask=seen.getchannel("A"))
            plain = upright.convert("RGB")
            plain.info.clear()  # or a comment within would be written again
            return plain
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise PictureTooLarge() from None
    except UnidentifiedImageError:
        raise PictureBreaksOff() from None
    except Invalid:
        raise
    except Exception as trouble:  # whatever a hostile file makes a decoder say
        log.warning("a picture could not be decoded: %s", type(trouble).__name__)
        raise PictureBreaksOff() from None


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


def medium(name: str) -> str:
    """The middle size of a stored picture; not of those kept before there was one."""
    return name.replace(".webp", "-medium.webp")


def small(name: str) -> str:
    """The small size of a stored picture."""
    return name.replace(".webp", "-small.webp")
