"""Small, slow-changing lists kept in the process for some seconds: categories, communities, points.

Only for what is public, small, and may be half a minute late. Never for money, stock or anything of a person.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy.orm import Session

T = TypeVar("T")

_kept: dict[str, tuple[float, Any]] = {}


def remember(seconds: float) -> Callable[[Callable[[Session], T]], Callable[[Session], T]]:
    """Keep what a query without arguments answers for so many seconds."""

    def decorate(query: Callable[[Session], T]) -> Callable[[Session], T]:
        name = f"{query.__module__}.{query.__qualname__}"

        def run(session: Session) -> T:
            kept = _kept.get(name)
            if kept is not None and kept[0] > time.monotonic():
                value: T = kept[1]
                return value
            value = query(session)
            _kept[name] = (time.monotonic() + seconds, value)
            return value

        return run

    return decorate


def shelf(name: str) -> dict[Any, Any]:
    """A dictionary of this process for what never changes once it is known (ids by code); emptied by `forget`."""
    kept: dict[Any, Any] = _kept.setdefault(name, (math.inf, {}))[1]
    return kept


def forget() -> None:
    """Forget everything kept: after seeding, between tests."""
    _kept.clear()
