"""The community bulletin: notices, every text they ever had, and who has read them."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from shop.kernel.columns import community_key, moment_key, pk
from shop.kernel.db import Base


class BulletinKind(StrEnum):
    COMMUNITY = "community"
    GOVERNMENT = "government"
    PARTY_BUILDING = "party_building"
    EVENT = "event"


class VersionState(StrEnum):
    DRAFT = "draft"  # being written; the only state in which a text changes
    WAITING = "waiting"  # for somebody else to read and publish it
    PUBLISHED = "published"  # what residents read, from its first day to its last
    REPLACED = "replaced"  # by a correction
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


OPEN = "state IN ('draft', 'waiting')"
PUBLISHED = "state = 'published'"
"""Written out, so that the indexes below are seen to cover them."""


class BulletinNotice(Base):
    """A notice of one community, or of the city (community 0). Its address and its readers stay through all corrections."""

    __tablename__ = "bulletin_notices"

    id: Mapped[pk]
    community_id: Mapped[int]
    created_at: Mapped[datetime]
    readers: Mapped[int] = mapped_column(default=0, server_default="0")


class BulletinVersion(Base):
    """One text of a notice, with its days. Once it was sent for review it never changes: what was read is what is published.

    A correction is a version more. Of each notice at most one is published, and at most one is being written or waits.
    """

    __tablename__ = "bulletin_versions"
    __table_args__ = (
        sa.UniqueConstraint("notice_id", "number"),
        sa.CheckConstraint("ends_on >= starts_on", name="ends_after_it_starts"),
        sa.CheckConstraint("published_by_id <> written_by_id", name="published_by_another"),
        sa.CheckConstraint("state NOT IN ('published', 'replaced') OR published_by_id IS NOT NULL", name="published_by_somebody"),
        sa.Index("uq_bulletin_versions_open", "notice_id", unique=True, sqlite_where=sa.text(OPEN), postgresql_where=sa.text(OPEN)),
        sa.Index(
            "uq_bulletin_versions_published", "notice_id", unique=True, sqlite_where=sa.text(PUBLISHED),
            postgresql_where=sa.text(PUBLISHED),
        ),
        sa.Index(
            "ix_bulletin_versions_shown", "community_id", "ends_on", sqlite_where=sa.text(PUBLISHED), postgresql_where=sa.text(PUBLISHED)
        ),
        sa.Index("ix_bulletin_versions_community_id_id", "community_id", "id"),
    )  # fmt: skip

    id: Mapped[pk]
    notice_id: Mapped[int] = mapped_column(sa.ForeignKey("bulletin_notices.id"))
    community_id: Mapped[int]  # of its notice
    number: Mapped[int]
    state: Mapped[VersionState]
    kind: Mapped[BulletinKind]
    title_zh: Mapped[str]
    title_en: Mapped[str]  # empty: readers of English get the Chinese
    text_zh: Mapped[str]
    text_en: Mapped[str]
    building: Mapped[str]  # whom it is for, in the writer's words; empty: all
    starts_on: Mapped[date]
    ends_on: Mapped[date]  # its last day
    is_pinned: Mapped[bool]
    written_by_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    written_at: Mapped[datetime]
    published_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    published_at: Mapped[datetime | None]
    closed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))  # who refused or withdrew it
    closed_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(default="", server_default="")  # why it was refused or withdrawn


class BulletinReader(Base):
    """Somebody has opened a notice: once per person, so that readers can be counted."""

    __tablename__ = "bulletin_readers"
    __table_args__ = (sa.UniqueConstraint("notice_id", "user_id"),)

    id: Mapped[pk]
    notice_id: Mapped[int] = mapped_column(sa.ForeignKey("bulletin_notices.id"))
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    community_id: Mapped[community_key]
    at: Mapped[moment_key]
