"""Reading sheets and applying them, in the background."""

from __future__ import annotations

from shop.imports import operations, working
from shop.platform import outbox


@outbox.job(operations.CHECK, lane=outbox.BULK, tries=6)
def check(import_id: int) -> None:
    """Read a sheet; begun again, it goes on after the last row that was kept."""
    working.check(import_id)


@outbox.job(operations.APPLY, lane=outbox.BULK, tries=6)
def apply(import_id: int) -> None:
    """Apply what was decided; begun again, it goes on with the rows that are not applied yet."""
    working.apply(import_id)
