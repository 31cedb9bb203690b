"""Search: what somebody may mean by what they typed, one reading after the other until one finds goods."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.catalog import facets, matching, queries, spelling, terms
from shop.catalog.errors import SearchTooLong
from shop.catalog.facets import Groups
from shop.catalog.matching import MOST_FOUND, TERMS
from shop.catalog.queries import LISTINGS, PAGE, Arrival, Card, Wanted, card_select, to_cards
from shop.kernel.memory import remember
from shop.kernel.rows import all_as
from shop.models.catalog import Listing, SearchTerm
from shop.models.stock import StockItem

LIMIT_CHARACTERS = terms.MOST_CHARACTERS
FIT = ("fit",)
"""What the rows of a search say beside their card: how well it fits."""

FIRST_PRODUCTS, LONGEST_WORD, LEAST_WEIGHT, ALMOST, MOST_INITIALS = 300, 24, 10, 0.75, 4
FEWEST_CHARACTERS, MOST_OF_CHARACTER = 3, 500
EVERYTHING = Wanted()
ALIKE_IN_NAME = 3
"""Of so many times the names wanted some may be the same: many shops sell what they call 番茄."""


class Name(NamedTuple):
    """What a product is called."""

    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to understand what was typed. `plainly` are the words that were read when not all of them were; `is_heard` by sound or
    with a slip mended."""

    query: terms.Query
    plainly: str = ""
    is_heard: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found; `is_exact` is False when these only resemble what was asked for.

    `plainly` are the words that found something when all that was typed did not, else empty. `is_heard` when these sound like it, or
    are written almost so. `groups` are all that was found, counted by what it can be narrowed by.
    """

    cards: list[Card]
    is_exact: bool
    has_more: bool
    plainly: str = ""
    is_heard: bool = False
    groups: Groups = ()

    @property
    def count(self) -> int:
        """How many goods the words found, narrowed or not; at most `MOST_FOUND`."""
        return sum(group.goods for group in self.groups)


def find(
    session: Session, text: str, arriving: Mapping[int, Arrival], *, page: int = 0, limit: int = PAGE, wanted: Wanted = EVERYTHING,
    shop_id: int | None = None, with_groups: bool = False,
) -> Found:  # fmt: skip
    """Products that have every term of `text`, best first: what can be had, then how well it fits, then the shop's order.

    `wanted` narrows and sorts them; `shop_id` looks inside one shop. When nothing has all of the terms, the same for the thing alone,
    without the words around it; then what sounds the same or is one slip away; then products that share characters with it. Of all
    that match the best `MOST_FOUND` are found. `with_groups` also counts them. Raises `SearchTooLong`.
    """
    if len(text) > LIMIT_CHARACTERS:
        raise SearchTooLong(limit=LIMIT_CHARACTERS)
    place = Place(arriving, page, limit, wanted, shop_id, with_groups)
    for reading in readings(session, text):
        if (found := understood(session, reading, place)) is not None:
            return found
    if not (wanted.is_narrowed or page or shop_id is not None) and (cards := nearly(session, terms.plainly(text) or text, arriving, limit)):
        return Found(cards, False, False)
    alike = spelling.heard_alike(session, terms.syllables(terms.plainly(text) or text))
    found = understood(session, Reading(alike, is_heard=True), place) if alike else None
    return found or Found([], True, False)


def readings(session: Session, text: str) -> Iterator[Reading]:
    """Ways to understand what was typed, the plainest first; each is only thought of when those before found nothing."""
    whole = terms.parse(text)
    if whole.is_empty:
        return
    yield Reading(whole)
    for query in terms.apart(text):
        yield Reading(query)
    plainly = terms.plainly(text)
    plain = terms.parse(plainly) if plainly else whole
    if plainly and not plain.is_empty:
        yield Reading(plain, plainly)
    sounding = terms.sounding(plainly or text)
    mended = spelling.meant(session, plain) if sounding.is_empty else sounding
    if mended is not None:
        yield Reading(mended, is_heard=True)


class Place(NamedTuple):
    """Where and how it is searched: what arrives there, which page, narrowed by what, inside which shop, counted or not."""

    arriving: Mapping[int, Arrival]
    page: int
    limit: int
    wanted: Wanted
    shop_id: int | None
    with_groups: bool


def understood(session: Session, reading: Reading, place: Place) -> Found | None:
    """What there is when the words are read so; None when it is nothing, however it is narrowed."""
    rows = rows_of(session, reading.query, place)
    is_part = bool(place.page or place.wanted.is_narrowed)
    groups: Groups = ()
    if is_part and (place.with_groups or not rows):
        groups = groups_of(session, reading.query, place)
    if not rows and not groups:
        return None
    cards, has_more = to_cards(rows[: place.limit], place.arriving, leave_out=FIT), len(rows) > place.limit
    if place.with_groups and not is_part:
        groups = groups_of(session, reading.query, place) if has_more else facets.of_cards(cards)
    if place.wanted.order == "rank":
        cards = together(cards, reading.query, place.arriving)
    return Found(cards, not reading.is_heard, has_more, reading.plainly, reading.is_heard, groups)


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


def rows_of(session: Session, query: terms.Query, place: Place) -> Sequence[sa.Row[Any]]:
    """The rows of one page, and one more when there is more; each ends with how well it fits."""
    shape = matching.shape_of(session, query, bool(place.arriving), place.shop_id is not None)
    facts = {
        **queries.facts_of(place.wanted, sorted(place.arriving)), **matching.places_of(query), "most": place.limit + 1,
        "skipped": place.page * place.limit, **({} if place.shop_id is None else {"merchant_id": place.shop_id}),
    }  # fmt: skip
    statement = with_all_terms(shape, queries.shape_of(place.wanted, False), place.wanted.order)
    return session.connection().execute(statement, facts).all()


def groups_of(session: Session, query: terms.Query, place: Place) -> Groups:
    """What was found, counted by what it can be narrowed by; up to half a minute late."""
    return facets.of_search(session, query, tuple(sorted(place.arriving)), place.shop_id)


def suggest(session: Session, text: str, limit: int = 8) -> list[Name]:
    """Names of products that begin to match what is being typed; nothing for one letter, which says nothing yet."""
    query = terms.parse(text[:LIMIT_CHARACTERS])
    if query.is_empty or (not query.exact and all(len(word) < 2 for word in query.beginnings)):
        return []
    shape = matching.shape_of(session, query, False)
    facts = {**matching.places_of(query), "most": limit * ALIKE_IN_NAME}
    names = all_as(Name, session.connection().execute(names_with_all_terms(shape), facts))
    return list(dict.fromkeys(names))[:limit]


def nearest(session: Session, text: str, limit: int = 5) -> list[Name]:
    """Names of products that somebody may have meant by Latin letters: a word of theirs, or its pinyin, is almost the same.

    For characters there are none. What shares 60 % of them, or sounds the same, `find` has shown; less says nothing of what was
    meant: 猫粮 is no grain, and 手机 is nothing made by hand.
    """
    found: dict[Name, None] = {}
    for run in terms.parse(text).beginnings:
        heads: dict[str, list[Name]] = {}
        for word, names in vocabulary(session).items():
            if word[:1] == run[:1]:  # nobody mistakes the first letter
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
    return sa.and_(column >= beginning, column < beginning + matching.LAST)


# Statements are made once for each shape: building one costs more than running it.
@lru_cache(maxsize=400)
def with_all_terms(shape: matching.Shape, narrowed: queries.Shape, order: str = "rank") -> sa.Select[Any]:
    """A page of cards that have every term."""
    asked, _names = queries.conditions(narrowed)
    return best_first(matching.candidates(shape).subquery(), shape.is_served, order).where(*asked)


@lru_cache(maxsize=200)
def names_with_all_terms(shape: matching.Shape) -> sa.Select[Any]:
    found = matching.candidates(shape).subquery()
    return (
        sa.select(LISTINGS.c.name_zh, LISTINGS.c.name_en)
        .join(found, found.c.product_id == LISTINGS.c.product_id)
        .order_by(found.c.fit.desc(), LISTINGS.c.rank, LISTINGS.c.product_id)
        .limit(sa.bindparam("most", type_=sa.BigInteger()))
    )


def nearly(session: Session, text: str, arriving: Mapping[int, Arrival], limit: int) -> list[Card]:
    """Products that have at least 60 % of the characters in their own names or other words for them: 四 of 四川 says nothing of beans.

    Those that have two of them side by side as they were typed come first. Of two characters alone both must stand together, which is
    no likeness: 包面 is no 面包.
    """
    characters = terms.loosely(text)
    if len(characters) < FEWEST_CHARACTERS:
        return []
    facts: dict[str, Any] = {f"character_{place}": one for place, one in enumerate(characters)}
    enough = -(-len(characters) * 6 // 10)
    facts |= {"pairs": terms.pairs("".join(characters)), "enough": enough, "served": sorted(arriving), "most": limit, "skipped": 0}
    rows = session.connection().execute(with_some_characters(len(characters), bool(arriving)), facts).all()
    return to_cards(rows, arriving, leave_out=FIT)


@cache
def with_some_characters(characters: int, is_served: bool) -> sa.Select[Any]:
    """Of each character the first entries of the index, of what they have in common the best."""
    entry: Any = TERMS.c
    each = [
        sa.select(
            sa.select(entry.product_id, entry.weight)
            .where(entry.term == sa.bindparam(f"character_{place}"), entry.weight >= LEAST_WEIGHT)
            .order_by(entry.weight.desc(), entry.rank, entry.product_id)
            .limit(MOST_OF_CHARACTER)
            .subquery()
        )
        for place in range(characters)
    ]
    every = sa.union_all(*each).subquery()
    fit = sa.func.sum(every.c.weight).label("fit")
    some = sa.select(every.c.product_id, fit).group_by(every.c.product_id)
    some = some.having(sa.func.count() >= sa.bindparam("enough", type_=sa.BigInteger()))
    best = some.order_by(fit.desc(), every.c.product_id).limit(MOST_FOUND).subquery()
    side_by_side = sa.select(sa.func.coalesce(sa.func.sum(entry.weight), 0)).where(
        entry.product_id == best.c.product_id, entry.term.in_(sa.bindparam("pairs", expanding=True)), entry.weight >= LEAST_WEIGHT
    )
    whole = best.c.fit + side_by_side.correlate_except(TERMS).scalar_subquery()
    return best_first(sa.select(best.c.product_id, whole.label("fit")).subquery(), is_served)


def best_first(found: Any, is_served: bool, order: str = "rank") -> sa.Select[Any]:
    """The cards of what was found: what can be had at the reader's point first, then what fits best, or costs least or most."""
    is_left: Any = StockItem.available > 0
    comes: Any = LISTINGS.c.merchant_id.in_(sa.bindparam("served", expanding=True)) if is_served else sa.true()
    price: Any = sa.type_coerce(LISTINGS.c.price, sa.BigInteger())
    by_price = {"price": [price], "price_down": [price.desc()]}.get(order, [])
    return (
        card_select()
        .add_columns(found.c.fit)
        .join(found, found.c.product_id == LISTINGS.c.product_id)
        .order_by(
            sa.case((sa.not_(comes), 2), (is_left, 0), else_=1), *by_price, found.c.fit.desc(), LISTINGS.c.rank, LISTINGS.c.product_id
        )
        .limit(sa.bindparam("most", type_=sa.BigInteger()))
        .offset(sa.bindparam("skipped", type_=sa.BigInteger()))
    )
