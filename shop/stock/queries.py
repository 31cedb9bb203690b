"""What is left, and what is promised."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from shop.kernel.rows import all_as
from shop.models.catalog import Variant
from shop.models.orders import OrderLine, Purchase, SubOrder, SubOrderState
from shop.models.stock import BY_HAND, MovementKind, Reservation, ReservationState, StockItem, StockMovement

UNPACKED = (SubOrderState.PLACED, SubOrderState.ACCEPTED)
"""Sold, and still lying on the merchant's shelf."""

STILL_WANTED = OrderLine.quantity - OrderLine.short_quantity
"""Of a line, without what its shop could not find."""

MOST_NAMED = 200


def available(session: Session, variant_ids: Iterable[int]) -> dict[int, int]:
    """What can be sold of each variant now; one without a stock row is not in the answer."""
    left = StockItem.available.label("left")
    rows = session.execute(sa.select(StockItem.variant_id, left).where(StockItem.variant_id.in_(list(variant_ids))))
    return {row.variant_id: row.left for row in rows}


def shortages(session: Session, totals: dict[int, int]) -> list[dict[str, int | str]]:
    """`{variant_code, available}` of every variant of which less is left than wanted, by code."""
    left = available(session, totals)
    short = {variant_id: left.get(variant_id, 0) for variant_id, quantity in totals.items() if left.get(variant_id, 0) < quantity}
    codes = session.execute(sa.select(Variant.code, Variant.id).where(Variant.id.in_(short)).order_by(Variant.code))
    return [{"variant_code": code, "available": short[variant_id]} for code, variant_id in codes]


def _unpacked(merchant_ids: Sequence[int], variant_ids: Sequence[int]) -> tuple[Any, ...]:
    return (
        SubOrder.merchant_id.in_(merchant_ids), SubOrder.state.in_(UNPACKED), Purchase.paid_at.is_not(None),
        OrderLine.variant_id.in_(variant_ids),
    )  # fmt: skip


def waiting(session: Session, merchant_ids: Sequence[int], variant_ids: Sequence[int]) -> dict[int, int]:
    """What is paid and not packed of each of these merchants' variants; one of which nothing waits is not in the answer.

    Found by way of the merchants' unpacked orders, of which there are few.
    """
    if not variant_ids:
        return {}
    rows = session.execute(
        sa.select(OrderLine.variant_id, sa.func.sum(STILL_WANTED).label("waiting"))
        .join(SubOrder, SubOrder.id == OrderLine.sub_order_id)
        .join(Purchase, Purchase.id == SubOrder.purchase_id)
        .where(*_unpacked(merchant_ids, variant_ids))
        .group_by(OrderLine.variant_id)
    )
    return {row.variant_id: int(row.waiting) for row in rows}


@dataclass(frozen=True, slots=True)
class Promise:
    """So many units promised to one order."""

    number: str
    quantity: int
    is_paid: bool


def promises(session: Session, merchant_id: int, variant_id: int) -> list[Promise]:
    """What is promised of a variant, newest order first, at most `MOST_NAMED`: paid and not packed, or held for a payment."""
    held = sa.exists().where(Reservation.order_line_id == OrderLine.id, Reservation.state == ReservationState.ACTIVE)
    rows = session.execute(
        sa.select(SubOrder.number, STILL_WANTED.label("quantity"), Purchase.paid_at.is_not(None).label("is_paid"))
        .join(SubOrder, SubOrder.id == OrderLine.sub_order_id)
        .join(Purchase, Purchase.id == SubOrder.purchase_id)
        .where(
            SubOrder.merchant_id == merchant_id, SubOrder.state.in_(UNPACKED), OrderLine.variant_id == variant_id,
            sa.or_(Purchase.paid_at.is_not(None), held),
        )
        .order_by(OrderLine.id.desc())
        .limit(MOST_NAMED)
    )  # fmt: skip
    return all_as(Promise, rows)


def by_hand(variant_id: int) -> tuple[Any, ...]:
    """The movements of a variant that people wrote down; said as their index says it, or it would not be used."""
    return StockMovement.variant_id == variant_id, sa.text(BY_HAND)


def counted_since(session: Session, variant_id: int, movement_id: int) -> bool:
    """Whether a count that was not taken back was written down after a movement."""
    newest = last_count(session, variant_id)
    return newest is not None and newest > movement_id


def last_count(session: Session, variant_id: int) -> int | None:
    """The newest count of a variant that was not taken back."""
    undoing = aliased(StockMovement)
    newest = (
        sa.select(StockMovement.id)
        .where(
            *by_hand(variant_id), StockMovement.kind == MovementKind.CORRECTION,
            ~sa.exists().where(undoing.takes_back_id == StockMovement.id),
        )
        .order_by(StockMovement.id.desc())
        .limit(1)
    )  # fmt: skip
    return session.scalar(newest)
