"""What the parts of the program share: the store and its lock, the switches, the clock, the courier."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from simulators.stripe.settings import Settings, Switches
from simulators.stripe.store import Store, Unit
from simulators.stripe.webhooks import Courier

LOG_LENGTH = 20_000


class World:
    """One simulated Stripe account."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.switches = Switches(delay_ms=settings.delay_ms)
        self.store = Store(settings.data)
        self.lock = threading.RLock()
        self.log: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)
        # Keys of calls that are being carried out right now, see idempotency.py.
        self.in_flight: set[str] = set()
        self.courier = Courier(self)

    def moment(self) -> float:
        """Unix time of the account, moved by the `clock_offset` switch."""
        return time.time() + self.switches.clock_offset

    def new_unit(self, request: dict[str, Any] | None = None, base_url: str = "") -> Unit:
        """A unit of work; only for who holds the lock."""
        return Unit(
            self.store,
            self.moment(),
            self.switches,
            request=request,
            api_version=self.settings.api_version,
            base_url=self.settings.public_url or base_url,
        )

    @contextmanager
    def unit(self, request: dict[str, Any] | None = None, base_url: str = "") -> Iterator[Unit]:
        """A unit of work under the lock. Commits at the end of the block; an exception abandons it.

        Webhooks of its events are planned in the same commit and sent afterwards.
        """
        with self.lock:
            unit = self.new_unit(request, base_url)
            yield unit
            planned = self.courier.plan(unit)
            unit.commit()
            self.courier.accept(planned)

    def reset(self) -> None:
        """Forget all objects, logs and switches, as if just started without a data file."""
        with self.lock:
            self.store.clear()
            self.log.clear()
            self.switches = Switches(delay_ms=self.settings.delay_ms)
            self.courier.forget()
