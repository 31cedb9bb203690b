"""The demo city's input files."""

from __future__ import annotations

import csv
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def rows(name: str) -> list[dict[str, str]]:
    """The rows of `demo/data/<name>.csv`."""
    with (FOLDER / "data" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def lists(name: str) -> list[list[str]]:
    """The lines of `demo/data/<name>.csv` as lists of words; it has no header."""
    with (FOLDER / "data" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return [[word for word in line if word] for line in csv.reader(file) if line]


def picture(kind: str, code: str, size: int) -> bytes | None:
    """A drawing of the demo city as a square PNG of so many pixels; None when there is none."""
    import resvg_py  # only seeding draws

    place = FOLDER / "pictures" / kind / f"{code}.svg"
    if not place.exists():
        return None
    return bytes(resvg_py.svg_to_bytes(svg_path=str(place), width=size, height=size, skip_system_fonts=True))
