"""Draw from the logo the icons of the installed app and of browsers' tabs, and the picture of links:
`.venv/bin/python -m tools.app_icons`.

Needs the packages of requirements.txt. The pictures are kept in the repository; run it again when the logo changes.
"""

from __future__ import annotations

import io
from pathlib import Path

import resvg_py
from PIL import Image

from script.support.places import ROOT

LOGO = ROOT / "shop" / "static" / "img" / "logo.svg"
FOLDER = ROOT / "shop" / "static" / "img" / "app-icons"
GROUND = "#fbf8f3"
LARGE = 1024
SHARED = 800
TABS = (16, 32, 48)
"""The sizes within favicon.ico."""

SHARE_PLAIN = 0.86
SHARE_MASKABLE = 0.62
SHARE_SHARED = 0.7
"""How much of the width the logo takes. Phones cut maskable icons to any shape inside a circle of four fifths."""


def drawn(size: int) -> Image.Image:
    """The logo at this size, with a clear ground."""
    return Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=LOGO.read_text(encoding="utf-8"), width=size, height=size))))


def icon(size: int, share: float) -> Image.Image:
    """The logo in the middle of the ground colour."""
    whole = Image.new("RGB", (LARGE, LARGE), GROUND)
    logo = drawn(round(LARGE * share)).convert("RGBA")
    corner = (LARGE - logo.width) // 2
    whole.paste(logo, (corner, corner), logo)
    return whole.resize((size, size), Image.Resampling.LANCZOS).quantize(64)


def shared() -> Image.Image:
    """What a chat shows beside a link to a page that has no picture of its own."""
    return icon(SHARED, SHARE_SHARED).convert("RGB")


def main(folder: Path = FOLDER) -> None:
    """Write all of them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, size, share in (("192", 192, SHARE_PLAIN), ("512", 512, SHARE_PLAIN), ("maskable-512", 512, SHARE_MASKABLE)):
        icon(size, share).save(folder / f"{name}.png", optimize=True)
    shared().save(folder / "share.jpg", quality=88, optimize=True, progressive=True)
    tabs = [drawn(size).convert("RGBA") for size in TABS]
    tabs[-1].save(folder / "favicon.ico", sizes=[tab.size for tab in tabs], append_images=tabs[:-1])


if __name__ == "__main__":
    main()
