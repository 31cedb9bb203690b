"""What was promised: a purchase, its sub-order per merchant and cycle, their lines with frozen names and prices."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from shop.kernel.columns import pk
from shop.kernel.db import Base
from shop.kernel.money import Money
from shop.models.catalog import PricedBy


class PurchaseState(StrEnum):
    AWAITING_PAYMENT = "awaiting_payment"
    PAID = "paid"
    COMPLETED = "completed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class PaymentMethod(StrEnum):
    WALLET = "wallet"
    STRIPE = "stripe"
    CASH = "cash"


class Channel(StrEnum):
    WEB = "web"
    API = "api"
    DESK = "desk"


class Purchase(Base):
    """What one person agreed to pay at once."""

    __tablename__ = "purchases"
    __table_args__ = (
        sa.CheckConstraint("total = goods_total + fee_total - discount_total AND total >= 0", name="total_adds_up"),
        sa.CheckConstraint("(state = 'awaiting_payment') = (paid_at IS NULL AND closed_at IS NULL)", name="state_matches_times"),
        sa.Index("ix_purchases_user_id_id", "user_id", "id"),
        sa.Index("ix_purchases_state_expires_at", "state", "expires_at"),
    )

    id: Mapped[pk]
    number: Mapped[str] = mapped_column(unique=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    pickup_point_id: Mapped[int] = mapped_column(sa.ForeignKey("pickup_points.id"))
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("communities.id"))
    quote_id: Mapped[int] = mapped_column(sa.ForeignKey("quotes.id"), unique=True)  # a double click is one purchase
    state: Mapped[PurchaseState] = mapped_column(default=PurchaseState.AWAITING_PAYMENT)
    method: Mapped[PaymentMethod]
    channel: Mapped[Channel]
    goods_total: Mapped[Money]
    fee_total: Mapped[Money]
    discount_total: Mapped[Money]
    total: Mapped[Money]
    placed_at: Mapped[datetime]
    expires_at: Mapped[datetime]  # unpaid until then, it closes
    paid_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]  # expired or cancelled
    completed_at: Mapped[datetime | None]


class SubOrderState(StrEnum):
    PLACED = "placed"
    ACCEPTED = "accepted"
    PACKED = "packed"
    IN_TRANSIT = "in_transit"
    READY = "ready"
    COLLECTED = "collected"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    SHORT = "short"
    NOT_COLLECTED = "not_collected"
    RETURNED = "returned"


class SubOrder(Base):
    """The part of a purchase that one merchant sends with one cycle."""

    __tablename__ = "sub_orders"
    __table_args__ = (
        sa.CheckConstraint("total = goods_total + fee_total - discount_total AND total >= 0", name="total_adds_up"),
        sa.CheckConstraint("refunded_total >= 0 AND refunded_total <= total", name="refunds_within_total"),
        sa.Index("ix_sub_orders_merchant_id_state", "merchant_id", "state", "id"),
        sa.Index("ix_sub_orders_cycle_id", "cycle_id"),
    )

    id: Mapped[pk]
    number: Mapped[str] = mapped_column(unique=True)
    purchase_id: Mapped[int] = mapped_column(sa.ForeignKey("purchases.id"), index=True)
    merchant_id: Mapped[int] = mapped_column(sa.ForeignKey("merchants.id"))
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    pickup_point_id: Mapped[int] = mapped_column(sa.ForeignKey("pickup_points.id"))
    cycle_id: Mapped[int] = mapped_column(sa.ForeignKey("cycles.id"))
    pass_id: Mapped[int | None] = mapped_column(sa.ForeignKey("passes.id"), index=True)
    state: Mapped[SubOrderState] = mapped_column(default=SubOrderState.PLACED)
    goods_total: Mapped[Money]
    fee_total: Mapped[Money]
    discount_total: Mapped[Money]
    total: Mapped[Money]
    refunded_total: Mapped[Money]
    commission_bps: Mapped[int]
    placed_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    packed_at: Mapped[datetime | None]
    in_transit_at: Mapped[datetime | None]
    ready_at: Mapped[datetime | None]
    collected_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]


class OrderLine(Base):
    """So many units at a frozen price. Priced by weight, `line_total` is the ceiling and `final_total` what was owed."""

    __tablename__ = "order_lines"
    __table_args__ = (
        sa.CheckConstraint("quantity > 0 AND unit_price >= 0", name="quantity_and_price"),
        sa.CheckConstraint("line_total = quantity * unit_price", name="line_total_is_quantity_times_price"),
        sa.CheckConstraint("final_total IS NULL OR (final_total >= 0 AND final_total <= line_total)", name="final_within_ceiling"),
        sa.CheckConstraint("(final_total IS NULL) = (final_grams IS NULL)", name="weighed_whole"),
    )

    id: Mapped[pk]
    sub_order_id: Mapped[int] = mapped_column(sa.ForeignKey("sub_orders.id"), index=True)
    variant_id: Mapped[int] = mapped_column(sa.ForeignKey("variants.id"))
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id"))
    name_zh: Mapped[str]
    name_en: Mapped[str]
    unit_zh: Mapped[str]
    unit_en: Mapped[str]
    image: Mapped[str]
    quantity: Mapped[int]
    unit_price: Mapped[Money]
    priced_by: Mapped[PricedBy]
    unit_grams: Mapped[int]
    line_total: Mapped[Money]
    final_grams: Mapped[int | None]
    final_total: Mapped[Money | None]
    weighed_at: Mapped[datetime | None]
    weighed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
