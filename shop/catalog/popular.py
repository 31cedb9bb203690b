"""What many people search for, without knowing of anybody what they search for.

A word is counted when somebody who is signed in finds goods by it. They fall on one of sixty places for this word, by a keyed hash; kept
is a bit for the place and day, nothing of them. Many people share a place, so a bit points to nobody; and each place that is taken, on
whichever day, stands for at least one more person. Words that fewer than `FEWEST` people searched for are shown to nobody. See
docs/algorithms/search.md.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.catalog import matching, terms
from shop.kernel import clock, ids
from shop.kernel.db import insert_once, operation
from shop.kernel.memory import remember
from shop.kernel.statements import table
from shop.models.catalog import SearchWord
from shop.platform.actor import Actor

PLACES, FEWEST, DAYS, MOST_SHOWN = 60, 5, 7, 8
LONGEST, LATIN, HAN = 20, 3, 2
"""Words of so many characters are counted: no sentences, and nothing that is only the beginning of a word."""
MOST_OF_A_DAY = 50

WORDS = table(SearchWord)


@operation
def count_word(session: Session, actor: Actor, text: str, key: str) -> bool:
    """Count that one more person searched for a word; whether that was new.

    Again by the same person on the same day changes nothing. What finds no goods is not counted, so that no name, number or address
    that somebody typed by mistake is kept. `key` is the shop's secret.
    """
    word, today = countable(text), clock.today()
    if not word or not finds_goods(session, word):
        return False
    bit = 1 << place_of(actor.signed_in_id(), word, key)
    insert_once(session, SearchWord, day=today, word=word, seen=0, people=0, created_at=clock.now())
    row: Any = WORDS.c
    is_new = sa.and_(row.day == today, row.word == word, row.seen.op("&")(bit) == 0)
    changed = session.execute(
        sa.update(WORDS).where(is_new).values(seen=row.seen.op("|")(bit), people=row.people + 1).returning(row.id)
    )
    return changed.scalar_one_or_none() is not None


def countable(text: str) -> str:
    """The word somebody searched for as it is counted, folded; empty for what is too short, too long, or no word."""
    word = " ".join(terms.typed(text).split())
    if not all(run.isalpha() for run in terms.RUNS.findall(word)) or len(word) > LONGEST:
        return ""
    query = terms.parse(word)
    enough = sum(len(run) for run in terms.RUNS.findall(word) if terms.is_han(run)) >= HAN
    return word if not query.is_empty and (enough or sum(map(len, query.beginnings)) >= LATIN) else ""


def place_of(user_id: int, word: str, key: str) -> int:
    """On which of the places somebody falls for a word: always the same, and another one for every other word."""
    return int(ids.keyed_fingerprint(key, "search word", f"{word}:{user_id}"), 16) % PLACES


def finds_goods(session: Session, word: str) -> bool:
    """Whether goods have all of it: what is shown to others leads somewhere."""
    query = terms.parse(word)
    found = matching.candidates(matching.shape_of(session, query, False)).limit(1)
    return session.execute(found, matching.places_of(query)).first() is not None


@remember(seconds=300)
def words(session: Session) -> list[str]:
    """What at least `FEWEST` different people searched for in the last seven days, what most did first; minutes late."""
    row: Any = WORDS.c
    seen: dict[str, int] = {}
    times: dict[str, int] = {}
    for ago in range(DAYS):
        of_day = sa.select(row.word, row.seen, row.people).where(row.day == clock.today() - timedelta(days=ago))
        for found in session.execute(of_day.order_by(row.people.desc(), row.id.desc()).limit(MOST_OF_A_DAY)):
            seen[found.word] = seen.get(found.word, 0) | found.seen
            times[found.word] = times.get(found.word, 0) + found.people
    known = [word for word, places in seen.items() if places.bit_count() >= FEWEST]
    return sorted(known, key=lambda word: (-seen[word].bit_count(), -times[word], word))[:MOST_SHOWN]
