"""Whether the chains of the audit hold: each entry as it was written, none lost, from the last anchor on or from the beginning.

An anchor says up to where a chain was found to hold. It is written into the log too, so that somebody who can change every row of the
database cannot change what was anchored unnoticed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.db import operation, take
from shop.kernel.statements import table
from shop.models.platform import AuditChain, AuditEntry, AuditGap, AuditLink, AuditProgress, AuditSeal
from shop.platform.audit_chains import ChainKey, chain_of, digest, genesis, link, spelled

log = logging.getLogger("shop.audit")

FIRST = ChainKey(0, "first")
"""The chain of before, one for everything."""
GENESIS_OF_FIRST = "0" * 64
AT_ONCE = 5_000
LOOKED_BACK = 100_000

ENTRIES = table(AuditEntry)
LINKS = table(AuditLink)
SEALS = table(AuditSeal)


@dataclass(frozen=True, slots=True)
class Break:
    """Where a chain does not hold, and how."""

    community_id: int
    month: str
    position: int
    wrong: str  # "entry changed", "entry lost", "link lost", "end lost", "anchor differs", "elsewhere"


@dataclass(frozen=True, slots=True)
class Head:
    """A place in a chain, with its hash."""

    position: int
    hash: str


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain with its end as it was kept, and its anchor, if it has one."""

    key: ChainKey
    end: Head
    anchor: Head | None

    @property
    def begins(self) -> Head:
        """What the first link hangs on."""
        return Head(0, GENESIS_OF_FIRST if self.key == FIRST else genesis(self.key))


def broken_links(session: Session, *, whole: bool = False, month: str | None = None) -> list[Break]:
    """Where chains do not hold: since their last anchor, or from the beginning; all of them, or those of one month."""
    chains = [chain for chain in _chains(session) if month in (None, chain.key.month)]
    return [found for chain in chains for found in _walk(session, chain, whole=whole)]


def passed_over(session: Session, *, whole: bool = False) -> list[int]:
    """Entries that sealing has passed and that are in no chain: of the last 100,000 numbers, or of all."""
    progress = session.scalar(sa.select(AuditProgress.sealed_up_to)) or 0
    since = 0 if whole else progress - LOOKED_BACK
    in_a_chain = sa.exists().where(LINKS.c.entry_id == ENTRIES.c.id)
    in_the_first = sa.exists().where(SEALS.c.entry_id == ENTRIES.c.id)
    awaited = sa.exists().where(ENTRIES.c.id.between(AuditGap.first_id, AuditGap.last_id))
    missing = sa.select(ENTRIES.c.id).where(ENTRIES.c.id > since, ENTRIES.c.id <= progress, ~in_a_chain, ~in_the_first, ~awaited)
    return list(session.scalars(missing.order_by(ENTRIES.c.id)))


def _chains(session: Session) -> list[Chain]:
    """Every chain by community and month. The first one's end is its last link: the release before may go on with it."""
    columns = (AuditChain.links, AuditChain.head, AuditChain.anchored_links, AuditChain.anchored_head)
    found = {}
    for row in session.execute(sa.select(AuditChain.community_id, AuditChain.month, *columns)):
        key = ChainKey(row.community_id, row.month)
        found[key] = Chain(key, Head(row.links, row.head), Head(row.anchored_links, row.anchored_head) if row.anchored_head else None)
    last = session.execute(sa.select(SEALS.c.sequence, SEALS.c.hash).order_by(SEALS.c.sequence.desc()).limit(1)).one_or_none()
    kept = found.get(FIRST)
    if last is not None and (kept is None or last.sequence > kept.end.position):
        found[FIRST] = Chain(FIRST, Head(last.sequence, last.hash), kept.anchor if kept else None)
    return [found[key] for key in sorted(found)]


def _walk(session: Session, chain: Chain, *, whole: bool = False) -> Iterator[Break]:
    """The breaks of a chain behind its anchor, or from its beginning. One that has not grown costs nothing."""
    if chain.anchor == chain.end and not whole:
        return
    if chain.anchor is not None and _hash_at(session, chain.key, chain.anchor.position) != chain.anchor.hash:
        yield Break(*chain.key, chain.anchor.position, "anchor differs")
    at = chain.begins if whole or chain.anchor is None else chain.anchor
    while rows := _links(session, chain.key, at.position):
        for row in rows:
            wrong = _wrong_with(chain.key, at, row)
            if wrong is not None:
                yield Break(*chain.key, row.position, wrong)
            at = Head(row.position, row.hash)
    if at != chain.end:
        yield Break(*chain.key, chain.end.position, "end lost")


def _wrong_with(chain: ChainKey, before: Head, row: sa.Row[Any]) -> str | None:
    if row.position != before.position + 1:
        return "link lost"
    if row.id is None:
        return "entry lost"
    if chain == FIRST:
        return None if row.hash == digest(before.hash, spelled(row)) else "entry changed"
    if chain_of(row) != chain:
        return "elsewhere"
    return None if row.hash == link(before.hash, row) else "entry changed"


def _links(session: Session, chain: ChainKey, after: int) -> list[sa.Row[Any]]:
    """The next links of a chain, each with its entry."""
    if chain == FIRST:
        position, hash_, entry_id, mine = SEALS.c.sequence, SEALS.c.hash, SEALS.c.entry_id, []
    else:
        position, hash_, entry_id = LINKS.c.position, LINKS.c.hash, LINKS.c.entry_id
        mine = [LINKS.c.community_id == chain.community_id, LINKS.c.month == chain.month]
    joined = position.table.outerjoin(ENTRIES, ENTRIES.c.id == entry_id)
    found = sa.select(position.label("position"), hash_.label("hash"), ENTRIES).select_from(joined)
    return list(session.execute(found.where(*mine, position > after).order_by(position).limit(AT_ONCE)).all())


def _hash_at(session: Session, chain: ChainKey, position: int) -> str | None:
    if chain == FIRST:
        return session.scalar(sa.select(SEALS.c.hash).where(SEALS.c.sequence == position))
    mine = (LINKS.c.community_id == chain.community_id, LINKS.c.month == chain.month, LINKS.c.position == position)
    return session.scalar(sa.select(LINKS.c.hash).where(*mine))


def to_anchor(session: Session) -> list[Chain]:
    """The chains that have grown since their last anchor and hold; reads what is new, and writes nothing."""
    return [chain for chain in _chains(session) if chain.anchor != chain.end and not any(_walk(session, chain))]


@operation
def anchor(session: Session, chains: Iterable[Chain]) -> int:
    """Write down up to where chains hold; of how many that was news. An anchor never goes back."""
    count = 0
    for chain in chains:
        if chain.key == FIRST:
            _know_the_first(session, chain.end)
        which = (AuditChain.community_id == chain.key.community_id, AuditChain.month == chain.key.month)
        behind = sa.update(AuditChain).where(*which, AuditChain.anchored_links < chain.end.position)
        values = {"anchored_links": chain.end.position, "anchored_head": chain.end.hash, "anchored_at": clock.now()}
        if take(session, behind.values(values)):
            count += 1
            log.info("audit chain %s/%s holds up to %s: %s", *chain.key, chain.end.position, chain.end.hash)
    return count


def _know_the_first(session: Session, end: Head) -> None:
    """The first chain has a row where the migration found it; one that a process of the release before began later gets it here."""
    if session.get(AuditChain, tuple(FIRST)) is None:
        session.add(AuditChain(**FIRST._asdict(), links=end.position, head=end.hash))
        session.flush()
