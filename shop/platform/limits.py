"""Limits per network address for doors that send messages or can be guessed at, on top of what the database counts per person.
Of IPv6 a subscriber has a whole network of addresses, which counts as one.

Counted in Redis when there is one. Without, or while it is away, each process counts by itself, and each visit as many times as
there are processes: all of them together then admit no more than the rate says, and perhaps less. What can be guessed at (codes,
authenticators, PINs, passes) is counted in the database besides, whatever becomes of these counters.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Flask, current_app, request
from limits import RateLimitItem, parse_many
from limits.errors import StorageError
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from shop.kernel import clock
from shop.kernel.errors import TooManyAttempts, sentence
from shop.kernel.identifiers import network_of

log = logging.getLogger("shop")

ASK_AGAIN_SECONDS = 10.0
View = Callable[..., Any]


class ComesTooOften(TooManyAttempts):
    """An address came to a door more often than its rate says; `seconds` until it is let in again."""

    message = sentence("That was too often from this network. Nothing is lost; please try again in %(seconds)s seconds.")


class Counters:
    """How often an address came to a door."""

    def __init__(self, redis_url: str = "", processes: int = 1) -> None:
        self.processes = max(processes, 1)
        self.own = FixedWindowRateLimiter(MemoryStorage())
        self.shared: FixedWindowRateLimiter | None = None
        self._away_until = 0.0
        if redis_url:
            storage = storage_from_string(redis_url, wrap_exceptions=True, socket_connect_timeout=0.5, socket_timeout=0.5)
            self.shared = FixedWindowRateLimiter(storage)

    def wait(self, rate: RateLimitItem, door: str, address: str) -> int:
        """Count one visit: 0 when it is within the rate, else the seconds until the next is."""
        if self.shared is not None and time.monotonic() > self._away_until:
            try:
                return seconds_until_admitted(self.shared, rate, door, address, 1)
            except StorageError:
                self._away_until = time.monotonic() + ASK_AGAIN_SECONDS
                log.warning("Redis is away; limits are counted in this process")
        return seconds_until_admitted(self.own, rate, door, address, self.processes)


def seconds_until_admitted(counter: FixedWindowRateLimiter, rate: RateLimitItem, door: str, address: str, cost: int) -> int:
    if counter.hit(rate, "linli", door, address, cost=min(cost, rate.amount)):
        return 0
    opens_at, _left = counter.get_window_stats(rate, "linli", door, address)
    return max(math.ceil(opens_at - (clock.now() - clock.shift()).timestamp()), 1)  # windows are of real time


def limited(door: str, rates: str) -> Callable[[View], View]:
    """Refuse with `ComesTooOften` what comes too often from one address, and say how long. Views of one `door` are counted together."""
    items = parse_many(rates)

    def decorate(view: View) -> View:
        @wraps(view)
        def run(*args: Any, **kwargs: Any) -> Any:
            counters: Counters | None = current_app.extensions["limits"]
            if counters is not None:
                wait = max(counters.wait(item, door, network_of(request.remote_addr or "")) for item in items)
                if wait:
                    raise ComesTooOften(seconds=wait)
            return view(*args, **kwargs)

        return run

    return decorate


# Generous, because a whole housing estate can stand behind one address.
asking_for_codes = limited("asking for codes", "30/minute;300/hour")
trying_codes = limited("trying codes", "60/minute;600/hour")


def init_app(app: Flask) -> None:
    """Tests share one address and are not limited, unless they put counters there."""
    app.extensions["limits"] = None if app.config["TESTING"] else Counters(app.config["REDIS_URL"], app.config["WEB_CONCURRENCY"])
