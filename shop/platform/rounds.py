"""What timers have in common: much may be due, some of it at a time, and what fails holds up nothing else."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from shop.kernel.db import finish_reading, perform
from shop.kernel.errors import ShopError

log = logging.getLogger("shop.rounds")

ROUND_SECONDS = 60.0

T = TypeVar("T")


def chunks(ask: Callable[[int], list[T]], place: Callable[[T], int]) -> Iterator[list[T]]:
    """What is to be done, some at a time, each asked for after the last of the one before, for no longer than a round may take."""
    until, after = time.monotonic() + ROUND_SECONDS, 0
    while time.monotonic() < until and (found := ask(after)):
        finish_reading()
        yield found
        after = place(found[-1])


def alone(operation: Callable[..., object], *arguments: object) -> None:
    """Do one thing; if it fails the next is done all the same, and it is tried again in the next round."""
    try:
        perform(operation, *arguments)
    except ShopError as refusal:
        log.warning("%s of %s: %s", operation.__name__, arguments[-1], refusal.code)
    except Exception:
        log.exception("%s of %s failed", operation.__name__, arguments[-1])
