"""What both engines can do: be copied while others write, be made from a part, take another's place."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shop.cli.backup.archive import Watch

IN_USE = "{name} is in use: stop the web and worker processes (and whoever else looks into it) first. Nothing was changed."
LOOKS_EVERY = 0.2
SCHEMA_TABLE = "alembic_version"


@dataclass(frozen=True, slots=True)
class Dumped:
    """What a copy holds."""

    schema: str
    counts: dict[str, int]


def has_rows(counts: Mapping[str, int]) -> bool:
    """Whether there is anything in a database but its schema."""
    return any(count for table, count in counts.items() if table != SCHEMA_TABLE)


@contextmanager
def growing(place: Path, watch: Watch) -> Iterator[None]:
    """Tell `watch` how a file grows that somebody else writes."""
    done, seen = threading.Event(), 0

    def look() -> None:
        nonlocal seen
        size = place.stat().st_size if place.exists() else 0
        watch(max(size - seen, 0))
        seen = max(size, seen)

    def keep_looking() -> None:
        while not done.wait(LOOKS_EVERY):
            look()

    looker = threading.Thread(target=keep_looking, daemon=True)
    looker.start()
    try:
        yield
    finally:
        done.set()
        looker.join()
    look()
