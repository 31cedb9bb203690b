"""Becoming a shop: applications with their papers and questions, what a shop is licensed for, and when it was suspended."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from shop.kernel.columns import Document, pk
from shop.kernel.db import Base
from shop.kernel.sealing import Sealed


class ApplicantKind(StrEnum):
    SHOP = "shop"
    STALL = "stall"
    CO_OP = "co_op"
    WHOLESALER = "wholesaler"
    SERVICE_PROVIDER = "service_provider"
    FARMER = "farmer"  # sells what they grew themselves, and needs no licence for it


class Food(StrEnum):
    """What of food is sold: it decides which permits are needed."""

    NONE = "none"
    PRODUCE = "produce"  # as it was grown, caught or kept: no permit
    PACKAGED = "packaged"  # nothing but packaged food: a filing
    OTHER = "other"  # everything else: a permit


class ApplicationState(StrEnum):
    DRAFT = "draft"
    WAITING = "waiting"  # for an operator
    ASKED = "asked"  # an operator asked something; it goes on with the answer
    APPROVED = "approved"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class PaperKind(StrEnum):
    BUSINESS_LICENCE = "business_licence"
    FOOD_PERMIT = "food_permit"
    PACKAGED_FILING = "packaged_filing"
    PRODUCE_CERTIFICATE = "produce_certificate"
    ORIGIN_PROOF = "origin_proof"
    IDENTITY = "identity"
    OTHER = "other"


OPEN = "state IN ('draft', 'waiting', 'asked')"
APPROVED = "state = 'approved' AND uscc <> ''"
"""Written out, so that the indexes below are seen to cover them."""


class Application(Base):
    """Somebody who wants to sell. At most one is open of a person, and a code of the register becomes a shop once."""

    __tablename__ = "applications"
    __table_args__ = (
        sa.CheckConstraint("decided_by_id <> user_id", name="decided_by_another"),
        sa.CheckConstraint("(state = 'approved') = (merchant_id IS NOT NULL)", name="approved_is_a_shop"),
        sa.Index("uq_applications_user_id", "user_id", unique=True, sqlite_where=sa.text(OPEN), postgresql_where=sa.text(OPEN)),
        sa.Index("uq_applications_uscc", "uscc", unique=True, sqlite_where=sa.text(APPROVED), postgresql_where=sa.text(APPROVED)),
        sa.UniqueConstraint("merchant_id"),
        sa.Index("ix_applications_state_submitted_at", "state", "submitted_at", "id"),
        sa.Index("ix_applications_user_id_id", "user_id", "id"),
    )

    id: Mapped[pk]
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    kind: Mapped[ApplicantKind]
    state: Mapped[ApplicationState]
    name_zh: Mapped[str]
    name_en: Mapped[str]
    business_zh: Mapped[str]
    business_en: Mapped[str]
    food: Mapped[Food | None]
    legal_name: Mapped[str]  # as the register has it
    uscc: Mapped[str]
    person: Mapped[str] = mapped_column(Sealed("applications.person"))  # who answers for it
    declared_at: Mapped[datetime | None]  # when a farmer declared to need no licence
    point_ids: Mapped[list[Any]] = mapped_column(Document)
    changes: Mapped[int]  # counts what the applicant changed: what was looked at is what is decided
    created_at: Mapped[datetime]
    touched_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    reason: Mapped[str]  # why it was declined
    merchant_id: Mapped[int | None] = mapped_column(sa.ForeignKey("merchants.id"))


class ApplicationPaper(Base):
    """A paper of an application, known by its kind; what is on it lies in slices and may be gone while this row stays."""

    __tablename__ = "application_papers"
    __table_args__ = (sa.Index("ix_application_papers_application_id", "application_id", "id"),)

    id: Mapped[pk]
    application_id: Mapped[int] = mapped_column(sa.ForeignKey("applications.id"))
    kind: Mapped[PaperKind]
    content_type: Mapped[str]
    size: Mapped[int]
    valid_until: Mapped[date | None]  # its last day; none: without an end
    uploaded_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class PaperSlice(Base):
    """A piece of a paper, sealed. Papers are cut so that no value is long."""

    __tablename__ = "paper_slices"
    __table_args__ = (sa.UniqueConstraint("paper_id", "number"),)

    id: Mapped[pk]
    paper_id: Mapped[int] = mapped_column(sa.ForeignKey("application_papers.id"))
    number: Mapped[int]
    content: Mapped[str] = mapped_column(Sealed("paper_slices.content"))


class ApplicationMessage(Base):
    """A question of an operator, or an answer to it."""

    __tablename__ = "application_messages"
    __table_args__ = (sa.Index("ix_application_messages_application_id", "application_id", "id"),)

    id: Mapped[pk]
    application_id: Mapped[int] = mapped_column(sa.ForeignKey("applications.id"))
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    is_question: Mapped[bool]
    text: Mapped[str] = mapped_column(Sealed("application_messages.text"))
    paper: Mapped[PaperKind | None]  # which paper is wanted besides
    at: Mapped[datetime]


class Licence(Base):
    """What a shop may do, by which paper, and until when."""

    __tablename__ = "licences"
    __table_args__ = (
        sa.UniqueConstraint("merchant_id", "kind"),
        sa.Index("ix_licences_valid_until", "valid_until"),
    )

    id: Mapped[pk]
    merchant_id: Mapped[int] = mapped_column(sa.ForeignKey("merchants.id"))
    kind: Mapped[PaperKind]
    legal_name: Mapped[str]
    valid_until: Mapped[date | None]
    created_at: Mapped[datetime]


STANDS = "lifted_at IS NULL"


class Suspension(Base):
    """A time in which a shop takes no new orders. At most one stands of a shop; its listings are not touched by it."""

    __tablename__ = "suspensions"
    __table_args__ = (
        sa.CheckConstraint("(lifted_at IS NULL) = (lifted_by_id IS NULL)", name="lifted_by_somebody"),
        sa.Index("uq_suspensions_merchant_id", "merchant_id", unique=True, sqlite_where=sa.text(STANDS), postgresql_where=sa.text(STANDS)),
    )

    id: Mapped[pk]
    merchant_id: Mapped[int] = mapped_column(sa.ForeignKey("merchants.id"))
    reason: Mapped[str]
    suspended_by_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    suspended_at: Mapped[datetime]
    lifted_reason: Mapped[str]
    lifted_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    lifted_at: Mapped[datetime | None]
