"""Who did what to what. Entries are written with the deed and sealed into chains of hashes soon after (`audit_chains`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import cache
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.statements import table
from shop.models.platform import AuditEntry
from shop.platform.actor import Actor
from shop.platform.belonging import community_of

ENTRIES = table(AuditEntry)


@cache
def _insert(subject_type: str) -> sa.Insert:
    """Entries about one kind of subject; the community is that of the subject."""
    values: dict[str, Any] = {column.name: sa.bindparam(column.name, type_=column.type) for column in ENTRIES.c if column.name != "id"}
    values["community_id"] = community_of(subject_type, sa.bindparam("subject_id"))
    return sa.insert(ENTRIES).values(values).inline()


class Tag(StrEnum):
    """A kind of deed that is put on record. Each feature lists its own in `tags.py`, as `class Done(Tag)`.

    A member is its code, what the deed is called, and whether an entry of it says something about a person, not about goods or money:
    what does is kept no longer than that person's account and shown only to those who may see people.
    """

    words: str
    is_personal: bool

    def __new__(cls, code: str, words: str, is_personal: bool = False) -> Self:
        tag = str.__new__(cls, code)
        tag._value_ = code
        tag.words, tag.is_personal = words, is_personal
        return tag

    @classmethod
    def of(cls, code: str) -> Self:
        """The tag with a code; raises `KeyError` for one that is not listed."""
        return {tag.value: tag for tag in cls}[code]


def record(session: Session, actor: Actor, action: Tag, subject_type: str, subject_id: int, **facts: Any) -> None:
    """Write one entry in the caller's transaction. `facts` are ids, amounts in fen and words; never personal data."""
    record_each(session, actor, action, subject_type, [subject_id], **facts)


def record_each(session: Session, actor: Actor, action: Tag, subject_type: str, subject_ids: Iterable[int], **facts: Any) -> None:
    """The same of several subjects, in one statement."""
    ids = list(subject_ids)
    record_all(session, actor, action, subject_type, ids, **{name: [fact] * len(ids) for name, fact in facts.items()})


def record_all(
    session: Session, actor: Actor, action: Tag, subject_type: str, subject_ids: Iterable[int], **facts: Sequence[Any]
) -> None:  # fmt: skip
    """One entry per subject, in one statement; each of the `facts` has a value for every subject, in the same order."""
    entry = {"at": clock.now(), "actor_kind": actor.kind, "actor_id": actor.user_id, "action": action.value, "subject_type": subject_type}
    rows = [
        {**entry, "subject_id": subject_id, "facts": {name: values[place] for name, values in facts.items()}}
        for place, subject_id in enumerate(subject_ids)
    ]
    if rows:
        session.connection().execute(_insert(subject_type), rows if len(rows) > 1 else rows[0])


def is_recorded(session: Session, action: Tag, subject_type: str, subject_id: int) -> bool:
    """Whether an action is on record about a subject."""
    found = sa.select(AuditEntry.id).where(
        AuditEntry.subject_type == subject_type, AuditEntry.subject_id == subject_id, AuditEntry.action == action.value
    )
    return session.scalar(found.limit(1)) is not None
