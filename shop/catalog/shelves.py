"""What stands on a shelf: how much, and what is like it. Kept for some seconds; nothing here is ever ordered by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.catalog import queries
from shop.catalog.queries import Arrival, Card, Prepared, Shape, Wanted
from shop.kernel.memory import remember
from shop.models.catalog import Listing

MOST_COUNTED = 1_000
SIMILAR = 6


@cache
def count_select(shape: Shape) -> Prepared:
    asked, names = queries.conditions(shape)
    some = sa.select(Listing.product_id).where(*asked).limit(MOST_COUNTED).subquery()
    return Prepared(sa.select(sa.func.count()).select_from(some), frozenset(names))


def count(session: Session, wanted: Wanted, arriving: Mapping[int, Arrival], *, only_arriving: bool = True) -> int:
    """How many goods fit, at most `MOST_COUNTED`; up to half a minute late."""
    served = tuple(sorted(arriving)) if only_arriving else ()
    return _count(session, replace(wanted, order="rank", after=None, limit=0), served)


@remember(seconds=30)
def _count(session: Session, wanted: Wanted, served: tuple[int, ...]) -> int:
    query = count_select(queries.shape_of(wanted, bool(served)))
    facts = queries.facts_of(wanted, served)
    return int(session.execute(query.statement, {name: facts[name] for name in query.names}).scalar_one())


def similar(session: Session, category_id: int, product_id: int, point_id: int | None) -> list[Card]:
    """The first other goods of a category that can be had at the point; seconds late, like all that is only shown."""
    cards = _first_of(session, category_id, point_id)
    return [card for card in cards if card.product_id != product_id][:SIMILAR]


@remember(seconds=5)
def _first_of(session: Session, category_id: int, point_id: int | None) -> list[Card]:
    wanted = Wanted(category_id=category_id, limit=SIMILAR + 1)
    return queries.list_cards(session, wanted, queries.arrivals(session, point_id)).cards
