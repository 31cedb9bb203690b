"""Limits per network address for doors that send messages or can be guessed at, on top of what the database counts per person.

Counted in Redis when there is one, else in this process; also in this process while Redis is away.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Flask, current_app, request
from limits import RateLimitItem, parse_many
from limits.errors import StorageError
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from shop.kernel.errors import TooManyAttempts

log = logging.getLogger("shop")

ASK_AGAIN_SECONDS = 10.0
View = Callable[..., Any]


class Counters:
    """How often an address came to a door."""

    def __init__(self, redis_url: str = "") -> None:
        self.own = FixedWindowRateLimiter(MemoryStorage())
        self.shared: FixedWindowRateLimiter | None = None
        self._away_until = 0.0
        if redis_url:
            storage = storage_from_string(redis_url, wrap_exceptions=True, socket_connect_timeout=0.5, socket_timeout=0.5)
            self.shared = FixedWindowRateLimiter(storage)

    def admits(self, rate: RateLimitItem, door: str, address: str) -> bool:
        """Count one visit; whether it is still within the rate."""
        if self.shared is not None and time.monotonic() > self._away_until:
            try:
                return self.shared.hit(rate, "linli", door, address)
            except StorageError:
                self._away_until = time.monotonic() + ASK_AGAIN_SECONDS
                log.warning("Redis is away; limits are counted in this process")
        return self.own.hit(rate, "linli", door, address)


def limited(door: str, rates: str) -> Callable[[View], View]:
    """Refuse with `TooManyAttempts` what comes too often from one address. Views with the same `door` are counted together."""
    items = parse_many(rates)

    def decorate(view: View) -> View:
        @wraps(view)
        def run(*args: Any, **kwargs: Any) -> Any:
            counters: Counters | None = current_app.extensions["limits"]
            if counters is not None and not all(counters.admits(item, door, request.remote_addr or "") for item in items):
                raise TooManyAttempts()
            return view(*args, **kwargs)

        return run

    return decorate


# Generous, because a whole housing estate can stand behind one address.
asking_for_codes = limited("asking for codes", "30/minute;300/hour")
trying_codes = limited("trying codes", "60/minute;600/hour")


def init_app(app: Flask) -> None:
    """Tests share one address and are not limited, unless they put counters there."""
    app.extensions["limits"] = None if app.config["TESTING"] else Counters(app.config["REDIS_URL"])
