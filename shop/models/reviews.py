"""What people say of what they collected: reviews, what they said before, what was reported, and what it comes to for each product."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from shop.kernel.columns import merchant_key, moment_key, pk
from shop.kernel.db import Base


class ReviewState(StrEnum):
    SHOWN = "shown"
    TAKEN_BACK = "taken_back"  # by its writer
    HIDDEN = "hidden"  # by an operator, with a reason


class ReviewPart(StrEnum):
    """What of a review was said otherwise before."""

    REVIEW = "review"
    FOLLOW_UP = "follow_up"
    ANSWER = "answer"


class ReportKind(StrEnum):
    ABUSE = "abuse"
    ADVERT = "advert"
    PRIVACY = "privacy"
    UNTRUE = "untrue"
    OTHER = "other"


SHOWN = "state = 'shown'"
HIDDEN = "state = 'hidden'"
UNANSWERED = "state = 'shown' AND answer = ''"
OPEN = "decided_at IS NULL"
"""Written out, so that the indexes below are seen to cover them."""


class Review(Base):
    """What somebody says of one line of an order they collected, once, with a follow-up and the shop's answer.

    `number` rises with every change: whoever changes it has seen what it replaces.
    """

    __tablename__ = "reviews"
    __table_args__ = (
        sa.CheckConstraint("stars BETWEEN 1 AND 5", name="stars_one_to_five"),
        sa.CheckConstraint("state <> 'hidden' OR hidden_reason <> ''", name="hidden_with_a_reason"),
        sa.CheckConstraint("(follow_up = '') = (followed_up_at IS NULL)", name="follow_up_has_its_time"),
        sa.CheckConstraint("(answer = '') = (answered_at IS NULL)", name="answer_has_its_time"),
        sa.Index("ix_reviews_shown", "product_id", "id", sqlite_where=sa.text(SHOWN), postgresql_where=sa.text(SHOWN)),
        sa.Index("ix_reviews_unanswered", "merchant_id", "id", sqlite_where=sa.text(UNANSWERED), postgresql_where=sa.text(UNANSWERED)),
        sa.Index("ix_reviews_hidden", "id", sqlite_where=sa.text(HIDDEN), postgresql_where=sa.text(HIDDEN)),
        sa.Index("ix_reviews_merchant_id_id", "merchant_id", "id"),
        sa.Index("ix_reviews_user_id_id", "user_id", "id"),
    )

    id: Mapped[pk]
    line_id: Mapped[int] = mapped_column(sa.ForeignKey("order_lines.id"), unique=True)
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id"))
    merchant_id: Mapped[merchant_key]
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    state: Mapped[ReviewState]
    number: Mapped[int]
    stars: Mapped[int]
    text: Mapped[str]  # empty: stars alone
    is_anonymous: Mapped[bool]
    written_at: Mapped[moment_key]
    changed_at: Mapped[datetime | None]
    follow_up: Mapped[str] = mapped_column(default="", server_default="")
    followed_up_at: Mapped[datetime | None]
    answer: Mapped[str] = mapped_column(default="", server_default="")
    answered_at: Mapped[datetime | None]
    answered_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    answer_corrected_at: Mapped[datetime | None]
    hidden_reason: Mapped[str] = mapped_column(default="", server_default="")
    decided_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))  # who hid it, or showed it again
    decided_at: Mapped[datetime | None]


class ReviewVersion(Base):
    """What a part of a review said before it was changed or taken back: never changed, shown to operators only."""

    __tablename__ = "review_versions"
    __table_args__ = (sa.UniqueConstraint("review_id", "number"),)

    id: Mapped[pk]
    review_id: Mapped[int] = mapped_column(sa.ForeignKey("reviews.id"))
    merchant_id: Mapped[merchant_key]
    number: Mapped[int]  # of the review, when this stood there last
    part: Mapped[ReviewPart]
    stars: Mapped[int | None]  # of a review; follow-ups and answers have none
    text: Mapped[str]
    at: Mapped[moment_key]  # until when it stood there


class ReviewReport(Base):
    """Somebody says that a review should not stand there, once. Open until an operator decides about the review."""

    __tablename__ = "review_reports"
    __table_args__ = (
        sa.UniqueConstraint("review_id", "user_id"),
        sa.Index("ix_review_reports_open", "id", sqlite_where=sa.text(OPEN), postgresql_where=sa.text(OPEN)),
    )

    id: Mapped[pk]
    review_id: Mapped[int] = mapped_column(sa.ForeignKey("reviews.id"))
    merchant_id: Mapped[merchant_key]
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    kind: Mapped[ReportKind]
    words: Mapped[str]  # why, in words; may be empty
    reported_at: Mapped[moment_key]
    decided_at: Mapped[datetime | None]


class ProductRating(Base):
    """How many shown reviews a product has with each number of stars. Written by whatever changes a review, within the same step.

    `changes` rises whenever something of the product's reviews is seen otherwise: drawn pieces are kept by it.
    """

    __tablename__ = "product_ratings"
    __table_args__ = (sa.CheckConstraint("ones >= 0 AND twos >= 0 AND threes >= 0 AND fours >= 0 AND fives >= 0", name="counts"),)

    id: Mapped[pk]
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id"), unique=True)
    ones: Mapped[int] = mapped_column(default=0, server_default="0")
    twos: Mapped[int] = mapped_column(default=0, server_default="0")
    threes: Mapped[int] = mapped_column(default=0, server_default="0")
    fours: Mapped[int] = mapped_column(default=0, server_default="0")
    fives: Mapped[int] = mapped_column(default=0, server_default="0")
    changes: Mapped[int] = mapped_column(default=0, server_default="0")
