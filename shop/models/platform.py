"""The backbone's own tables: audit trail, jobs, partners, restores, idempotency keys, notices."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from shop.kernel.columns import CITY, Document, community_key, pk
from shop.kernel.db import Base
from shop.kernel.sealing import Sealed, SealedDocument

BY_PEOPLE = sa.text("actor_id IS NOT NULL")
RARELY = sa.text("actor_kind NOT IN ('user', 'job')")
"""Deeds of others than people and jobs, who do nearly all of them."""


class AuditEntry(Base):
    """Who did what to what. Written with the deed; sealed into a hash chain soon after; never changed otherwise."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        sa.Index("ix_audit_entries_subject", "subject_type", "subject_id"),
        sa.Index("ix_audit_entries_at", "at"),
        sa.Index("ix_audit_entries_action", "action", "id"),
        sa.Index("ix_audit_entries_actor_id", "actor_id", "id", sqlite_where=BY_PEOPLE, postgresql_where=BY_PEOPLE),
        sa.Index("ix_audit_entries_rarely", "actor_kind", "id", sqlite_where=RARELY, postgresql_where=RARELY),
    )

    id: Mapped[pk]
    at: Mapped[datetime]
    community_id: Mapped[community_key]
    actor_kind: Mapped[str]  # "user", "job", "command", "provider"
    actor_id: Mapped[int | None]
    action: Mapped[str]  # past tense: "purchase.paid"
    subject_type: Mapped[str]
    subject_id: Mapped[int]
    facts: Mapped[dict[str, Any]] = mapped_column(Document)


class AuditChain(Base):
    """The entries of one community in one month of the city's calendar: how many are sealed, and the hash of the last.

    Its anchor says up to where it was found to hold: what came before is gone through again only when the whole is asked for.
    """

    __tablename__ = "audit_chains"

    community_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    month: Mapped[str] = mapped_column(primary_key=True)  # "2026-11"
    links: Mapped[int]
    head: Mapped[str]
    anchored_links: Mapped[int] = mapped_column(default=0, server_default="0")
    anchored_head: Mapped[str | None]
    anchored_at: Mapped[datetime | None]


class AuditLink(Base):
    """One link of a chain: SHA-256 over the previous link and the entry's canonical form.

    No foreign key to the entry: a month of entries can be put away, and an entry that is missing is what the chain shows.
    """

    __tablename__ = "audit_links"
    __table_args__ = (sa.UniqueConstraint("entry_id", "community_id", "month"),)

    community_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    month: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # from 1, without a hole
    entry_id: Mapped[int]
    hash: Mapped[str]


class AuditProgress(Base):
    """How far sealing has come, in one row; who seals holds it."""

    __tablename__ = "audit_progress"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sealed_up_to: Mapped[int]  # the number of an entry
    rounds: Mapped[int]


class AuditGap(Base):
    """Numbers of entries that were not there when later ones were sealed: of a transaction still open, or of one that failed."""

    __tablename__ = "audit_gaps"

    first_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last_id: Mapped[int]
    seen_at: Mapped[datetime]


class AuditSeal(Base):
    """A link of the first chain, which was one for everything. It is kept and checked; nothing is added to it any more."""

    __tablename__ = "audit_seals"

    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    entry_id: Mapped[int] = mapped_column(sa.ForeignKey("audit_entries.id"), unique=True)
    hash: Mapped[str]


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"


# Said to the database word for word: only then does it see that an index over unfinished jobs is enough. Not said by way of the
# state: SQLite would then go through the index of states, and look at every job that waits.
UNFINISHED = sa.text("finished_at IS NULL")


ASKED_FOR = sa.text("NOT is_round")
"""Of jobs: somebody asked for them. What comes round by itself is many times more."""


