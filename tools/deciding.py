"""The index of decisions, written from the pages themselves: number, what was decided, when, and whether it still stands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "decisions"
INDEX = FOLDER / "README.md"
TITLE = re.compile(r"# (?:(?P<number>\d+)[.:]? )?(?P<title>\S.*)")
STANDING = re.compile(r"(?P<day>\d{4}-\d\d-\d\d) · (?P<status>accepted|proposed|superseded by \d{4})")
HEAD = """# Decisions

Why things are as they are, one page each. A page begins with its title, then its day and how it stands: `accepted`, `proposed`, or
`superseded by NNNN`. A page is not rewritten when we think otherwise: a new one is added, and the old one says which. Numbers are not
used twice; those that are missing were never given out. `tools/decisions` writes this table.

| number | decided | on | stands |
|---|---|---|---|
"""


class Unclear(ValueError):
    """A page does not say its title, its day or how it stands; the message names the page."""


@dataclass(frozen=True)
class Decision:
    """One page."""

    number: str
    file: str
    title: str
    day: str
    status: str


def decisions(folder: Path = FOLDER) -> Iterator[Decision]:
    """Every page by number. Raises Unclear for a page that does not begin as it should."""
    for page in sorted(folder.glob("[0-9]*-*.md")):
        yield read(page.name, page.read_text(encoding="utf-8"))


def read(file: str, text: str) -> Decision:
    """A page's first three lines: `# 58. Title`, nothing, `2026-11-30 · accepted`. Raises Unclear."""
    title, _, standing = (*text.split("\n", 3), "", "", "")[:3]
    named, stands = TITLE.fullmatch(title), STANDING.fullmatch(standing)
    number = file[:4]
    if named is None or stands is None:
        raise Unclear(f"{file} must begin with `# {int(number)}. Title`, an empty line and `YYYY-MM-DD · accepted`")
    if named["number"] is not None and int(named["number"]) != int(number):
        raise Unclear(f"{file} calls itself {named['number']}")
    return Decision(number, file, named["title"], stands["day"], stands["status"])


def index(pages: Sequence[Decision]) -> str:
    """The whole of docs/decisions/README.md."""
    rows = (f"| [{page.number}]({page.file}) | {page.title} | {page.day} | {page.status} |" for page in pages)
    return HEAD + "\n".join(rows) + "\n"


def give_day(page: Path, today: date) -> None:
    """A page that is new and says no day is accepted today."""
    lines = page.read_text(encoding="utf-8").split("\n")
    if not any(STANDING.fullmatch(line) for line in lines[:4]):
        page.write_text("\n".join([lines[0], "", f"{today} · accepted", *lines[1:]]), encoding="utf-8")


def main() -> int:
    """The command."""
    for page in FOLDER.glob("[0-9]*-*.md"):
        give_day(page, datetime.now(UTC).date())
    INDEX.write_text(index(list(decisions())), encoding="utf-8")
    return 0
