"""The orders' own periodic work."""

from __future__ import annotations

from datetime import timedelta

from shop.kernel.db import perform
from shop.orders import settled_days
from shop.platform import outbox


@outbox.periodic("orders.sum_days", every=timedelta(minutes=10), lane=outbox.BULK)
def sum_days() -> None:
    """Open the days that are over, and sum those that are open and have no sum."""
    perform(settled_days.open_days)
    while perform(settled_days.count_days):
        pass
