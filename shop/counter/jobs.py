"""The timer of the counter: what nobody collected leaves the shelf, and passes close on which nothing waits."""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import partial

from shop.counter import operations
from shop.kernel import clock
from shop.kernel.db import finish_reading, perform, reading
from shop.pickup import passes
from shop.platform import outbox
from shop.platform.features import registry
from shop.platform.rounds import alone, chunks

log = logging.getLogger("shop.counter")


@outbox.periodic("counter.end", every=timedelta(minutes=10), lane=outbox.BULK)
def end() -> None:
    """Whatever has waited its whole time leaves, kind by kind, each thing in a transaction of its own; then empty passes close.

    A kind that cannot say what is due keeps neither the others nor the passes waiting.
    """
    for kind in registry.collectables().values():
        try:
            for due in chunks(partial(kind.due, reading()), int):
                for subject_id in due:
                    alone(operations.end_by_itself, kind.name, subject_id)
        except Exception:
            finish_reading()
            log.exception("what is due of %s could not be asked", kind.name)
    while perform(passes.close_empty, clock.now()):
        pass
