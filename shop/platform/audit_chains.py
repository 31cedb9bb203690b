"""Sealing the audit: a chain of hashes per community and month, so that a month can be put away and checked by itself.

An entry gets its number when it is written and is seen when its transaction commits, so a lower number may be seen later than a higher
one. Sealing goes by numbers and never back over what it has passed: what it costs depends on what is new, not on what there is.
Two rules make that whole (docs/decisions/0050-keys-and-chains.md): entries wait for `GRACE`, so that as a rule the lower ones have come;
and the numbers that have not are written down as gaps and looked for in every round, until they come or no transaction can be that old.
A chain is in the order of sealing: by number within a round, and what came late behind what was sealed before it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.db import insert_once, operation, take
from shop.kernel.rows import all_as
from shop.kernel.statements import table
from shop.models.platform import AuditChain, AuditEntry, AuditGap, AuditLink, AuditProgress

GRACE = timedelta(seconds=10)
LOOKED_FOR = timedelta(hours=1)
"""How long a number that is missing is waited for: handlers may run for minutes, requests for seconds."""
RANGES_AT_ONCE = 100

ENTRIES = table(AuditEntry)
LINKS = table(AuditLink)
GAPS = table(AuditGap)


class ChainKey(NamedTuple):
    community_id: int
    month: str


class Gap(NamedTuple):
    """Numbers from the first to the last that were missing when they were passed."""

    first_id: int
    last_id: int
    seen_at: datetime


def chain_of(entry: sa.Row[Any]) -> ChainKey:
    """The chain an entry belongs to: months are those of the city's calendar."""
    return ChainKey(entry.community_id, f"{clock.local(entry.at):%Y-%m}")


def genesis(chain: ChainKey) -> str:
    """What the first link hangs on: the name of its chain, so that chains cannot be exchanged."""
    return hashlib.sha256(f"{chain.community_id}/{chain.month}".encode()).hexdigest()


def spelled(entry: sa.Row[Any]) -> list[Any]:
    """What of an entry has always been hashed."""
    return [
        entry.id, entry.at.isoformat(timespec="microseconds"), entry.actor_kind, entry.actor_id, entry.action, entry.subject_type,
        entry.subject_id, entry.facts,
    ]  # fmt: skip


def digest(previous: str, document: list[Any]) -> str:
    canonical = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    return hashlib.sha256(previous.encode() + canonical).hexdigest()


def link(previous: str, entry: sa.Row[Any]) -> str:
    """The hash of an entry behind another."""
    return digest(previous, [*spelled(entry), entry.community_id])


@operation
def seal(session: Session, limit: int = 1_000, grace: timedelta = GRACE) -> int:
    """Chain the entries not yet sealed that are older than `grace`; the number sealed, at most twice the limit.

    Two sealers at once, as when one round of it is taken over from a worker that died: the second waits, and goes on behind the first.
    """
    moment, passed = clock.now(), _take_turn(session)
    late = _arrived(session, moment, limit)
    new = _ripe(session, passed, moment - grace, limit)
    if new:
        _note_gaps(session, [entry.id for entry in new], passed, moment)
        session.execute(sa.update(AuditProgress).values(sealed_up_to=new[-1].id))
    entries = [*late, *new]
    for chain, members in groupby(sorted(entries, key=lambda entry: (*chain_of(entry), entry.id)), key=chain_of):
        _append(session, chain, list(members))
    return len(entries)


def _take_turn(session: Session) -> int:
    """Hold the row of how far sealing has come until this transaction ends; how far that is."""
    turn = sa.update(AuditProgress).values(rounds=AuditProgress.rounds + 1).returning(AuditProgress.sealed_up_to)
    turn = turn.execution_options(synchronize_session=False)
    passed = session.execute(turn).scalar_one_or_none()
    if passed is None:  # the very first round of all
        insert_once(session, AuditProgress, id=1, sealed_up_to=0, rounds=0)
        passed = session.execute(turn).scalar_one()
    return passed


def _ripe(session: Session, passed: int, until: datetime, limit: int) -> Sequence[sa.Row[Any]]:
    """The next entries by number, up to the last that is old enough."""
    following = session.execute(sa.select(ENTRIES).where(ENTRIES.c.id > passed).order_by(ENTRIES.c.id).limit(limit)).all()
    ripe = [place for place, entry in enumerate(following) if entry.at <= until]
    return following[: ripe[-1] + 1] if ripe else []


def _note_gaps(session: Session, ids: Iterable[int], passed: int, moment: datetime) -> None:
    """Write down the numbers that are not among these, which are in order and follow on `passed`."""
    missing = []
    for entry_id in ids:
        if entry_id > passed + 1:
            missing.append(Gap(passed + 1, entry_id - 1, moment))
        passed = entry_id
    _write_gaps(session, missing)


def _write_gaps(session: Session, gaps: Sequence[Gap]) -> None:
    if gaps:
        session.execute(sa.insert(GAPS), [gap._asdict() for gap in gaps])


def _arrived(session: Session, moment: datetime, limit: int) -> list[sa.Row[Any]]:
    """Entries whose numbers were missing and that have come since; what is still missing of their gaps stays one."""
    gaps = all_as(Gap, session.execute(sa.select(GAPS).order_by(GAPS.c.first_id)))
    found: list[sa.Row[Any]] = []
    for start in range(0, len(gaps), RANGES_AT_ONCE):
        some = gaps[start : start + RANGES_AT_ONCE]
        inside = sa.or_(*(ENTRIES.c.id.between(gap.first_id, gap.last_id) for gap in some))
        found += session.execute(sa.select(ENTRIES).where(inside).order_by(ENTRIES.c.id).limit(limit - len(found))).all()
        if len(found) >= limit:
            break
    for gap in gaps:
        come = [entry.id for entry in found if gap.first_id <= entry.id <= gap.last_id]
        if come:
            session.execute(sa.delete(GAPS).where(GAPS.c.first_id == gap.first_id))
            _note_gaps(session, [*come, gap.last_id + 1], gap.first_id - 1, gap.seen_at)
    if gaps:
        session.execute(sa.delete(GAPS).where(GAPS.c.seen_at < moment - LOOKED_FOR))
    return found


def _append(session: Session, chain: ChainKey, entries: Sequence[sa.Row[Any]]) -> None:
    """Put entries behind the last link of their chain."""
    which = (AuditChain.community_id == chain.community_id, AuditChain.month == chain.month)
    known = session.execute(sa.select(AuditChain.links, AuditChain.head).where(*which)).one_or_none()
    position, head = (known.links, known.head) if known else (0, genesis(chain))
    rows = []
    for entry in entries:
        position, head = position + 1, link(head, entry)
        rows.append({**chain._asdict(), "position": position, "entry_id": entry.id, "hash": head})
    session.execute(sa.insert(LINKS), rows)
    if not take(session, sa.update(AuditChain).where(*which).values(links=position, head=head)):
        session.execute(sa.insert(AuditChain).values(**chain._asdict(), links=position, head=head))
