"""What somebody may have meant by letters with one error in them, and by sounds that many people here do not tell apart.

Every word that is one error away is asked for by the index, a few hundred at most, so that it costs the same however much is sold.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from string import ascii_lowercase
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.catalog import terms
from shop.kernel.statements import table
from shop.models.catalog import SearchTerm

SHORTEST, LONGEST, MOST_KNOWN, MOST_WAYS = 4, 16, 12, 256
"""Shorter words are too near to each other, longer ones have too many neighbours."""
LEAST_WEIGHT = 8
"""So much weighs a word of a name or another word for it; less that of its place or its seller. Pinyin is only kept of names."""

ALIKE = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("l", "n"), ("h", "f"), ("ing", "in"), ("eng", "en"))
"""Sounds that are one and the same to many people in Sichuan, each with the one that stands for both. `ang` and `an` are told apart."""
SYLLABLE = re.compile(r"(zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw]?)([aeiouv][a-z]?[a-z]?[a-z]?)")

TERMS = table(SearchTerm)


@lru_cache(maxsize=1_000)
def one_error_from(word: str) -> tuple[str, ...]:
    """Every word that becomes this one by one slip: a letter too many, missing, another, or two in the wrong order."""
    cut = [(word[:place], word[place:]) for place in range(len(word) + 1)]
    less = [before + after[1:] for before, after in cut if after]
    swapped = [before + after[1] + after[0] + after[2:] for before, after in cut if len(after) > 1]
    other = [before + letter + after[1:] for before, after in cut if after for letter in ascii_lowercase]
    more = [before + letter + after for before, after in cut for letter in ascii_lowercase]
    return tuple(dict.fromkeys(one for one in (*swapped, *other, *less, *more) if one != word))


def meant(session: Session, query: terms.Query) -> terms.Query | None:
    """The same search with its one mistyped word replaced by the known word nearest to it; None where there is none.

    Only for letters, and only where one word is not known: two unknown words are no slip of a finger.
    """
    unknown = [word for word in query.beginnings if not is_begun(session, word)]
    if len(unknown) != 1 or not SHORTEST <= len(unknown[0]) <= LONGEST or not unknown[0].isalpha():
        return None
    near = [word for word in one_error_from(unknown[0]) if len(word) >= SHORTEST]
    known = known_among(session, [f"{kind}:{word}" for word in near for kind in "wp"])
    if not known:
        return None
    place = {word: number for number, word in enumerate(near)}
    best = min(known, key=lambda word: (-known[word], place[word]))
    return terms.Query(query.exact, tuple(best if word == unknown[0] else word for word in query.beginnings), query.measures)


def heard_alike(session: Session, words: tuple[terms.Sounds, ...]) -> terms.Query | None:
    """A search for words of these syllables as they may also be said; None where nothing is called so."""
    chosen: list[str] = []
    for sounds in words:
        ways = said_alike(sounds)
        known = known_among(session, [f"p:{way}" for way in ways])
        if not known:
            return None
        chosen.append(max(known, key=lambda way: known[way]))
    return terms.Query((), tuple(chosen)) if chosen else None


def said_alike(sounds: terms.Sounds) -> tuple[str, ...]:
    """All ways of saying some characters: each of their readings, with sounds that are not told apart. No more than `MOST_WAYS`."""
    ways = [""]
    for readings in sounds:
        alike = dict.fromkeys(one for reading in readings for one in variants(reading))
        ways = [way + one for way in ways for one in alike][:MOST_WAYS]
    return tuple(ways)


@lru_cache(maxsize=2_000)
def variants(syllable: str) -> tuple[str, ...]:
    """A syllable with each of its sounds exchanged for the one it is taken for: `liu` also as `niu`, `zhen` as `zen` and `zheng`."""
    found = SYLLABLE.fullmatch(syllable)
    if found is None:
        return (syllable,)
    begins, ends = found[1], found[2]
    first = [begins, *(other for pair in ALIKE[:5] for one, other in (pair, pair[::-1]) if one == begins)]
    last = [ends]
    for longer, shorter in ALIKE[5:]:
        if ends.endswith(longer):
            last.append(ends.removesuffix("g"))
        elif ends.endswith(shorter):
            last.append(ends + "g")
    return tuple(begin + end for begin in first for end in last)


def is_begun(session: Session, word: str) -> bool:
    """Whether any word, pinyin or initials begin so."""
    ranges = [sa.and_(TERMS.c.term >= kind + word, TERMS.c.term < kind + word + "\U0010ffff") for kind in ("w:", "p:", "i:")]
    return any(session.execute(sa.select(TERMS.c.product_id).where(some).limit(1)).first() for some in ranges)


@cache
def next_known() -> sa.Select[Any]:
    """The first of some terms behind the last one, with the most that it weighs."""
    wanted = TERMS.c.term.in_(sa.bindparam("wanted", expanding=True))
    order = (TERMS.c.term, TERMS.c.weight.desc())
    return sa.select(TERMS.c.term, TERMS.c.weight).where(wanted, TERMS.c.term > sa.bindparam("last")).order_by(*order).limit(1)


def known_among(session: Session, wanted: Iterable[str]) -> dict[str, int]:
    """Those of these terms that goods are called by, without their kind, each with the most it weighs: the first `MOST_KNOWN`.

    From one to the next, so that of a term that many goods have one entry is read.
    """
    asked, last = sorted(set(wanted)), ""
    known: dict[str, int] = {}
    for _again in range(MOST_KNOWN if asked else 0):
        row = session.connection().execute(next_known(), {"wanted": asked, "last": last}).one_or_none()
        if row is None:
            break
        last = row.term
        if row.weight >= LEAST_WEIGHT or last.startswith("p:"):
            known[last[2:]] = max(row.weight, known.get(last[2:], 0))
    return known
