"""Which goods have the terms of a search, best first: the same statement on both engines, and it never reads all that match.

One term leads: the rarest of them. Its first `MOST_ENTRIES` entries are read in the order in which they are wanted, each is asked for
the other terms by the key, and the best `MOST_FOUND` are candidates. Whatever is shown, counted or narrowed is one of these.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.catalog import terms
from shop.catalog.queries import LISTINGS
from shop.kernel.memory import remember
from shop.kernel.statements import table
from shop.models.catalog import SearchTerm

TERMS = table(SearchTerm)
ENTRY: Any = TERMS.c
MOST_ENTRIES, MOST_OWN, MOST_FOUND, FEW_TERMS = 1_000, 800, 500, 3
"""So many entries of the leading term are read, so many goods of a shop that is searched, and so many goods are found: a search costs the
same in a large city as in a small one."""
BEGINNINGS = ("w:", "p:", "i:")
LAST = "\U0010ffff"


class Beginning(NamedTuple):
    """How one beginning of a word is looked up: by initials too, and by other forms of an English word."""

    has_initials: bool
    has_forms: bool

    @property
    def kinds(self) -> list[str]:
        return [kind[0] for kind in BEGINNINGS if kind != "i:" or self.has_initials]


class Shape(NamedTuple):
    """What the statement of a search depends on. `leading` counts the terms first, then the beginnings."""

    exact: int
    beginnings: tuple[Beginning, ...]
    measures: int
    leading: int
    is_served: bool
    of_shop: bool


def parts(query: terms.Query) -> tuple[int, tuple[Beginning, ...]]:
    """How many terms, and how each beginning of a word is looked up."""
    return len(query.exact), tuple(Beginning(len(word) > 1, bool(terms.other_forms(word))) for word in query.beginnings)


def shape_of(session: Session, query: terms.Query, is_served: bool, of_shop: bool = False) -> Shape:
    """The shape of a search. With more than one term the database is asked once which of them is rarest."""
    exact, beginnings = parts(query)
    leading = rarest(session, query) if exact + len(beginnings) > 1 else 0
    return Shape(exact, beginnings, len(query.measures), leading, is_served, of_shop)


@remember(seconds=30)
def rarest(session: Session, query: terms.Query) -> int:
    """Which part of a search has the fewest entries; no more than `MOST_ENTRIES` are counted for all of them together."""
    counts = session.connection().execute(counting(*parts(query)), places_of(query)).one()
    return min(range(len(counts)), key=lambda place: counts[place])


@lru_cache(maxsize=200)
def counting(exact: int, beginnings: tuple[Beginning, ...]) -> sa.Select[Any]:
    """How many entries each part has: read in the order of the index, so that no engine thinks of reading the whole table."""
    most = max(MOST_ENTRIES // (exact + len(beginnings)), 1)

    def entries(condition: Any) -> Any:
        first = sa.select(ENTRY.product_id).where(condition).order_by(ENTRY.term, ENTRY.weight.desc()).limit(most)
        return sa.select(sa.func.count()).select_from(first.subquery()).scalar_subquery()

    wanted = [entries(is_term(number)) for number in range(exact)]
    for number, each in enumerate(beginnings):
        ways = [entries(some) for some in ranges(number, each)]
        wanted.append(sum(ways[1:], ways[0]))
    return sa.select(*wanted)


def places_of(query: terms.Query) -> dict[str, Any]:
    """What the places of the statement are filled with."""
    places: dict[str, Any] = {f"term_{number}": term for number, term in enumerate(query.exact)}
    places |= {f"measure_{number}": term for number, term in enumerate(query.measures)}
    for number, word in enumerate(query.beginnings):
        for kind in BEGINNINGS:
            places |= {f"from_{kind[0]}{number}": kind + word, f"to_{kind[0]}{number}": kind + word + LAST}
        if forms := terms.other_forms(word):
            places[f"forms_{number}"] = [f"w:{form}" for form in forms]
    return places


def is_term(number: int) -> Any:
    return ENTRY.term == sa.bindparam(f"term_{number}")


def in_range(kind: str, number: int) -> Any:
    return sa.and_(ENTRY.term >= sa.bindparam(f"from_{kind}{number}"), ENTRY.term < sa.bindparam(f"to_{kind}{number}"))


def ranges(number: int, beginning: Beginning) -> list[Any]:
    """Each way in which a beginning may stand in the index."""
    found = [in_range(kind, number) for kind in beginning.kinds]
    return [*found, ENTRY.term.in_(sa.bindparam(f"forms_{number}", expanding=True))] if beginning.has_forms else found


def first_entries(shape: Shape, condition: Any, *, is_one_term: bool) -> Any:
    """The first entries of a term, or of a range of terms, read in the order of the index and no further: fewer of them when each has to
    be asked for many other terms.
    """
    most = MOST_ENTRIES * FEW_TERMS // max(FEW_TERMS, shape.exact + len(shape.beginnings))
    order = [ENTRY.weight.desc(), ENTRY.rank, ENTRY.product_id]
    entries = sa.select(ENTRY.product_id, ENTRY.merchant_id, ENTRY.weight, ENTRY.rank).where(condition)
    return entries.order_by(*(order if is_one_term else [ENTRY.term, *order])).limit(most).subquery()


def leading_entries(shape: Shape) -> Any:
    """The entries of the leading term, each product once with its best weight."""
    if shape.leading < shape.exact:
        return first_entries(shape, is_term(shape.leading), is_one_term=True)
    number = shape.leading - shape.exact
    every = sa.union_all(
        *(sa.select(first_entries(shape, some, is_one_term=False)) for some in ranges(number, shape.beginnings[number]))
    ).subquery()
    best = (sa.func.max(every.c.merchant_id).label("merchant_id"), sa.func.max(every.c.weight).label("weight"))
    return sa.select(every.c.product_id, *best, sa.func.min(every.c.rank).label("rank")).group_by(every.c.product_id).subquery()


def goods_of_shop(shape: Shape) -> Any:
    """The first goods of a shop, for a search inside it: its own are fewer than all that match."""
    own = sa.select(LISTINGS.c.product_id, LISTINGS.c.merchant_id, LISTINGS.c.rank)
    own = own.where(LISTINGS.c.merchant_id == sa.bindparam("merchant_id")).order_by(LISTINGS.c.rank, LISTINGS.c.product_id)
    first = own.limit(MOST_OWN).subquery()
    weight = weight_of(shape, shape.leading, first.c.product_id)
    found = sa.select(first.c.product_id, first.c.merchant_id, weight.label("weight"), first.c.rank).subquery()
    return sa.select(found).where(found.c.weight.is_not(None))


def weight_of(shape: Shape, place: int, product_id: Any) -> Any:
    """How much a part of the search weighs for a product, found by the key; null where the product has it not.

    A scalar, so that no engine reads all entries of a common term to join them. Of a beginning the first way in which it is there
    counts: a word before its pinyin, that before initials.
    """

    def best(condition: Any) -> Any:
        one = sa.select(sa.func.max(ENTRY.weight)).where(ENTRY.product_id == product_id, condition)
        return one.correlate_except(TERMS).scalar_subquery()

    if place < shape.exact:
        return best(is_term(place))
    number = place - shape.exact
    ways = [best(some) for some in ranges(number, shape.beginnings[number])]
    return sa.func.coalesce(*ways) if len(ways) > 1 else ways[0]


@lru_cache(maxsize=400)
def candidates(shape: Shape) -> sa.Select[Any]:
    """Products that have every term, with how well they fit: no more than `MOST_FOUND`, the best of what was read."""
    leading = leading_entries(shape)
    if shape.of_shop:
        inside = sa.select(leading.c.product_id, leading.c.merchant_id, leading.c.weight, leading.c.rank)
        both = sa.union(inside.where(leading.c.merchant_id.in_([0, sa.bindparam("merchant_id")])), goods_of_shop(shape)).subquery()
        best = sa.func.max(both.c.merchant_id).label("merchant_id"), sa.func.max(both.c.weight).label("weight")
        rank = sa.func.min(both.c.rank).label("rank")
        leading = sa.select(both.c.product_id, *best, rank).group_by(both.c.product_id).subquery()
    others = [place for place in range(shape.exact + len(shape.beginnings)) if place != shape.leading]
    has_all = [weight_of(shape, place, leading.c.product_id).is_not(None) for place in others]
    order = [leading.c.weight.desc(), leading.c.rank, leading.c.product_id]
    if shape.is_served:
        comes = leading.c.merchant_id.in_(sa.bindparam("served", expanding=True))
        order.insert(0, sa.case((comes, 0), (leading.c.merchant_id == 0, 0), else_=1))
    some = sa.select(leading.c.product_id, leading.c.weight).where(*has_all).order_by(*order).limit(MOST_FOUND).subquery()
    fit: Any = some.c.weight
    for place in others:
        fit = fit + weight_of(shape, place, some.c.product_id)
    for number in range(shape.measures):
        measure = sa.select(ENTRY.weight).where(
            ENTRY.product_id == some.c.product_id, ENTRY.term == sa.bindparam(f"measure_{number}")
        )
        fit = fit + sa.func.coalesce(measure.correlate_except(TERMS).scalar_subquery(), 0)
    return sa.select(some.c.product_id, fit.label("fit"))
