"""What makes goods cheaper than their list price: offers, with who pays for them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from shop.kernel.columns import pk
from shop.kernel.db import Base
from shop.kernel.money import Money


class OfferKind(StrEnum):
    LADDER = "ladder"  # so many units of one thing, and each costs less
    THRESHOLD = "threshold"  # goods worth so much, and all of them together cost less


class Funder(StrEnum):
    """Who goes without the money that the buyer does not pay."""

    MERCHANT = "merchant"
    PLATFORM = "platform"


class PriceOffer(Base):
    """A lower price within a time. A ladder or a threshold of several steps is one row for each step.

    `at_least` are units of a ladder and fen of a threshold; `off` comes off every unit of a ladder, and once off a threshold's goods.
    What orders got of it stands with their lines: an offer that was ended or changed changes no order.
    """

    __tablename__ = "price_offers"
    __table_args__ = (
        sa.CheckConstraint("at_least > 0 AND off > 0", name="amounts_positive"),
        sa.CheckConstraint("ends_at > starts_at", name="ends_after_it_starts"),
        sa.CheckConstraint("(kind = 'ladder') = (variant_id IS NOT NULL)", name="ladders_are_of_one_thing"),
        sa.CheckConstraint("kind <> 'threshold' OR off < at_least", name="something_is_left_to_pay"),
        sa.CheckConstraint("(funder = 'platform' AND kind = 'threshold') OR merchant_id IS NOT NULL", name="merchants_pay_for_their_own"),
        sa.Index("ix_price_offers_ends_at", "ends_at"),
    )

    id: Mapped[pk]
    code: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[OfferKind]
    funder: Mapped[Funder]
    merchant_id: Mapped[int | None] = mapped_column(sa.ForeignKey("merchants.id"), index=True)  # none: goods of all merchants
    community_id: Mapped[int | None] = mapped_column(sa.ForeignKey("communities.id"))  # none: everywhere
    variant_id: Mapped[int | None] = mapped_column(sa.ForeignKey("variants.id"))
    at_least: Mapped[int]
    off: Mapped[Money]
    name_zh: Mapped[str]
    name_en: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
