"""Pictures side by side: a page of HTML with all of them, and joined PNG files by area."""

from __future__ import annotations

import html
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from PIL import Image, ImageDraw

WIDTHS = {"phone": 390, "desktop": 760}
PER_ROW = {"phone": 5, "desktop": 2}
TALLEST = {"phone": 1700, "desktop": 1000}
"""Pixels on the joined sheet; what is below is cut off there, not in the picture itself."""

GAP = 16
LABEL = 18
STYLE = (
    "body{font:14px system-ui;margin:16px;background:#ddd}h2{margin:24px 0 8px}div{display:flex;gap:12px;overflow-x:auto;align-items:start}"
    "figure{margin:0;background:#fff;padding:6px}figcaption{padding:4px 0}img{display:block;max-height:90vh;width:auto}"
)


@dataclass(frozen=True)
class Shot:
    """One picture of one page."""

    area: str
    name: str
    size: str
    dress: str
    path: Path


def write_contact_sheet(folder: Path) -> Path:
    """An HTML page with every picture that lies in the folder, a row per page."""
    rows = []
    for area in sorted(place for place in folder.iterdir() if place.is_dir() and place.name != "sheets"):
        names = sorted(area.glob("*.png"))
        rows.append(f"<h2>{html.escape(area.name)}</h2>")
        for page, pictures in groupby(names, key=lambda place: place.stem.split("-phone-")[0].split("-desktop-")[0]):
            figures = "".join(
                f'<figure><figcaption>{html.escape(picture.stem)}</figcaption><a href="{area.name}/{picture.name}">'
                f'<img loading="lazy" src="{area.name}/{picture.name}" alt=""></a></figure>'
                for picture in pictures
            )
            rows.append(f'<div id="{html.escape(page)}">{figures}</div>')
    target = folder / "index.html"
    target.write_text(
        f'<!doctype html><meta charset="utf-8"><title>Linli, every page</title><style>{STYLE}</style>' + "\n".join(rows), encoding="utf-8"
    )
    return target


def write_joined_sheets(shots: list[Shot], folder: Path) -> list[Path]:
    """One PNG or more per area, size and dress, each small enough to be taken in at once."""
    written: list[Path] = []
    target = folder / "sheets"
    target.mkdir(parents=True, exist_ok=True)
    key = lambda shot: (shot.area, shot.size, shot.dress)  # noqa: E731
    for (area, size, dress), group in groupby(sorted(shots, key=key), key=key):
        members = list(group)
        per_sheet = PER_ROW[size] * (1 if size == "phone" else 2)
        for old in target.glob(f"{area}-{size}-{dress}-[0-9].png"):
            old.unlink()
        for number, start in enumerate(range(0, len(members), per_sheet), 1):
            path = target / f"{area}-{size}-{dress}-{number}.png"
            joined(members[start : start + per_sheet], size).save(path)
            written.append(path)
    return written


def joined(shots: Iterable[Shot], size: str) -> Image.Image:
    """The pictures in rows, each with its name above it."""
    width, tallest, per_row = WIDTHS[size], TALLEST[size], PER_ROW[size]
    cells = []
    for shot in shots:
        with Image.open(shot.path) as picture:
            scaled = picture.convert("RGB").resize((width, max(1, round(picture.height * width / picture.width))))
        cell = Image.new("RGB", (width, min(scaled.height, tallest) + LABEL), "white")
        ImageDraw.Draw(cell).text((2, 3), shot.name, fill="black")
        cell.paste(scaled.crop((0, 0, width, min(scaled.height, tallest))), (0, LABEL))
        cells.append(cell)
    rows = [cells[start : start + per_row] for start in range(0, len(cells), per_row)]
    heights = [max(cell.height for cell in row) for row in rows]
    whole = Image.new("RGB", (min(len(cells), per_row) * (width + GAP) + GAP, sum(heights) + GAP * (len(rows) + 1)), "#888")
    top = GAP
    for row, height in zip(rows, heights, strict=True):
        for column, cell in enumerate(row):
            whole.paste(cell, (GAP + column * (width + GAP), top))
        top += height + GAP
    return whole
