"""Small, slow-changing lists kept in the process for some seconds: categories, communities, points.

Only for what is public, small, and may be half a minute late. Never for money, stock or anything of a person.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy.orm import Session

P = ParamSpec("P")
T = TypeVar("T")

MOST = 10_000

_kept: dict[tuple[Any, ...], tuple[float, Any]] = {}


def remember(seconds: float) -> Callable[[Callable[Concatenate[Session, P], T]], Callable[Concatenate[Session, P], T]]:
    """Keep what a query answers, for each of its (few, hashable) arguments, for so many seconds."""

    def decorate(query: Callable[Concatenate[Session, P], T]) -> Callable[Concatenate[Session, P], T]:
        name = f"{query.__module__}.{query.__qualname__}"

        def run(session: Session, *args: P.args, **kwargs: P.kwargs) -> T:
            key = (name, *args, *kwargs.items())
            kept = _kept.get(key)
            if kept is not None and kept[0] > time.monotonic():
                value: T = kept[1]
                return value
            value = query(session, *args, **kwargs)
            if len(_kept) >= MOST:
                forget()
            _kept[key] = (time.monotonic() + seconds, value)
            return value

        return run  # type: ignore[return-value]  # the session is always passed by position

    return decorate


def shelf(name: str) -> dict[Any, Any]:
    """A dictionary of this process for what never changes once it is known (ids by code); emptied by `forget`."""
    kept: dict[Any, Any] = _kept.setdefault((name,), (math.inf, {}))[1]
    return kept


def forget() -> None:
    """Forget everything kept: after seeding, between tests."""
    _kept.clear()
