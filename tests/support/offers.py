"""Words that put offers there: `offer(500, at_least=8_000)` is paid for by the platform, with `merchant=` and `own=True` by a shop."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

import sqlalchemy as sa

from shop.kernel import clock, memory
from shop.kernel.db import perform, reading
from shop.kernel.money import Money
from shop.models.communities import Community
from shop.models.merchants import Merchant
from shop.models.promotions import Funder, PriceOffer
from shop.platform.actor import COMMAND
from shop.promotions import operations
from tests.support.factories import SHARP

numbers = count(1)


def offer(
    off: int, *, at_least: int, merchant: Merchant | None = None, own: bool = False, community: Community | None = None
) -> PriceOffer:
    """A threshold that counts from now for a day; no process still remembers that it was not there."""
    moment, code = clock.now(), f"offer-{next(numbers)}"
    wish = operations.Threshold(
        code, Funder.MERCHANT if own else Funder.PLATFORM, at_least, Money(off), f"减{code}{SHARP}", f"Off {code}{SHARP}", moment,
        moment + timedelta(days=1), merchant.id if merchant else None, community.id if community else None,
    )
    assert perform(operations.make_threshold, COMMAND, wish)
    memory.forget()
    reading().rollback()
    return reading().scalars(sa.select(PriceOffer).where(PriceOffer.code == code)).one()
