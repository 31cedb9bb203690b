"""Whether a source of the shop changed, for starting it again while somebody works on it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from script.support.places import ROOT

LOOK_EVERY = 1.0
WATCHED = (("shop", ".py"), ("shop/templates", ".html"), ("shop/translations", ".po"))
ALONE = ("config.py", "wsgi.py", "gunicorn.conf.py")


class Watch:
    """Remembers when each source was last written. A look costs some milliseconds, and is made once a second at most."""

    def __init__(self, root: Path = ROOT, now: Callable[[], float] = time.monotonic) -> None:
        self.root = root
        self.now = now
        self.next_look = 0.0
        self.seen = self._written()

    def changed(self) -> list[str]:
        """What was written, came or went since the last look."""
        if self.now() < self.next_look:
            return []
        self.next_look = self.now() + LOOK_EVERY
        before, self.seen = self.seen, self._written()
        return sorted(place for place in before.keys() | self.seen.keys() if before.get(place) != self.seen.get(place))

    def _written(self) -> dict[str, int]:
        found = {}
        places = [place for folder, ending in WATCHED for place in (self.root / folder).rglob(f"*{ending}")]
        for place in [*places, *(self.root / name for name in ALONE)]:
            try:
                found[str(place.relative_to(self.root))] = place.stat().st_mtime_ns
            except OSError:  # it went while we looked
                continue
        return found
