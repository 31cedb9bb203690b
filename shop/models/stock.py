"""How much there is, why, and what is promised to whom. Counted in selling units of a variant."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column

from shop.kernel.columns import merchant_key, pk
from shop.kernel.db import Base

IS_LOW = "low_since IS NOT NULL"
"""Written out, so that the index below is seen to cover it. Selling writes neither of its columns, so it costs a purchase nothing."""


class StockItem(Base):
    """What is there and not sold, how much of it is held, and how much of what is promised was not found (docs/algorithms/stock.md)."""

    __tablename__ = "stock_items"
    __table_args__ = (
        sa.CheckConstraint("reserved >= 0 AND reserved <= on_hand", name="reserved_within_on_hand"),
        sa.CheckConstraint("missing >= 0", name="missing_not_negative"),
        sa.CheckConstraint("low_mark >= 0", name="low_mark_not_negative"),
        sa.Index("ix_stock_items_low", "variant_id", sqlite_where=sa.text(IS_LOW), postgresql_where=sa.text(IS_LOW)),
    )

    variant_id: Mapped[int] = mapped_column(sa.ForeignKey("variants.id"), primary_key=True)
    on_hand: Mapped[int] = mapped_column(default=0)  # not sold yet; what is sold and not packed lies there besides
    reserved: Mapped[int] = mapped_column(default=0)  # held for unpaid orders, part of `on_hand`
    missing: Mapped[int] = mapped_column(default=0, server_default="0")  # promised goods that a count did not find
    low_mark: Mapped[int | None]  # with so many free or fewer it runs low; none: as the shop says of all its goods
    low_since: Mapped[datetime | None]  # since when it runs low, as far as somebody looked; empty once there is more again

    @hybrid_property
    def available(self) -> int:
        """What can be sold; nothing while promised goods are missing."""
        return max(self.on_hand - self.reserved - self.missing, 0)

    @available.inplace.expression
    @classmethod
    def _available(cls) -> Any:
        left = cls.on_hand - cls.reserved - cls.missing
        return sa.case((left > 0, left), else_=0)


class MovementKind(StrEnum):
    RECEIVED = "received"
    SALE = "sale"
    OFFLINE_SALE = "offline_sale"
    CANCELLATION = "cancellation"
    CORRECTION = "correction"
    SPOILAGE = "spoilage"
    TAKEN_BACK = "taken_back"  # undoes a movement that was written down by mistake
    SHORT = "short"  # an order whose goods were missing was declined: it lacks them no more


BY_HAND = "kind IN ('received', 'offline_sale', 'correction', 'spoilage')"
"""What people write down themselves. Written out, so that the index below is seen to cover it."""

SPOILED = "kind = 'spoilage'"
"""What went bad, of a merchant by its time. Written out as above."""


class StockMovement(Base):
    """One thing that happened to what is there; never changed itself.

    `quantity` changes `on_hand`, `missing_by` changes `missing`. A count may change neither: that all was there is worth a row.
    """

    __tablename__ = "stock_movements"
    __table_args__ = (
        sa.CheckConstraint(
            "quantity <> 0 OR kind IN ('correction', 'taken_back', 'short', 'spoilage', 'offline_sale')", name="quantity_not_zero"
        ),
        sa.Index("ix_stock_movements_variant_id_id", "variant_id", "id"),
        sa.Index("ix_stock_movements_spoiled", "merchant_id", "at", sqlite_where=sa.text(SPOILED), postgresql_where=sa.text(SPOILED)),
        sa.Index("ix_stock_movements_by_hand", "variant_id", "id", sqlite_where=sa.text(BY_HAND), postgresql_where=sa.text(BY_HAND)),
    )

    id: Mapped[pk]
    merchant_id: Mapped[merchant_key]
    variant_id: Mapped[int] = mapped_column(sa.ForeignKey("variants.id"))
    quantity: Mapped[int]  # negative when goods leave
    missing_by: Mapped[int] = mapped_column(default=0, server_default="0")
    told: Mapped[int | None]  # the figure a person gave: units that came or went, or were counted
    kind: Mapped[MovementKind]
    cause: Mapped[str] = mapped_column(unique=True)  # one movement per cause, however often it is told
    order_line_id: Mapped[int | None] = mapped_column(sa.ForeignKey("order_lines.id"), index=True)
    takes_back_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stock_movements.id"), unique=True)
    actor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    at: Mapped[datetime]


class LossReason(StrEnum):
    """Why goods left the shelf without being sold."""

    SPOILED = "spoiled"
    BROKEN = "broken"
    PAST_DATE = "past_date"
    GIVEN_AWAY = "given_away"
    STOLEN = "stolen"
    OTHER = "other"


class StockLoss(Base):
    """Why a movement of kind `spoilage` was written down. Never changed: what was a mistake is taken back by a movement."""

    __tablename__ = "stock_losses"
    __table_args__ = (
        sa.CheckConstraint("reason NOT IN ('stolen', 'other') OR words <> ''", name="told_in_words"),
        sa.Index("ix_stock_losses_merchant_id_id", "merchant_id", "id"),
        sa.Index("ix_stock_losses_merchant_id_reason_id", "merchant_id", "reason", "id"),
        sa.Index("ix_stock_losses_merchant_id_at", "merchant_id", "at"),
    )

    id: Mapped[pk]
    merchant_id: Mapped[merchant_key]
    variant_id: Mapped[int] = mapped_column(sa.ForeignKey("variants.id"))
    movement_id: Mapped[int] = mapped_column(sa.ForeignKey("stock_movements.id"), unique=True)
    reason: Mapped[LossReason]
    words: Mapped[str] = mapped_column(default="", server_default="")
    at: Mapped[datetime]


class ShelfTerms(Base):
    """What a shop says of all its shelves: with so many free or fewer, goods run low. None: it is told of none but those it names."""

    __tablename__ = "shelf_terms"
    __table_args__ = (sa.CheckConstraint("low_mark >= 0", name="low_mark_not_negative"),)

    merchant_id: Mapped[int] = mapped_column(sa.ForeignKey("merchants.id"), primary_key=True, autoincrement=False)
    low_mark: Mapped[int | None]


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
    merchant_id: Mapped[merchant_key]
    variant_id: Mapped[int] = mapped_column(sa.ForeignKey("variants.id"), index=True)
    order_line_id: Mapped[int] = mapped_column(sa.ForeignKey("order_lines.id"), unique=True)
    quantity: Mapped[int]
    state: Mapped[ReservationState] = mapped_column(default=ReservationState.ACTIVE)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
