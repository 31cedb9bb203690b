"""Looking out for favourites that were sold out and are back."""

from __future__ import annotations

from datetime import timedelta

from shop.favourites import operations, queries
from shop.kernel.db import finish_reading, perform, reading
from shop.platform import outbox


@outbox.periodic("favourites.look", every=timedelta(minutes=2), lane=outbox.SOON)
def look() -> None:
    """Note what is sold out, ask for a job for each product that is back. Writes only where something changed.

    What was sold out for less than two minutes goes unseen: nobody is told of it.
    """
    after = 0
    while liked := queries.liked_products(reading(), after):
        after = liked[-1]
        gone = queries.newly_gone(reading(), liked)
        finish_reading()
        if gone:
            perform(operations.note_gone, gone)
    back = queries.returned(reading())
    finish_reading()
    if back:
        perform(operations.ask_to_tell, back)


@outbox.job(operations.TELL, lane=outbox.SOON)
def tell(product_id: int) -> None:
    """Tell those who wait for a product; told before, they wait no more."""
    while perform(operations.tell, product_id):
        pass


@outbox.periodic("favourites.prune", every=timedelta(hours=1), lane=outbox.BULK)
def prune() -> None:
    perform(operations.prune)
