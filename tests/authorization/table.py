"""Reading `matrix.txt`."""

from __future__ import annotations

import re
from pathlib import Path

from tests.authorization.city import ROLES, WHOSE

TABLE = Path(__file__).with_name("matrix.txt")
SECTIONS = ("open", "person", "merchant", "station", "admin", "community")
LETTERS = re.compile(rf"[yn0s]|[yn0s]{{{len(WHOSE)}}}")

Row = tuple[str, ...]


def rows(section: str) -> dict[str, Row]:
    """The cells of each route of a section, by `METHOD /rule`, a cell for each role."""
    read: dict[str, dict[str, Row]] = {}
    now: dict[str, Row] = {}
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            now = read.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            method, rule, *cells = line.split()
            route = f"{method} {rule}"
            assert len(cells) == len(ROLES), f"{route} has {len(cells)} cells"
            assert all(LETTERS.fullmatch(cell) for cell in cells), route
            assert not any(route in other for other in read.values()), f"{route} stands there twice"
            now[route] = tuple(cells)
    assert tuple(read) == SECTIONS
    return read[section]


def all_rows() -> dict[str, Row]:
    return {route: cells for section in SECTIONS for route, cells in rows(section).items()}
