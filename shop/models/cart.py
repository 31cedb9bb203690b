"""What somebody means to buy, signed in or not."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from shop.kernel.columns import pk
from shop.kernel.db import Base
from shop.kernel.money import Money

NOBODYS = sa.text("user_id IS NULL")


class Cart(Base):
    """One per person; or, before sign-in, one per browser, known by a secret in its cookie."""

    __tablename__ = "carts"
    __table_args__ = (
        sa.CheckConstraint("(user_id IS NULL) <> (token_hash IS NULL)", name="has_one_owner"),
        sa.Index("ix_carts_nobodys", "updated_at", sqlite_where=NOBODYS, postgresql_where=NOBODYS),
    )

    id: Mapped[pk]
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"), unique=True)
    token_hash: Mapped[str | None] = mapped_column(unique=True)
    updated_at: Mapped[datetime]


class CartLine(Base):
    """So many units of a variant, and the price that was seen when they were put in."""

    __tablename__ = "cart_lines"
    __table_args__ = (
        sa.UniqueConstraint("cart_id", "variant_id"),
        sa.CheckConstraint("quantity BETWEEN 1 AND 9999", name="quantity_in_range"),
    )

    id: Mapped[pk]
    cart_id: Mapped[int] = mapped_column(sa.ForeignKey("carts.id"))
    variant_id: Mapped[int] = mapped_column(sa.ForeignKey("variants.id"))
    quantity: Mapped[int]
    seen_price: Mapped[Money]
    added_at: Mapped[datetime]
    is_chosen: Mapped[bool] = mapped_column(default=True)  # ticked: only such lines are quoted and bought
    is_earlier: Mapped[bool] = mapped_column(default=False)  # lay in the person's cart when what a browser had gathered joined it
