"""Looking out for what runs low."""

from __future__ import annotations

from datetime import timedelta

from shop.kernel.db import finish_reading, perform, reading
from shop.platform import outbox
from shop.stock import low


@outbox.periodic("stock.watch_low", every=timedelta(minutes=2), lane=outbox.SOON)
def watch() -> None:
    """Tell shops what has become few since the last round. What was few for less than two minutes goes unseen."""
    tops = low.newest(reading())
    finish_reading()
    while perform(low.note_rises):
        pass
    while perform(low.note_falls):
        pass
    perform(low.go_on, tops)


@outbox.job(low.SETTLE, lane=outbox.SOON)
def settle(merchant_id: int) -> None:
    """Note what runs low in a shop that has just said with how many left that is."""
    after: int | None = 0
    while after is not None:
        after = perform(low.settle, merchant_id, after)
