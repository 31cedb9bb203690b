"""Reading what people like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.catalog.errors import ProductNotFound
from shop.catalog.queries import LISTINGS, Arrival, Card, card_select, to_cards
from shop.kernel import clock
from shop.models.accounts import User, UserSession, UserState
from shop.models.catalog import Product, ProductState, Variant
from shop.models.favourites import Favourite
from shop.models.pickup import Cycle
from shop.models.stock import StockItem
from shop.platform.actor import Actor

PAGE = 24
AT_ONCE = 500
"""How many products are looked at in one statement."""

IS_OPEN = Favourite.ended_at.is_(None)

KEPT_IDS = sa.select(Favourite.product_id).where(Favourite.user_id == sa.bindparam("user_id"), IS_OPEN)
"""Put together once: it is asked for every page with goods on it."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A favourite, with what a list says of its product; `card` is None when it is not on sale any more."""

    favourite_id: int
    slug: str
    name_zh: str
    name_en: str
    since: datetime
    card: Card | None


@dataclass(frozen=True, slots=True)
class Names:
    """What a product is called."""

    name_zh: str
    name_en: str


def product_id_of(session: Session, slug: str) -> int:
    """The product of a name in an address, on sale or not. Raises `ProductNotFound`."""
    found = session.scalar(sa.select(Product.id).where(Product.slug == slug))
    if found is None:
        raise ProductNotFound()
    return found


def named(session: Session, slug: str) -> tuple[int, Names]:
    """A product by its name in an address: its id and what it is called. Raises `ProductNotFound`."""
    found = session.execute(sa.select(Product.id, Product.name_zh, Product.name_en).where(Product.slug == slug)).one_or_none()
    if found is None:
        raise ProductNotFound()
    return found.id, Names(name_zh=found.name_zh, name_en=found.name_en)


KEPT_BY_READER = (
    sa.select(sa.func.aggregate_strings(sa.cast(Favourite.product_id, sa.Text()), ","))
    .where(Favourite.user_id == UserSession.user_id, IS_OPEN)
    .scalar_subquery()
)
"""The same of who looks at a page, in one value, as it is read along with who they are."""


def kept_ids(session: Session, user_id: int) -> frozenset[int]:
    """The products that somebody likes, a few hundred at most."""
    return frozenset(session.connection().execute(KEPT_IDS, {"user_id": user_id}).scalars())


def ids_of(read: str | None) -> frozenset[int]:
    """The ids in a value of `KEPT_BY_READER`."""
    return frozenset(map(int, read.split(","))) if read else frozenset()


def kept_since(session: Session, user_id: int, product_id: int) -> datetime | None:
    """Since when somebody likes a product; None when they do not."""
    mine = (Favourite.user_id == user_id, Favourite.product_id == product_id, IS_OPEN)
    return session.scalar(sa.select(Favourite.created_at).where(*mine))


def list_mine(
    session: Session, actor: Actor, arriving: Mapping[int, Arrival], before: int | None = None, limit: int = PAGE
) -> tuple[list[Kept], int | None]:
    """What the person who asks likes, newest first, and where the next page starts (give it back as `before`)."""
    mine = (
        sa.select(Favourite.id, Favourite.product_id, Favourite.created_at, Product.slug, Product.name_zh, Product.name_en)
        .join(Product, Product.id == Favourite.product_id)
        .where(Favourite.user_id == actor.signed_in_id(), IS_OPEN)
        .order_by(Favourite.id.desc())
        .limit(limit + 1)
    )
    rows = session.execute(mine.where(Favourite.id < before) if before is not None else mine).all()
    shown = rows[:limit]
    ids = [row.product_id for row in shown]
    found = to_cards(session.execute(card_select().where(LISTINGS.c.product_id.in_(ids))).all(), arriving) if ids else []
    cards = {card.product_id: card for card in found}
    kept = [Kept(row.id, row.slug, row.name_zh, row.name_en, row.created_at, cards.get(row.product_id)) for row in shown]
    return kept, shown[-1].id if len(rows) > limit else None


def can_be_had(product_id: Any) -> sa.ColumnElement[bool]:
    """Whether a size of a product is on sale with as many left as one must take."""
    return (
        sa.select(Variant.id)
        .join(StockItem, StockItem.variant_id == Variant.id)
        .join(Product, Product.id == Variant.product_id)
        .where(Variant.product_id == product_id, Variant.is_on_sale, Product.state == ProductState.ON_SALE)
        .where(StockItem.available >= Variant.minimum_quantity)
        .exists()
    )


def comes_to(merchant_id: Any, point_id: Any) -> sa.ColumnElement[bool]:
    """Whether a delivery of a merchant to a point can still be ordered."""
    return (
        sa.select(Cycle.id)
        .where(Cycle.merchant_id == merchant_id, Cycle.pickup_point_id == point_id, Cycle.cut_off_at > clock.now())
        .where(Cycle.booked < Cycle.capacity, Cycle.closed_at.is_(None))
        .exists()
    )


def liked_products(session: Session, after: int) -> list[int]:
    """The next products that anybody likes, by id."""
    some = sa.select(Favourite.product_id).where(IS_OPEN, Favourite.product_id > after).distinct()
    return list(session.scalars(some.order_by(Favourite.product_id).limit(AT_ONCE)))


def newly_gone(session: Session, product_ids: Sequence[int]) -> list[int]:
    """Those of some products that are sold out, which is not noted yet with all who like them."""
    unnoted = sa.select(Favourite.id).where(Favourite.product_id == Product.id, IS_OPEN, Favourite.gone_at.is_(None)).exists()
    gone = sa.select(Product.id).where(Product.id.in_(product_ids), unnoted, ~can_be_had(Product.id))
    return list(session.scalars(gone.order_by(Product.id)))


def awaited() -> sa.Select[int, int, int, str, str, str]:
    """The favourites that were sold out and can be bought again, at the point of whoever likes them."""
    return (
        sa.select(Favourite.id, Favourite.user_id, Favourite.product_id, Product.slug, Product.name_zh, Product.name_en)
        .join(Product, Product.id == Favourite.product_id)
        .join(User, User.id == Favourite.user_id)
        .where(Favourite.gone_at.is_not(None), IS_OPEN, User.state == UserState.ACTIVE)
        .where(can_be_had(Favourite.product_id), comes_to(Product.merchant_id, User.pickup_point_id))
    )


def returned(session: Session) -> list[int]:
    """The products of which somebody is to be told that they are back."""
    found = awaited().with_only_columns(Favourite.product_id).distinct()
    return list(session.scalars(found.order_by(Favourite.product_id).limit(AT_ONCE)))
