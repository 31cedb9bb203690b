"""Making pictures in the background."""

from __future__ import annotations

from shop.listings import operations, working
from shop.platform import outbox


@outbox.job(operations.MAKE, lane=outbox.BULK, tries=8)
def make_picture(upload_id: int) -> None:
    """Make pictures of a photo; begun again, it makes the same."""
    working.make_picture(upload_id)
