"""Who did what to what. Entries are written with the deed and sealed into a chain of hashes soon after."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.db import operation
from shop.models.platform import AuditEntry, AuditSeal
from shop.platform.actor import Actor

GENESIS = "0" * 64
INSERT_ENTRIES = sa.insert(cast(sa.Table, AuditEntry.__table__)).inline()


def record(session: Session, actor: Actor, action: str, subject_type: str, subject_id: int, **facts: Any) -> None:
    """Write one entry in the caller's transaction. `facts` are ids, amounts in fen and words; never personal data."""
    record_each(session, actor, action, subject_type, [subject_id], **facts)


def record_each(session: Session, actor: Actor, action: str, subject_type: str, subject_ids: Iterable[int], **facts: Any) -> None:
    """The same of several subjects, in one statement."""
    entry = {
        "at": clock.now(), "actor_kind": actor.kind, "actor_id": actor.user_id, "action": action, "subject_type": subject_type,
        "facts": facts,
    }
    if rows := [{**entry, "subject_id": subject_id} for subject_id in subject_ids]:
        session.connection().execute(INSERT_ENTRIES, rows if len(rows) > 1 else rows[0])


def canonical(entry: AuditEntry) -> bytes:
    """The one spelling of an entry that is hashed."""
    document = [
        entry.id, entry.at.isoformat(timespec="microseconds"), entry.actor_kind, entry.actor_id,
        entry.action, entry.subject_type, entry.subject_id, entry.facts,
    ]
    return json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def link(previous: str, entry: AuditEntry) -> str:
    return hashlib.sha256(previous.encode() + canonical(entry)).hexdigest()


@operation
def seal(session: Session, limit: int = 1_000) -> int:
    """Chain the entries not yet sealed, oldest first; the number sealed. Two sealers at once: one of them fails and retries."""
    head = session.scalars(sa.select(AuditSeal).order_by(AuditSeal.sequence.desc()).limit(1)).first()
    sequence, previous = (head.sequence, head.hash) if head else (0, GENESIS)
    unsealed = sa.select(AuditEntry).where(~sa.exists().where(AuditSeal.entry_id == AuditEntry.id)).order_by(AuditEntry.id).limit(limit)
    entries = session.scalars(unsealed).all()
    for entry in entries:
        sequence += 1
        previous = link(previous, entry)
        session.add(AuditSeal(sequence=sequence, entry_id=entry.id, hash=previous))
    return len(entries)


def broken_links(session: Session) -> list[int]:
    """The sequence numbers where the chain does not hold: an entry edited, a link lost or forged."""
    broken, previous, expected = [], GENESIS, 1
    rows = session.execute(
        sa.select(AuditSeal, AuditEntry).outerjoin(AuditEntry, AuditEntry.id == AuditSeal.entry_id).order_by(AuditSeal.sequence)
    )
    for seal_row, entry in rows:
        if entry is None or seal_row.sequence != expected or seal_row.hash != link(previous, entry):
            broken.append(seal_row.sequence)
        previous, expected = seal_row.hash, seal_row.sequence + 1
    return broken
