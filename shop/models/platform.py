"""The backbone's own tables: audit trail, jobs, idempotency keys, notices."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from shop.kernel.columns import Document, pk
from shop.kernel.db import Base


class AuditEntry(Base):
    """Who did what to what. Written with the deed; sealed into a hash chain soon after; never changed otherwise."""

    __tablename__ = "audit_entries"
    __table_args__ = (sa.Index("ix_audit_entries_subject", "subject_type", "subject_id"),)

    id: Mapped[pk]
    at: Mapped[datetime]
    actor_kind: Mapped[str]  # "user", "job", "command", "provider"
    actor_id: Mapped[int | None]
    action: Mapped[str]  # past tense: "purchase.paid"
    subject_type: Mapped[str]
    subject_id: Mapped[int]
    facts: Mapped[dict[str, Any]] = mapped_column(Document)


class AuditSeal(Base):
    """One link of the chain: SHA-256 over the previous link and the entry's canonical form."""

    __tablename__ = "audit_seals"

    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    entry_id: Mapped[int] = mapped_column(sa.ForeignKey("audit_entries.id"), unique=True)
    hash: Mapped[str]


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"


class Job(Base):
    """Work to do after the commit that asked for it. Taken under a lease with a fencing number."""

    __tablename__ = "jobs"
    __table_args__ = (sa.Index("ix_jobs_state_run_at", "state", "run_at"),)

    id: Mapped[pk]
    kind: Mapped[str]
    arguments: Mapped[dict[str, Any]] = mapped_column(Document)
    dedupe_key: Mapped[str] = mapped_column(unique=True)
    state: Mapped[JobState] = mapped_column(default=JobState.QUEUED)
    run_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    fence: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


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
    body: Mapped[str | None]
    created_at: Mapped[datetime]
    lease_until: Mapped[datetime]


class Notice(Base):
    """A message in somebody's inbox: a kind with its facts, put into words in the reader's language."""

    __tablename__ = "notices"
    __table_args__ = (sa.Index("ix_notices_user_id_id", "user_id", "id"),)

    id: Mapped[pk]
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    kind: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(Document)
    link: Mapped[str]
    dedupe_key: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
