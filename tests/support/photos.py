"""Photos as phones and ill-wishers send them."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from PIL import Image


def photo(size: tuple[int, int] = (900, 700), colour: Any = "orange", form: str = "JPEG", **more: Any) -> bytes:
    """A photo of one colour."""
    made = io.BytesIO()
    Image.new("RGBA" if form == "PNG" and isinstance(colour, tuple) and len(colour) == 4 else "RGB", size, colour).save(made, form, **more)
    return made.getvalue()


def photo_of_a_place(size: tuple[int, int] = (400, 300)) -> bytes:
    """A photo that says where and by which phone it was taken, and lies on its side."""
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it a quarter to the right
    exif[0x010F] = "Maker of phones"
    exif.get_ifd(0x8825).update({1: "N", 2: (29.0, 35.0, 0.0), 3: "E", 4: (105.0, 4.0, 0.0)})
    return photo(size, exif=exif, comment=b"at the stall")


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG that says it has so many pixels, whatever it holds."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def png_with_text(size: int) -> bytes:
    """A small picture with a text that unpacks to many bytes."""
    plain = photo((400, 300), form="PNG")
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"\0" * size))
    return plain[:33] + text + plain[33:]


SVG = b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
