"""A provider that is away is no fault of the job that needs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from shop.payments.errors import ProviderUnavailable
from shop.platform.outbox import Outage

AGAIN_SOON = timedelta(minutes=1)


@contextmanager
def until_it_answers() -> Iterator[None]:
    """In a job: while the provider gives no answer, come again, for hours if need be, and never give up over it."""
    try:
        yield
    except ProviderUnavailable as silence:
        raise Outage("stripe does not answer") from silence
