"""Carts that nobody comes back to."""

from __future__ import annotations

from datetime import timedelta

from shop.cart import operations
from shop.kernel.db import perform
from shop.platform import outbox


@outbox.periodic("cart.forget_nobodys", every=timedelta(hours=1), lane=outbox.BULK)
def forget_nobodys() -> None:
    """Some at a time, for as long as one round may take; the next goes on."""
    for _batch in range(200):
        if not perform(operations.forget_nobodys):
            return
