"""Search: an intersection of terms in an ordinary table, the same statement on both engines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from shop.catalog import terms
from shop.catalog.errors import SearchTooLong
from shop.catalog.queries import LISTINGS, PAGE, Arrival, Card, card_select, to_cards
from shop.kernel.memory import remember
from shop.kernel.rows import all_as
from shop.models.catalog import Listing, SearchTerm
from shop.models.stock import StockItem

LIMIT_CHARACTERS = terms.MOST_CHARACTERS
FIT = ("fit",)
"""What the rows of a search say beside their card: how well it fits."""
BEGINNINGS = ("w:", "p:", "i:")
MOST_COUNTED = 500
SHORT_BEGINNING, MOST_ENTRIES = 2, 2_000
"""One or two letters say little: of each kind at most so many entries of the index are looked at, in its own order, so that a search
for `x` costs the same in a large city as in a small one. Longer beginnings and words are looked at whole."""

FIRST_PRODUCTS, LONGEST_WORD, LEAST_WEIGHT, ALMOST, MOST_INITIALS = 300, 24, 10, 0.75, 4


class Name(NamedTuple):
    """What a product is called."""

    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found; `is_exact` is False when these only resemble what was asked for.

    `plainly` are the words that found something when all that was typed did not, else empty. `is_heard` when these sound like it.
    """

    cards: list[Card]
    is_exact: bool
    has_more: bool
    plainly: str = ""
    is_heard: bool = False


