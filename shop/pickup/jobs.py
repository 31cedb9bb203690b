"""Deliveries open by themselves."""

from __future__ import annotations

from datetime import timedelta

from shop.kernel.db import perform
from shop.pickup import operations
from shop.platform import outbox


@outbox.periodic("pickup.open_cycles", every=timedelta(minutes=10), lane=outbox.SOON)
def open_cycles() -> None:
    perform(operations.open_cycles)
