"""Favourites of the demo city's people: some that can be had, and one that is sold out."""

from __future__ import annotations

from random import Random

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.favourites.queries import can_be_had
from shop.kernel import clock
from shop.models.accounts import User
from shop.models.catalog import Listing
from shop.models.favourites import Favourite

LI_MEI, CHEN_GUIFANG = "13800000001", "13800000003"
EACH = 5


def seed(session: Session, chance: Random) -> None:
    """The regulars like a few things, the same each time; one of them is sold out where anything is."""
    moment = clock.now()
    listed = sa.select(Listing.product_id, can_be_had(Listing.product_id).label("is_there"))
    goods = session.execute(listed.order_by(Listing.product_id)).all()
    there = [row.product_id for row in goods if row.is_there]
    gone = [row.product_id for row in goods if not row.is_there]
    for phone in (LI_MEI, CHEN_GUIFANG):
        person = session.scalars(sa.select(User).where(User.phone == phone)).one_or_none()
        if person is None:
            continue
        liked = [*gone[:1], *chance.sample(there, min(EACH, len(there)))]
        session.add_all(
            Favourite(user_id=person.id, product_id=product_id, created_at=moment, gone_at=moment if product_id in gone else None)
            for product_id in liked
        )
