"""What of applications goes by itself."""

from __future__ import annotations

from datetime import timedelta

from shop.kernel.db import perform
from shop.onboarding import operations
from shop.platform import outbox


@outbox.periodic("onboarding.remind", every=timedelta(hours=12), lane=outbox.BULK)
def remind() -> None:
    """Tell of licences that run out. Told once for each step, however often it runs."""
    after: int | None = 0
    while after is not None:
        after = perform(operations.remind, after)


@outbox.periodic("onboarding.tidy", every=timedelta(hours=6), lane=outbox.BULK)
def tidy() -> None:
    """Remove what has served, some at a time."""
    while perform(operations.tidy):
        pass
