"""Making pictures in the background, and putting goods on sale when they are to be."""

from __future__ import annotations

from datetime import timedelta

from shop.kernel.db import perform
from shop.listings import operations, working
from shop.platform import outbox


@outbox.job(operations.MAKE, lane=outbox.BULK, tries=8)
def make_picture(upload_id: int) -> None:
    """Make pictures of a photo; begun again, it makes the same."""
    working.make_picture(upload_id)


@outbox.periodic("listings.publish_due", every=timedelta(minutes=1), lane=outbox.SOON)
def publish_due() -> None:
    """Put on sale what was to be by now, some at a time."""
    while perform(operations.publish_due):
        pass