class Job(Base):
    """Work to do after the commit that asked for it. Taken under a lease with a fencing number."""

    __tablename__ = "jobs"
    __table_args__ = (
        sa.Index("ix_jobs_state_id", "state", "id"),
        sa.Index("ix_jobs_asked_for", "kind", "id", sqlite_where=ASKED_FOR, postgresql_where=ASKED_FOR),
        sa.Index("ix_jobs_asked_for_id", "id", sqlite_where=ASKED_FOR, postgresql_where=ASKED_FOR),
        sa.Index("ix_jobs_lane", "lane", "run_at", "id", sqlite_where=UNFINISHED, postgresql_where=UNFINISHED),
    )

    id: Mapped[pk]
    kind: Mapped[str]
    community_id: Mapped[int] = mapped_column(default=CITY, server_default="0")  # of what the work is about
    arguments: Mapped[dict[str, Any]] = mapped_column(Document)
    dedupe_key: Mapped[str] = mapped_column(unique=True)
    state: Mapped[JobState] = mapped_column(default=JobState.QUEUED)
    run_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    fence: Mapped[int] = mapped_column(default=0)
    lane: Mapped[str] = mapped_column(server_default="soon")  # what earlier releases left out; ours always say it
    is_round: Mapped[bool] = mapped_column(default=False, server_default=sa.false())  # periodic work that came round by itself
    last_error: Mapped[str | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class PartnerState(StrEnum):
    """States of a breaker, in the usual words."""

    CLOSED = "closed"  # calls go through
    OPEN = "open"  # nobody asks, but for one who tries now and then


class Partner(Base):
    """How somebody outside answers our calls: a biller, a carrier, the card provider. Only those that ever failed have a row."""

    __tablename__ = "partners"

    id: Mapped[pk]
    name: Mapped[str] = mapped_column(unique=True)  # "stripe", "sms", "biller:<code>"
    state: Mapped[PartnerState] = mapped_column(default=PartnerState.CLOSED)
    failures: Mapped[int] = mapped_column(default=0)  # in a row
    failed_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]
    next_probe_at: Mapped[datetime | None]
    last_error: Mapped[str]  # the kind of failure, never its text


class Restoration(Base):
    """A restore of this database from a backup. Until somebody says that it is resumed, nothing is sent to anybody outside."""

    __tablename__ = "restorations"

    id: Mapped[pk]
    backup: Mapped[str] = mapped_column(unique=True)  # of this restore: the name it was given when it began
    made_at: Mapped[datetime]  # the moment of the backup: what happened after it is not in this database
    restored_at: Mapped[datetime]
    reconciled_at: Mapped[datetime | None]  # when those outside were last asked what they know
    resumed_at: Mapped[datetime | None]


class IdempotencyKey(Base):
    """A caller's key for an unsafe call: the first answer is the answer."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (sa.UniqueConstraint("user_id", "route", "key"),)

    id: Mapped[pk]
    user_id: Mapped[int]  # 0 before sign-in
    route: Mapped[str]
    key: Mapped[str]
    request_hash: Mapped[str]
    status: Mapped[int | None]  # none while the first call is still running
    body: Mapped[str | None] = mapped_column(Sealed("idempotency_keys.body"))  # an answer may name its asker
    created_at: Mapped[datetime]
    lease_until: Mapped[datetime]


class Notice(Base):
    """A message in somebody's inbox: a kind with its facts, put into words in the reader's language."""

    __tablename__ = "notices"
    __table_args__ = (sa.Index("ix_notices_user_id_id", "user_id", "id"),)

    id: Mapped[pk]
    community_id: Mapped[community_key]
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    kind: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(SealedDocument("notices.facts"))  # codes and names among them
    link: Mapped[str]
    dedupe_key: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]


class Mark(Base):
    """How far along a table that only grows somebody has come: up to this id everything was looked at.

    `seen` was the newest id at `seen_at`. It becomes the mark only when it is old: a transaction that took a lower id may commit later.
    """

    __tablename__ = "marks"

    name: Mapped[str] = mapped_column(primary_key=True)  # "verify:transfers", "prune:jobs"
    up_to: Mapped[int] = mapped_column(default=0)
    seen: Mapped[int] = mapped_column(default=0)
    seen_at: Mapped[datetime]


class InvariantCheck(Base):
    """How an invariant stood when it was last checked by itself. Broken or not checked, it stays so until it was found whole."""

    __tablename__ = "invariant_checks"

    name: Mapped[str] = mapped_column(primary_key=True)
    checked_at: Mapped[datetime]
    whole_at: Mapped[datetime | None]  # when it was last checked over all rows
    broken_since: Mapped[datetime | None]
    rows: Mapped[int] = mapped_column(default=0)  # how many break it
    trouble: Mapped[str] = mapped_column(default="")  # why it could not be checked, in a word
    milliseconds: Mapped[int] = mapped_column(default=0)
