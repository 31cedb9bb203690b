"""What people like and want to find again."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from shop.kernel.columns import pk
from shop.kernel.db import Base

OPEN = "ended_at IS NULL"
AWAITED = "gone_at IS NOT NULL AND ended_at IS NULL"
"""Written out, so that the indexes below are seen to cover them."""


class Favourite(Base):
    """A product that somebody likes. One row per person and product: taken away and liked again, it is the same row.

    The row stays a while after it was taken away, so that what its reader was told can be accounted for.
    """

    __tablename__ = "favourites"
    __table_args__ = (
        sa.UniqueConstraint("user_id", "product_id"),
        sa.Index("ix_favourites_product_id", "product_id", sqlite_where=sa.text(OPEN), postgresql_where=sa.text(OPEN)),
        sa.Index("ix_favourites_awaited", "product_id", "id", sqlite_where=sa.text(AWAITED), postgresql_where=sa.text(AWAITED)),
    )

    id: Mapped[pk]
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id"))
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]  # since when it is no favourite any more
    gone_at: Mapped[datetime | None]  # since when it is seen to be sold out; empty again once its reader was told of its return
