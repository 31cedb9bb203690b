"""The simulated account itself: its objects, their lock, the switches and the clock."""

from __future__ import annotations

import threading
import time
from typing import Any

from simulators.stripe.settings import Settings, Switches
from simulators.stripe.store import Store, Unit


class Account:
    """One simulated Stripe account, as far as whoever sends its webhooks needs to know it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.switches = Switches(delay_ms=settings.delay_ms)
        self.store = Store(settings.data)
        self.lock = threading.RLock()

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
