"""Who sells: shops, market halls, co-operatives, wholesalers, service providers."""

from __future__ import annotations

from datetime import datetime, time
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from shop.kernel.columns import pk
from shop.kernel.db import Base
from shop.kernel.money import Money


class MerchantKind(StrEnum):
    SHOP = "shop"
    MALL = "mall"
    MARKET_HALL = "market_hall"
    CO_OP = "co_op"
    WHOLESALER = "wholesaler"
    SERVICE_PROVIDER = "service_provider"


class MerchantState(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"
    CLOSED = "closed"


class Merchant(Base):
    """A seller with its terms: commission, cut-off, arrival, minimum order and fee."""

    __tablename__ = "merchants"
    __table_args__ = (
        sa.CheckConstraint("commission_bps BETWEEN 0 AND 10000", name="commission_is_a_share"),
        sa.CheckConstraint("minimum_order >= 0 AND pickup_fee >= 0", name="terms_not_negative"),
        sa.CheckConstraint("lead_days >= 0", name="lead_days_not_negative"),
    )

    id: Mapped[pk]
    code: Mapped[str] = mapped_column(unique=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    kind: Mapped[MerchantKind]
    uscc: Mapped[str]
    business_zh: Mapped[str]
    business_en: Mapped[str]
    state: Mapped[MerchantState] = mapped_column(default=MerchantState.ACTIVE)
    commission_bps: Mapped[int]
    cut_off: Mapped[time]  # wall clock; orders up to then arrive `lead_days` later
    lead_days: Mapped[int] = mapped_column(default=1)
    arrival: Mapped[time]
    minimum_order: Mapped[Money]
    pickup_fee: Mapped[Money]
    logo: Mapped[str | None]
    created_at: Mapped[datetime]