def find(session: Session, text: str, arriving: Mapping[int, Arrival], *, page: int = 0, limit: int = PAGE) -> Found:
    """Products that have every term of `text`, best first: what can be had, then how well it fits, then the shop's order.

    When nothing has all of them, the same for the thing alone, without the words around it; then what sounds the same; then products
    that share characters with it. Raises `SearchTooLong`.
    """
    if len(text) > LIMIT_CHARACTERS:
        raise SearchTooLong(limit=LIMIT_CHARACTERS)
    query = terms.parse(text)
    if query.is_empty:
        return Found([], True, False)
    rows = rows_of(session, query, arriving, page, limit)
    if rows or page:
        cards = to_cards(rows[:limit], arriving, leave_out=FIT)
        return Found(together(cards, query, arriving), True, len(rows) > limit)
    plainly = terms.plainly(text)
    query = terms.parse(plainly)
    if not query.is_empty and (rows := rows_of(session, query, arriving, 0, limit)):
        return Found(to_cards(rows[:limit], arriving, leave_out=FIT), True, len(rows) > limit, plainly)
    query = terms.sounding(plainly or text)
    if not query.is_empty and (rows := rows_of(session, query, arriving, 0, limit)):
        return Found(to_cards(rows[:limit], arriving, leave_out=FIT), False, False, is_heard=True)
    characters = terms.loosely(plainly or text)
    if len(characters) < 2:
        return Found([], True, False)
    enough = -(-len(characters) * 6 // 10)
    facts = {"characters": characters, "enough": enough, "served": sorted(arriving), "most": limit, "skipped": 0}
    rows = session.connection().execute(with_some_characters(bool(arriving)), facts).all()
    return Found(to_cards(rows, arriving, leave_out=FIT), False, False)


def together(cards: list[Card], query: terms.Query, arriving: Mapping[int, Arrival]) -> list[Card]:
    """A page of cards with those of one word together where initials were typed: `xc` is 血橙 and 香肠, the word of most goods first.

    What can be had stays before what cannot; within a word the order stays as it was.
    """
    if query.exact or len(query.beginnings) != 1 or not 1 < len(query.beginnings[0]) <= MOST_INITIALS:
        return cards
    words = {card.product_id: terms.word_of_initials(card.name_zh, query.beginnings[0]) for card in cards}
    goods = Counter(word for word in words.values() if word)
    first = {word: -place for place, word in enumerate(dict.fromkeys(words.values()))}

    def place_of(card: Card) -> tuple[bool, bool, int, int]:
        word = words[card.product_id]
        return bool(arriving) and card.arrives_on is None, card.available < 1, -goods[word], -first[word]

    return sorted(cards, key=place_of)


def rows_of(session: Session, query: terms.Query, arriving: Mapping[int, Arrival], page: int, limit: int) -> Sequence[sa.Row[Any]]:
    """The rows of one page, and one more when there is more; each ends with how well it fits."""
    facts = {**places_of(query), "served": sorted(arriving), "most": limit + 1, "skipped": page * limit}
    return session.connection().execute(with_all_terms(shape_of(query), bool(arriving)), facts).all()


@remember(seconds=30)
def count(session: Session, text: str) -> int:
    """How many products have every term of `text`, at most `MOST_COUNTED`."""
    query = terms.parse(text)
    if query.is_empty:
        return 0
    return int(session.connection().execute(count_of_all_terms(shape_of(query)), places_of(query)).scalar_one())


def suggest(session: Session, text: str, limit: int = 8) -> list[Name]:
    """Names of products that begin to match what is being typed."""
    query = terms.parse(text[:LIMIT_CHARACTERS])
    if query.is_empty:
        return []
    rows = session.connection().execute(names_with_all_terms(shape_of(query)), {**places_of(query), "most": limit})
    return all_as(Name, rows)


def nearest(session: Session, text: str, limit: int = 5) -> list[Name]:
    """Names of products that somebody may have meant by Latin letters: a word of theirs, or its pinyin, is almost the same.

    For characters there are none. What shares 60 % of them, or sounds the same, `find` has shown; less says nothing of what was
    meant: 猫粮 is no grain, and 手机 is nothing made by hand.
    """
    found: dict[Name, None] = {}
    for run in terms.parse(text).beginnings:
        heads: dict[str, list[Name]] = {}
        for word, names in vocabulary(session).items():
            heads.setdefault(word[: len(run)], []).extend(names)
        for head in get_close_matches(run[:LONGEST_WORD], heads, n=limit, cutoff=ALMOST):
            found |= dict.fromkeys(heads[head])
    return list(found)[:limit]


@remember(seconds=300)
def vocabulary(session: Session) -> dict[str, list[Name]]:
    """The Latin words and pinyin of the shop's first products, each with the names that have it."""
    first = sa.select(Listing.product_id).order_by(Listing.rank).limit(FIRST_PRODUCTS).subquery()
    rows = session.execute(
        sa.select(SearchTerm.term, Listing.name_zh, Listing.name_en)
        .join(first, first.c.product_id == SearchTerm.product_id)
        .join(Listing, Listing.product_id == SearchTerm.product_id)
        .where(sa.or_(begins(SearchTerm.term, "w:"), begins(SearchTerm.term, "p:")), SearchTerm.weight >= LEAST_WEIGHT)
        .order_by(SearchTerm.weight.desc(), Listing.rank)
    )
    words: dict[str, list[Name]] = {}
    for term, name_zh, name_en in rows:
        words.setdefault(term[2:], []).append(Name(name_zh, name_en))
    return words


def begins(column: Any, beginning: str) -> Any:
    """`column` starts with `beginning`, as a range that an ordinary index serves."""
    return sa.and_(column >= beginning, column < beginning + "\U0010ffff")


class Beginning(NamedTuple):
    """How one beginning of a word is looked up: by initials too, by other forms of an English word too, and whether it is cut short."""

    has_initials: bool
    has_forms: bool
    is_short: bool


class Shape(NamedTuple):
    """What the statement of a search depends on: how many terms, and how each beginning of a word is looked up."""

    exact: int
    beginnings: tuple[Beginning, ...]


def shape_of(query: terms.Query) -> Shape:
    return Shape(
        len(query.exact),
        tuple(Beginning(len(word) > 1, bool(terms.other_forms(word)), len(word) <= SHORT_BEGINNING) for word in query.beginnings),
    )


def places_of(query: terms.Query) -> dict[str, Any]:
    """What the places of the statement are filled with."""
    places: dict[str, Any] = {f"term_{number}": term for number, term in enumerate(query.exact)}
    for number, word in enumerate(query.beginnings):
        for kind in BEGINNINGS:
            places |= {f"from_{kind[0]}{number}": kind + word, f"to_{kind[0]}{number}": kind + word + "\U0010ffff"}
        if forms := terms.other_forms(word):
            places[f"forms_{number}"] = [f"w:{form}" for form in forms]
    return places


def fitting(shape: Shape) -> sa.Select[Any]:
    """Product ids that have every term, with how well they fit. A beginning is a range, which an ordinary index serves."""
    parts: list[Any] = [
        sa.select(SearchTerm.product_id, SearchTerm.weight).where(SearchTerm.term == sa.bindparam(f"term_{number}")).subquery()
        for number in range(shape.exact)
    ]
    parts += [beginning_with(number, beginning) for number, beginning in enumerate(shape.beginnings)]
    first, *others = parts
    fit = first.c.weight
    joined = first
    for other in others:
        joined = sa.join(joined, other, other.c.product_id == first.c.product_id)
        fit = fit + other.c.weight
    return sa.select(first.c.product_id, fit.label("fit")).select_from(joined)


def beginning_with(number: int, beginning: Beginning) -> Any:
    """Products that have a word, its pinyin or its initials beginning so, each once with its best weight."""
    kinds = [kind[0] for kind in BEGINNINGS if kind != "i:" or beginning.has_initials]
    ranges: list[Any] = [
        sa.and_(SearchTerm.term >= sa.bindparam(f"from_{kind}{number}"), SearchTerm.term < sa.bindparam(f"to_{kind}{number}"))
        for kind in kinds
    ]
    if beginning.is_short:
        entries = sa.union_all(*(sa.select(first_entries(some)) for some in ranges)).subquery()
        found: Any = sa.select(entries.c.product_id, sa.func.max(entries.c.weight).label("weight")).group_by(entries.c.product_id)
        return found.subquery()
    if beginning.has_forms:
        ranges.append(SearchTerm.term.in_(sa.bindparam(f"forms_{number}", expanding=True)))
    found = sa.select(SearchTerm.product_id, sa.func.max(SearchTerm.weight).label("weight")).where(sa.or_(*ranges))
    return found.group_by(SearchTerm.product_id).subquery()


def first_entries(some: Any) -> Any:
    """The first entries of the index in a range: read in the order of its key, and no further."""
    entries = sa.select(SearchTerm.product_id, SearchTerm.weight).where(some).order_by(SearchTerm.term, SearchTerm.product_id)
    return entries.limit(MOST_ENTRIES).subquery()


# Statements are made once for each shape: building one costs more than running it.
@lru_cache(maxsize=200)
def with_all_terms(shape: Shape, has_arrivals: bool) -> sa.Select[Any]:
    return best_first(fitting(shape).subquery(), has_arrivals)


@lru_cache(maxsize=200)
def count_of_all_terms(shape: Shape) -> sa.Select[Any]:
    some = sa.select(fitting(shape).subquery().c.product_id).limit(MOST_COUNTED).subquery()
    return sa.select(sa.func.count()).select_from(some)


@lru_cache(maxsize=200)
def names_with_all_terms(shape: Shape) -> sa.Select[Any]:
    matching = fitting(shape).subquery()
    return (
        sa.select(LISTINGS.c.name_zh, LISTINGS.c.name_en)
        .join(matching, matching.c.product_id == LISTINGS.c.product_id)
        .order_by(matching.c.fit.desc(), LISTINGS.c.rank)
        .limit(sa.bindparam("most", type_=sa.BigInteger()))
    )


@cache
def with_some_characters(has_arrivals: bool) -> sa.Select[Any]:
    """Products that have `enough` of the characters, at least 60 %, in their own names: 四 of 四川 says nothing about beans."""
    term = aliased(SearchTerm)
    some = (
        sa.select(term.product_id, sa.func.sum(term.weight).label("fit"))
        .where(term.term.in_(sa.bindparam("characters", expanding=True)), term.weight >= LEAST_WEIGHT)
        .group_by(term.product_id)
        .having(sa.func.count() >= sa.bindparam("enough", type_=sa.BigInteger()))
        .subquery()
    )
    return best_first(some, has_arrivals)


def best_first(matching: Any, has_arrivals: bool) -> sa.Select[Any]:
    is_left: Any = StockItem.available > 0
    comes: Any = LISTINGS.c.merchant_id.in_(sa.bindparam("served", expanding=True)) if has_arrivals else sa.true()
    return (
        card_select()
        .add_columns(matching.c.fit)
        .join(matching, matching.c.product_id == LISTINGS.c.product_id)
        .order_by(
            sa.case((sa.not_(comes), 2), (is_left, 0), else_=1), matching.c.fit.desc(), LISTINGS.c.rank, LISTINGS.c.product_id
        )
        .limit(sa.bindparam("most", type_=sa.BigInteger()))
        .offset(sa.bindparam("skipped", type_=sa.BigInteger()))
    )
