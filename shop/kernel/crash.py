"""Named places where a process can be made to die, so that tests can prove nothing is lost or doubled there.

They do nothing unless `CRASH_AT=name` (die at the first passage) or `CRASH_AT=name:n` (at the n-th) is set, and never
in production.
"""

from __future__ import annotations

import os
import signal
from collections import Counter

_passages: Counter[str] = Counter()


def crashpoint(name: str) -> None:
    """Die by SIGKILL here if the environment asks for it."""
    wanted = os.environ.get("CRASH_AT")
    if not wanted or os.environ.get("APP_ENV") == "production":
        return
    place, _, count = wanted.partition(":")
    if place != name:
        return
    _passages[name] += 1
    if _passages[name] == int(count or 1):
        os.kill(os.getpid(), signal.SIGKILL)
