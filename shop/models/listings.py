"""What merchants work at before it can be seen: pictures that are being made, and goods that are still being typed."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from shop.kernel.columns import Document, merchant_key, pk
from shop.kernel.db import Base


class PictureState(StrEnum):
    WAITING = "waiting"
    MADE = "made"
    REFUSED = "refused"  # it could not be read; `refusal` says why


class PictureUpload(Base):
    """A photo that was sent, from the upload until a job has made pictures of it. Its bytes are kept no longer than that."""

    __tablename__ = "picture_uploads"
    __table_args__ = (
        sa.CheckConstraint("(state = 'waiting') = (content IS NOT NULL)", name="content_while_waiting"),
        sa.CheckConstraint("(state = 'refused') = (refusal IS NOT NULL)", name="refusal_when_refused"),
    )

    id: Mapped[pk]
    ref: Mapped[str] = mapped_column(unique=True)
    merchant_id: Mapped[merchant_key]
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id"), index=True)
    file_name: Mapped[str]
    state: Mapped[PictureState] = mapped_column(default=PictureState.WAITING)
    content: Mapped[bytes | None] = mapped_column(sa.LargeBinary, deferred=True)
    refusal: Mapped[str | None]
    created_by: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    created_at: Mapped[datetime]


class ListingDraft(Base):
    """New goods as far as somebody has typed them, word for word: half a price is kept as well. It goes when they are published."""

    __tablename__ = "listing_drafts"

    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id"), primary_key=True)
    typed: Mapped[Any] = mapped_column(Document)
    saved_at: Mapped[datetime]
