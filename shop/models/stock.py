"""How much there is, why, and what is promised to whom. Counted in selling units of a variant."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from shop.kernel.columns import pk
from shop.kernel.db import Base


class StockItem(Base):
    """What is on hand and how much of it is reserved; `on_hand - reserved` can be sold."""

    __tablename__ = "stock_items"
    __table_args__ = (sa.CheckConstraint("reserved >= 0 AND reserved <= on_hand", name="reserved_within_on_hand"),)

    variant_id: Mapped[int] = mapped_column(sa.ForeignKey("variants.id"), primary_key=True)
    on_hand: Mapped[int] = mapped_column(default=0)
    reserved: Mapped[int] = mapped_column(default=0)


class MovementKind(StrEnum):
    RECEIVED = "received"
    SALE = "sale"
    OFFLINE_SALE = "offline_sale"
    CANCELLATION = "cancellation"
    CORRECTION = "correction"
    SPOILAGE = "spoilage"


class StockMovement(Base):
    """One change of what is on hand; never changed itself."""

    __tablename__ = "stock_movements"
    __table_args__ = (
        sa.CheckConstraint("quantity <> 0", name="quantity_not_zero"),
        sa.Index("ix_stock_movements_variant_id_at", "variant_id", "at"),
    )

    id: Mapped[pk]
    variant_id: Mapped[int] = mapped_column(sa.ForeignKey("variants.id"))
    quantity: Mapped[int]  # negative when goods leave
    kind: Mapped[MovementKind]
    cause: Mapped[str] = mapped_column(unique=True)  # one movement per cause, however often it is told
    order_line_id: Mapped[int | None] = mapped_column(sa.ForeignKey("order_lines.id"), index=True)
    actor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    at: Mapped[datetime]


class ReservationState(StrEnum):
    ACTIVE = "active"
    CONSUMED = "consumed"
    RELEASED = "released"


class Reservation(Base):
    """Units held for an order line until it is paid or given up."""

    __tablename__ = "reservations"
    __table_args__ = (
        sa.CheckConstraint("quantity > 0", name="quantity_positive"),
        sa.Index("ix_reservations_state_expires_at", "state", "expires_at"),
    )

    id: Mapped[pk]
    variant_id: Mapped[int] = mapped_column(sa.ForeignKey("variants.id"), index=True)
    order_line_id: Mapped[int] = mapped_column(sa.ForeignKey("order_lines.id"), unique=True)
    quantity: Mapped[int]
    state: Mapped[ReservationState] = mapped_column(default=ReservationState.ACTIVE)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
