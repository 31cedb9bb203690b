"""What was promised: a purchase, its sub-order per merchant and cycle, their lines with frozen names and prices."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from shop.kernel.columns import Document, community_key, moment_key, pk
from shop.kernel.db import Base
from shop.kernel.money import Money
from shop.models.catalog import PricedBy
from shop.models.promotions import Funder


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
        sa.Index("ix_purchases_paid_at", "paid_at"),
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


UNFINISHED_PARTS = sa.text("state IN ('placed', 'accepted', 'packed', 'in_transit', 'ready', 'collected')")
"""Of sub-orders: what a timer still has to look at. A query that says so in these very words goes through the index of them."""


SETTLED_AT = "COALESCE(collected_at, CASE WHEN state IN ('not_collected', 'returned') THEN ended_at END)"
"""When the money of a sub-order was its merchant's: collected, or not collected in time. Word for word in the index and in queries."""


class SubOrder(Base):
    """The part of a purchase that one merchant sends with one cycle."""

    __tablename__ = "sub_orders"
    __table_args__ = (
        sa.CheckConstraint("total = goods_total + fee_total - discount_total AND total >= 0", name="total_adds_up"),
        sa.CheckConstraint("refunded_total >= 0 AND refunded_total <= total", name="refunds_within_total"),
        sa.CheckConstraint("supported_total >= 0 AND supported_total <= discount_total", name="support_within_discount"),
        sa.Index("ix_sub_orders_merchant_id_state", "merchant_id", "state", "id"),
        sa.Index("ix_sub_orders_merchant_id_id", "merchant_id", "id"),
        sa.Index("ix_sub_orders_merchant_id_settled_at", "merchant_id", sa.text(SETTLED_AT), "id"),
        sa.Index("ix_sub_orders_user_id_state", "user_id", "state"),
        sa.Index("ix_sub_orders_cycle_id", "cycle_id"),
        sa.Index("ix_sub_orders_unfinished", "state", "cycle_id", postgresql_where=UNFINISHED_PARTS, sqlite_where=UNFINISHED_PARTS),
        sa.Index("ix_sub_orders_pickup_point_id_state", "pickup_point_id", "state"),
    )

    id: Mapped[pk]
    number: Mapped[str] = mapped_column(unique=True)
    purchase_id: Mapped[int] = mapped_column(sa.ForeignKey("purchases.id"), index=True)
    community_id: Mapped[community_key]
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
    supported_total: Mapped[Money] = mapped_column(server_default="0")  # of the discount, what the platform pays the merchant
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
    ended_at: Mapped[datetime | None]  # ended uncollected: short (from when this was kept on), not collected
    returned_at: Mapped[datetime | None]
    declined_at: Mapped[datetime | None]
    declined_reason: Mapped[str | None]  # in the shop's words, for the buyer to read


class OrderLine(Base):
    """So many units at a frozen price: `line_total` at list prices, `paid_total` after what offers took off.

    Priced by weight, `paid_total` is the most it can cost and `final_total` what was owed.

    Units that turned out not to be there are `short_quantity`; their share of the money went back when that was said.
    """

    __tablename__ = "order_lines"
    __table_args__ = (
        sa.CheckConstraint("quantity > 0 AND unit_price >= 0", name="quantity_and_price"),
        sa.CheckConstraint("line_total = quantity * unit_price", name="line_total_is_quantity_times_price"),
        sa.CheckConstraint("final_total IS NULL OR (final_total >= 0 AND final_total <= line_total)", name="final_within_ceiling"),
        sa.CheckConstraint("(final_total IS NULL) = (final_grams IS NULL)", name="weighed_whole"),
        sa.CheckConstraint("short_quantity >= 0 AND short_quantity <= quantity", name="short_within_quantity"),
        sa.CheckConstraint("discount_total >= 0 AND discount_total <= line_total", name="discount_within_line"),
    )

    id: Mapped[pk]
    sub_order_id: Mapped[int] = mapped_column(sa.ForeignKey("sub_orders.id"), index=True)
    community_id: Mapped[community_key]
    placed_at: Mapped[moment_key]  # of the purchase
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
    discount_total: Mapped[Money] = mapped_column(server_default="0")
    paid_total: Mapped[Money] = mapped_column(sa.Computed("line_total - discount_total"))  # the database's own sum: it cannot differ
    final_grams: Mapped[int | None]
    final_total: Mapped[Money | None]
    weighed_at: Mapped[datetime | None]
    weighed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    weighed_times: Mapped[int] = mapped_column(default=0, server_default="0")  # more than once: the weight was corrected
    short_quantity: Mapped[int] = mapped_column(default=0, server_default="0")
    short_at: Mapped[datetime | None]
    short_reason: Mapped[str | None]  # in the shop's words, for the buyer to read


class LineDiscount(Base):
    """What one offer took off a line, and who goes without it. Written with the line, in the order the offers were worked out; frozen."""

    __tablename__ = "line_discounts"
    __table_args__ = (
        sa.CheckConstraint("share > 0", name="share_positive"),
        sa.UniqueConstraint("line_id", "offer_id"),
        sa.Index("ix_line_discounts_offer_id_at", "offer_id", "at"),
    )

    id: Mapped[pk]
    line_id: Mapped[int] = mapped_column(sa.ForeignKey("order_lines.id"))
    offer_id: Mapped[int] = mapped_column(sa.ForeignKey("price_offers.id"))
    merchant_id: Mapped[int] = mapped_column(sa.ForeignKey("merchants.id"))  # whose goods it is off
    funder: Mapped[Funder]
    share: Mapped[Money]
    at: Mapped[datetime]


class SettledDay(Base):
    """What a merchant's orders that were settled on one business day came to, summed once the day is over.

    A row without `counted_at` is yet to be summed: the day is new, or one of its orders has changed since. What was `sold` is as old as
    the sum only where `sold_at` says the same moment: a sum may have been made by code that knew nothing of it.
    """

    __tablename__ = "settled_days"

    merchant_id: Mapped[int] = mapped_column(sa.ForeignKey("merchants.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    orders: Mapped[int] = mapped_column(default=0)
    gross: Mapped[Money]
    refunded: Mapped[Money]
    support: Mapped[Money] = mapped_column(server_default="0")  # what others gave for their discounts, as far as the goods were kept
    commission: Mapped[Money]  # of both, each rounded per order, half up, as it was then
    begins_at: Mapped[datetime]
    ends_at: Mapped[datetime]  # the first moment of the next day
    opened_at: Mapped[datetime]  # since when whoever changes one of its orders says so here
    counted_at: Mapped[datetime | None]
    sold: Mapped[dict[str, Any] | None] = mapped_column(Document)  # goods and hours (shop/orders/sold.py); names nobody
    sold_at: Mapped[datetime | None]
