"""The offer a person looks at before paying."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from shop.kernel.columns import Document, community_key, pk
from shop.kernel.db import Base
from shop.kernel.money import Money


class Quote(Base):
    """Exactly what will be charged if the person agrees in time. One quote becomes at most one purchase."""

    __tablename__ = "quotes"

    id: Mapped[pk]
    ref: Mapped[str] = mapped_column(unique=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    community_id: Mapped[community_key]
    pickup_point_id: Mapped[int] = mapped_column(sa.ForeignKey("pickup_points.id"))
    total: Mapped[Money]
    terms: Mapped[dict[str, Any]] = mapped_column(Document)  # lines and sub-orders as shown
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    is_direct: Mapped[bool] = mapped_column(default=False)  # bought straight from the goods' own page: the cart is left as it is
