"""Reading sheets and applying them, in the background."""

from __future__ import annotations

from datetime import timedelta

from shop.imports import operations, queries, working
from shop.imports.errors import BrokenWorkbook
from shop.imports.operations.applying import NotFurther
from shop.kernel.db import finish_reading, perform, reading
from shop.models.imports import ImportState
from shop.platform import outbox
from shop.platform.actor import COMMAND


@outbox.job(operations.CHECK, lane=outbox.BULK, tries=6)
def check(import_id: int) -> None:
    """Read a sheet; begun again, it goes on after the last row that was kept."""
    working.check(import_id)


@outbox.job(operations.APPLY, lane=outbox.BULK, tries=6)
def apply(import_id: int) -> None:
    """Apply what was decided; begun again, it goes on with the rows that are not applied yet."""
    working.apply(import_id)


@outbox.periodic("imports.end", every=timedelta(minutes=5), lane=outbox.BULK)
def end_what_was_given_up() -> None:
    """An import whose work took its worker with it at every try ends like one that failed; its shop may bring the file again."""
    kinds = {ImportState.READING: operations.CHECK, ImportState.APPLYING: operations.APPLY}
    waiting = {f"{kinds[state]}:{import_id}": import_id for import_id, state in queries.at_work(reading())}
    given_up = outbox.dead_among(reading(), waiting)
    finish_reading()
    for key in given_up:
        if key.startswith(operations.CHECK):
            perform(operations.refuse, waiting[key], BrokenWorkbook.message, {})
        else:
            perform(operations.give_up, COMMAND, waiting[key], NotFurther())
