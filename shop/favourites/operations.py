"""Liking, no longer liking, and being told that what was sold out is back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.catalog.errors import ProductNotFound
from shop.favourites import queries
from shop.favourites.errors import TooManyFavourites
from shop.kernel import clock
from shop.kernel.db import insert_once, operation, take
from shop.models.accounts import User, UserState
from shop.models.catalog import Product, ProductState
from shop.models.favourites import Favourite
from shop.platform import notices, outbox
from shop.platform.actor import Actor

MOST = 300
"""How many favourites one person has; a few more where two presses meet, which harms nobody."""
AT_ONCE = 200
TELL = "favourites.tell"
KEPT_AFTER_THE_END = timedelta(days=30)
OFF_SALE_FOR = timedelta(days=365)


@operation
def keep(session: Session, actor: Actor, slug: str) -> None:
    """The person who asks likes a product on sale; liked already, nothing changes. Raises `ProductNotFound`, `TooManyFavourites`."""
    user_id = actor.signed_in_id()
    product_id = queries.product_id_of(session, slug)
    if queries.kept_since(session, user_id, product_id) is not None:
        return
    state, can_be_had = session.execute(sa.select(Product.state, queries.can_be_had(Product.id)).where(Product.id == product_id)).one()
    if state is not ProductState.ON_SALE:
        raise ProductNotFound()
    count = session.scalar(sa.select(sa.func.count()).select_from(Favourite).where(Favourite.user_id == user_id, queries.IS_OPEN))
    if (count or 0) >= MOST:
        raise TooManyFavourites(most=MOST)
    moment = clock.now()
    gone_at = None if can_be_had else moment
    if insert_once(session, Favourite, user_id=user_id, product_id=product_id, created_at=moment, gone_at=gone_at) is None:
        again = sa.update(Favourite).where(Favourite.user_id == user_id, Favourite.product_id == product_id)
        take(session, again.where(Favourite.ended_at.is_not(None)).values(ended_at=None, gone_at=gone_at))


@operation
def drop(session: Session, actor: Actor, slug: str) -> None:
    """The person who asks no longer likes a product; not liked, nothing changes. Raises `ProductNotFound`."""
    product_id = queries.product_id_of(session, slug)
    mine = sa.update(Favourite).where(Favourite.user_id == actor.signed_in_id(), Favourite.product_id == product_id, queries.IS_OPEN)
    take(session, mine.values(ended_at=clock.now(), gone_at=None))


@operation
def note_gone(session: Session, product_ids: Sequence[int]) -> None:
    """Whoever likes these products waits for them from now on. Looks again: what came back meanwhile is not noted."""
    unnoted = sa.update(Favourite).where(Favourite.product_id.in_(product_ids), queries.IS_OPEN, Favourite.gone_at.is_(None))
    noted = unnoted.where(~queries.can_be_had(Favourite.product_id)).values(gone_at=clock.now())
    session.execute(noted.execution_options(synchronize_session=False))


@operation
def ask_to_tell(session: Session, product_ids: Sequence[int]) -> None:
    """A job for each product that is back; asked for twice within a minute, it is one."""
    minute = clock.now().strftime("%Y%m%d%H%M")
    for product_id in product_ids:
        outbox.enqueue(session, TELL, dedupe_key=f"{TELL}:{product_id}@{minute}", product_id=product_id)


@operation
def tell(session: Session, product_id: int) -> int:
    """Tell some of those who wait for a product that it can be bought again at their point; how many were looked at.

    Once per return, since whoever was told waits no more; and one notice a day of a product, however often it comes and goes.
    """
    rows = session.execute(queries.awaited().where(Favourite.product_id == product_id).order_by(Favourite.id).limit(AT_ONCE)).all()
    for row in rows:
        waiting = sa.update(Favourite).where(Favourite.id == row.id, Favourite.gone_at.is_not(None), queries.IS_OPEN)
        if take(session, waiting.values(gone_at=None)):
            notices.post(
                session, row.user_id, "favourites.back", dedupe_key=f"favourite:{row.id}:{clock.today()}", link=f"/products/{row.slug}",
                product={"zh": row.name_zh, "en": row.name_en},
            )
    return len(rows)


@operation
def prune(session: Session) -> int:
    """Forget favourites taken away a month ago, of people who have gone, of goods off sale for a year; the number forgotten."""
    moment = clock.now()
    gone_people = sa.select(User.id).where(User.state == UserState.CLOSED)
    old_goods = sa.select(Product.id).where(Product.state == ProductState.OFF_SALE, Product.updated_at < moment - OFF_SALE_FOR)
    outcome: Any = session.execute(
        sa.delete(Favourite)
        .where(
            sa.or_(
                Favourite.ended_at < moment - KEPT_AFTER_THE_END, Favourite.user_id.in_(gone_people), Favourite.product_id.in_(old_goods)
            )
        )
        .execution_options(synchronize_session=False)
    )
    return int(outcome.rowcount)
