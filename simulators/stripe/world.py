"""What the parts of the program share: the account, its log, the courier of its webhooks."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from simulators.stripe.account import Account
from simulators.stripe.settings import Settings, Switches
from simulators.stripe.store import Unit
from simulators.stripe.webhooks import Courier

LOG_LENGTH = 20_000


class World(Account):
    """An account with its log, the calls that are being carried out, and its courier."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.log: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)
        # Keys of calls that are being carried out right now, see idempotency.py.
        self.in_flight: set[str] = set()
        self.courier = Courier(self)

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
