"""What a shop lost: spoiled, broken, given away, stolen; what, how many, why and who wrote it down, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from shop.kernel import clock
from shop.kernel.rows import all_as
from shop.models.accounts import User
from shop.models.catalog import Product, Variant
from shop.models.stock import LossReason, StockLoss, StockMovement

SIZES = (50, 100, 200)
SUMMED = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Loss:
    """Some units of a size that left the shelf without being sold."""

    id: int
    at: datetime
    code: str
    name_zh: str
    name_en: str
    label_zh: str
    label_en: str
    quantity: int | None
    reason: LossReason
    words: str
    who: str | None
    movement_id: int
    is_taken_back: bool


undoing = aliased(StockMovement)
REASON = sa.func.coalesce(StockLoss.reason, StockLoss.reason)
"""Said so that what was lost lately is found first and then summed: along the index of reasons lies all that was ever lost."""

IS_TAKEN_BACK = sa.select(undoing.id).where(undoing.takes_back_id == StockLoss.movement_id).scalar_subquery().is_not(None)
"""A scalar, looked up by its key for each row: an EXISTS PostgreSQL answers from all that was ever taken back."""


def list_losses(
    session: Session, merchant_id: int, *, reason: LossReason | None = None, before: int | None = None, limit: int = SIZES[0]
) -> tuple[list[Loss], int | None]:
    """What a shop lost, newest first, and the id before which the next page begins. One statement."""
    found = (
        sa.select(
            StockLoss.id, StockLoss.at, Variant.code, Product.name_zh, Product.name_en, Variant.label_zh, Variant.label_en,
            StockMovement.told.label("quantity"), StockLoss.reason, StockLoss.words, User.display_name.label("who"), StockLoss.movement_id,
            IS_TAKEN_BACK.label("is_taken_back"),
        )
        .join(StockMovement, StockMovement.id == StockLoss.movement_id)
        .join(Variant, Variant.id == StockLoss.variant_id)
        .join(Product, Product.id == Variant.product_id)
        .outerjoin(User, User.id == StockMovement.actor_id)
        .where(StockLoss.merchant_id == merchant_id)
        .order_by(StockLoss.id.desc())
        .limit(limit + 1)
    )  # fmt: skip
    if reason is not None:
        found = found.where(StockLoss.reason == reason)
    if before is not None:
        found = found.where(StockLoss.id < before)
    rows = all_as(Loss, session.execute(found))
    return rows[:limit], rows[limit - 1].id if len(rows) > limit else None


def sums(session: Session, merchant_id: int) -> dict[LossReason, int]:
    """How many units a shop lost in the last `SUMMED`, by reason, without what was taken back; the most first."""
    units = sa.func.coalesce(sa.func.sum(StockMovement.told), 0)
    rows = session.execute(
        sa.select(REASON.label("reason"), units.label("units"))
        .join(StockMovement, StockMovement.id == StockLoss.movement_id)
        .where(StockLoss.merchant_id == merchant_id, StockLoss.at >= clock.now() - SUMMED, ~IS_TAKEN_BACK)
        .group_by(REASON)
        .order_by(units.desc(), REASON)
    )
    return {row.reason: int(row.units) for row in rows}
