"""Telling people of what the government pins."""

from __future__ import annotations

from shop.bulletin import operations
from shop.kernel.db import perform
from shop.platform import outbox


@outbox.job(operations.TELL, lane=outbox.BULK)
def tell(version_id: int, after: int = 0) -> None:
    """Tell some; those who come after them are told by the next job."""
    perform(operations.tell, version_id, after)
