"""What is left."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.models.catalog import Variant
from shop.models.stock import StockItem


def available(session: Session, variant_ids: Iterable[int]) -> dict[int, int]:
    """What can be sold of each variant now; one without a stock row is not in the answer."""
    left = (StockItem.on_hand - StockItem.reserved).label("left")
    rows = session.execute(sa.select(StockItem.variant_id, left).where(StockItem.variant_id.in_(list(variant_ids))))
    return {row.variant_id: row.left for row in rows}


def shortages(session: Session, totals: dict[int, int]) -> list[dict[str, int | str]]:
    """`{variant_code, available}` of every variant of which less is left than wanted, by code."""
    left = available(session, totals)
    short = {variant_id: left.get(variant_id, 0) for variant_id, quantity in totals.items() if left.get(variant_id, 0) < quantity}
    codes = session.execute(sa.select(Variant.code, Variant.id).where(Variant.id.in_(short)).order_by(Variant.code))
    return [{"variant_code": code, "available": short[variant_id]} for code, variant_id in codes]
