"""What becomes of uploaded photos: three widths without metadata; hostile files are refused, each with a sentence of its own."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from shop.catalog import pictures
from shop.catalog.pictures import DrawingRefused, PictureBreaksOff, PictureTooLarge, PictureTooSmall, UnreadablePicture
from shop.kernel.errors import Invalid
from shop.platform.files import FolderStorage
from tests.support.photos import SVG, photo, photo_of_a_place, png_of, png_with_text

HOSTILE: dict[str, tuple[Callable[[], bytes], type[Invalid]]] = {
    "nothing": (lambda: b"", UnreadablePicture),
    "a drawing": (lambda: SVG, DrawingRefused),
    "a drawing after a mark and blanks": (lambda: b"\xef\xbb\xbf \n" + SVG, DrawingRefused),
    "a page": (lambda: b"<!doctype html><script>alert(1)</script>", DrawingRefused),
    "a moving picture": (lambda: photo(form="GIF"), UnreadablePicture),
    "a BMP": (lambda: photo(form="BMP"), UnreadablePicture),
    "a TIFF": (lambda: photo(form="TIFF"), UnreadablePicture),
    "a PDF": (lambda: b"%PDF-1.7\n", UnreadablePicture),
    "an archive": (lambda: b"PK\3\4" + b"\0" * 100, UnreadablePicture),
    "PostScript": (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n", UnreadablePicture),
    "too many bytes": (lambda: photo() + b"\0" * pictures.MAX_BYTES, PictureTooLarge),
    "too many pixels": (lambda: png_of(6_001, 4_000), PictureTooLarge),
    "a bomb of pixels": (lambda: png_of(60_000, 60_000), PictureTooLarge),
    "a bomb as wide as can be": (lambda: png_of(2**31 - 1, 1), PictureTooLarge),
    "a bomb of text": (lambda: png_with_text(80 * 1024 * 1024), PictureBreaksOff),
    "a speck": (lambda: photo((40, 40)), PictureTooSmall),
    "a line": (lambda: photo((900, 3)), PictureTooSmall),
    "half a photo": (lambda: photo()[: len(photo()) // 2], PictureBreaksOff),
    "the head of a JPEG": (lambda: b"\xff\xd8\xff\xe0" + b"\0" * 40, PictureBreaksOff),
    "the head of a WebP": (lambda: b"RIFF\x10\0\0\0WEBPVP8 " + b"\0" * 40, PictureBreaksOff),
    "half a PNG": (lambda: photo(form="PNG")[:60], PictureBreaksOff),
    "a PNG without pixels": (lambda: png_of(400, 300), PictureBreaksOff),
    "a PNG with fewer pixels than it says": (lambda: png_of(400, 300, b"\0" * 100), PictureBreaksOff),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_photo_is_refused_and_nothing_is_kept(name: str, tmp_path: Path) -> None:
    make, refusal = HOSTILE[name]
    with pytest.raises(Invalid) as refused:
        pictures.keep(FolderStorage(tmp_path), make())
    assert type(refused.value) is refusal
    assert list(tmp_path.iterdir()) == []


def forms_of(storage: FolderStorage, name: str) -> dict[str, bytes]:
    return {said(name): storage.read(said(name)) for said in (str, pictures.medium, pictures.small, pictures.shared)}


def test_a_photo_becomes_three_widths_and_one_for_links(tmp_path: Path) -> None:
    storage = FolderStorage(tmp_path)
    name = pictures.keep(storage, photo((1_600, 1_200)))
    opened = {key: Image.open(io.BytesIO(content)) for key, content in forms_of(storage, name).items()}
    assert [(one.format, one.size) for one in opened.values()] == [
        ("WEBP", (960, 960)), ("WEBP", (640, 640)), ("WEBP", (320, 320)), ("JPEG", (800, 800)),
    ]  # fmt: skip


def test_the_same_photo_is_the_same_picture_and_no_small_one_is_blown_up(tmp_path: Path) -> None:
    storage = FolderStorage(tmp_path)
    name = pictures.keep(storage, photo((500, 400)))
    assert name == pictures.keep(storage, photo((500, 400)))
    assert Image.open(io.BytesIO(storage.read(name))).size == (400, 400)
    assert Image.open(io.BytesIO(storage.read(pictures.medium(name)))).size == (400, 400)


def test_where_and_with_what_a_photo_was_taken_is_not_kept_and_it_stands_upright(tmp_path: Path) -> None:
    storage, content = FolderStorage(tmp_path), photo_of_a_place()
    assert b"Maker of phones" in content
    name = pictures.keep(storage, content)
    for kept in forms_of(storage, name).values():
        seen = Image.open(io.BytesIO(kept))
        assert dict(seen.getexif()) == {}
        assert not {"exif", "comment", "xmp", "icc_profile"} & set(seen.info)
        assert not any(word in kept for word in (b"Maker of phones", b"at the stall", b"Exif"))


def test_a_photo_on_its_side_is_turned(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    made = io.BytesIO()
    two = Image.new("RGB", (400, 400), "red")
    two.paste("blue", (0, 200, 400, 400))
    two.save(made, "JPEG", exif=exif)
    storage = FolderStorage(tmp_path)
    seen = Image.open(io.BytesIO(storage.read(pictures.keep(storage, made.getvalue())))).convert("RGB")
    top: tuple[int, ...] = seen.getpixel((200, 50))  # type: ignore[assignment]
    assert top[2] > 200 > top[0]


@pytest.mark.parametrize("behind", [b"PK\3\4archive", b"<script>alert(1)</script>", b"\x7fELF" * 20])
def test_what_hangs_behind_a_photo_is_left_out(behind: bytes, tmp_path: Path) -> None:
    storage = FolderStorage(tmp_path)
    name = pictures.keep(storage, photo() + behind)
    assert name == pictures.keep(FolderStorage(tmp_path / "plain"), photo())
    assert all(behind not in kept for kept in forms_of(storage, name).values())


def test_what_can_be_seen_through_stands_on_our_ground(tmp_path: Path) -> None:
    storage = FolderStorage(tmp_path)
    name = pictures.keep(storage, photo((300, 300), (255, 0, 0, 0), "PNG"))
    seen: tuple[int, ...] = Image.open(io.BytesIO(storage.read(name))).convert("RGB").getpixel((150, 150))  # type: ignore[assignment]
    assert min(seen) > 230


@pytest.mark.parametrize(("form", "kind"), [("JPEG", "CMYK"), ("JPEG", "L"), ("PNG", "P"), ("PNG", "I;16"), ("PNG", "1"), ("PNG", "LA")])
def test_photos_in_other_colours_are_read(form: str, kind: str, tmp_path: Path) -> None:
    made = io.BytesIO()
    Image.new(kind, (300, 300)).save(made, form)
    storage = FolderStorage(tmp_path)
    assert Image.open(io.BytesIO(storage.read(pictures.keep(storage, made.getvalue())))).mode == "RGB"
