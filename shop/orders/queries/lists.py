"""A buyer's orders: lists and one order, each in a fixed number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel.errors import NotFound
from shop.kernel.rows import all_as, filler, one_as
from shop.models.catalog import Product, Variant
from shop.models.merchants import Merchant
from shop.models.orders import OrderLine, Purchase, PurchaseState, SubOrder, SubOrderState
from shop.models.payments import Payment, Refund
from shop.models.pickup import Cycle
from shop.orders.queries.facts import LineFacts, PurchaseFacts, SubOrderFacts
from shop.orders.rules import BEING_PREPARED
from shop.payments.queries import NOTHING_BACK, back_of_purchases

PAGE = 20


class Tab(StrEnum):
    """The lists people look for their orders in."""

    ALL = "all"
    TO_PAY = "to_pay"
    PREPARING = "preparing"
    READY = "ready"
    DONE = "done"
    REFUNDED = "refunded"


PURCHASE: tuple[Any, ...] = (
    Purchase.id, Purchase.number, Purchase.state, Purchase.method, Purchase.pickup_point_id, Purchase.goods_total, Purchase.fee_total,
    Purchase.discount_total, Purchase.total, Purchase.placed_at, Purchase.expires_at, Purchase.paid_at, Purchase.closed_at,
)
PARTS: Any = (
    sa.select(
        SubOrder.id, SubOrder.number, SubOrder.purchase_id, SubOrder.state, SubOrder.goods_total, SubOrder.fee_total,
        SubOrder.discount_total, SubOrder.total, SubOrder.refunded_total, SubOrder.placed_at, SubOrder.accepted_at, SubOrder.packed_at,
        SubOrder.in_transit_at, SubOrder.ready_at,
        SubOrder.collected_at, SubOrder.cancelled_at, SubOrder.ended_at, SubOrder.declined_at, SubOrder.declined_reason,
        Merchant.code.label("merchant_code"), Merchant.name_zh.label("merchant_name_zh"), Merchant.name_en.label("merchant_name_en"),
        Cycle.arrives_on, Cycle.arrives_at, Cycle.cut_off_at,
    )
    .join(Merchant, Merchant.id == SubOrder.merchant_id)
    .join(Cycle, Cycle.id == SubOrder.cycle_id)
    .order_by(SubOrder.id)
)
LINES: Any = (
    sa.select(
        OrderLine.id, OrderLine.sub_order_id, OrderLine.name_zh, OrderLine.name_en, OrderLine.unit_zh, OrderLine.unit_en, OrderLine.image,
        OrderLine.quantity, OrderLine.unit_price, OrderLine.priced_by, OrderLine.unit_grams, OrderLine.line_total,
        OrderLine.discount_total, OrderLine.final_grams,
        OrderLine.final_total, OrderLine.short_quantity, OrderLine.short_reason, Variant.code.label("variant_code"), Product.slug,
        Product.category_id,
    )
    .join(Variant, Variant.id == OrderLine.variant_id)
    .join(Product, Product.id == OrderLine.product_id)
    .join(SubOrder, SubOrder.id == OrderLine.sub_order_id)
    .order_by(OrderLine.id)
)


def list_mine(
    session: Session, user_id: int, tab: Tab = Tab.ALL, before: int | None = None, limit: int = PAGE
) -> tuple[list[PurchaseFacts], int | None]:
    """Newest first, at most `limit`, and where the next page starts (give it back as `before`). Four queries."""
    wanted = sa.select(*PURCHASE).where(Purchase.user_id == user_id, *_in_tab(tab))
    if before is not None:
        wanted = wanted.where(Purchase.id < before)
    rows = session.execute(wanted.order_by(Purchase.id.desc()).limit(limit + 1)).all()
    found = _with_parts(session, rows[:limit])
    return found, found[-1].id if len(rows) > limit else None


def _in_tab(tab: Tab) -> list[sa.ColumnElement[bool]]:
    def has(*states: SubOrderState) -> sa.ColumnElement[bool]:
        return sa.exists().where(SubOrder.purchase_id == Purchase.id, SubOrder.state.in_(states))

    if tab is Tab.TO_PAY:
        return [Purchase.state == PurchaseState.AWAITING_PAYMENT]
    if tab is Tab.PREPARING:
        return [Purchase.state == PurchaseState.PAID, has(*BEING_PREPARED)]
    if tab is Tab.READY:
        return [Purchase.state == PurchaseState.PAID, has(SubOrderState.READY)]
    if tab is Tab.DONE:
        return [Purchase.state == PurchaseState.COMPLETED]
    if tab is Tab.REFUNDED:
        return [sa.exists().where(Refund.payment_id == Payment.id, Payment.purchase_id == Purchase.id)]
    return []


def counts(session: Session, user_id: int) -> dict[Tab, int]:
    """How many orders stand in the lists of what is not over. One query."""
    open_tabs = (Tab.TO_PAY, Tab.PREPARING, Tab.READY)
    found = [sa.func.count().filter(*_in_tab(tab)).label(tab.value) for tab in open_tabs]
    live = (PurchaseState.AWAITING_PAYMENT, PurchaseState.PAID)
    row = session.execute(sa.select(*found).where(Purchase.user_id == user_id, Purchase.state.in_(live))).one()
    return dict(zip(open_tabs, row, strict=True))


def mine(session: Session, user_id: int, number: str) -> PurchaseFacts:
    """A person's purchase by its number. Raises `NotFound`, also when it is somebody else's. Four queries."""
    rows = session.execute(sa.select(*PURCHASE).where(Purchase.number == number, Purchase.user_id == user_id)).all()
    if not rows:
        raise NotFound()
    return _with_parts(session, rows)[0]


def of_number(session: Session, number: str) -> tuple[PurchaseFacts, int]:
    """Anybody's purchase, by its own number or that of one of its parts, and whose it is: for staff. Raises `NotFound`."""
    wanted = number if number.count("-") < 2 else number.rpartition("-")[0]
    rows = session.execute(sa.select(*PURCHASE, Purchase.user_id).where(Purchase.number == wanted)).all()
    if not rows:
        raise NotFound()
    return _with_parts(session, rows, ("user_id",))[0], rows[0].user_id


def _with_parts(session: Session, rows: Sequence[Any], leave_out: tuple[str, ...] = ()) -> list[PurchaseFacts]:
    ids = [row.id for row in rows]
    backs = back_of_purchases(session, ids) if ids else {}
    lines: dict[int, list[LineFacts]] = defaultdict(list)
    parts: dict[int, list[SubOrderFacts]] = defaultdict(list)
    if ids:
        for line in all_as(LineFacts, session.execute(LINES.where(SubOrder.purchase_id.in_(ids)))):
            lines[line.sub_order_id].append(line)
        found = session.execute(PARTS.where(SubOrder.purchase_id.in_(ids)))
        part_of = filler(SubOrderFacts, tuple(found.keys()), more=("lines", "back"))
        for row in found:
            back = backs[row.purchase_id].get(row.id, NOTHING_BACK)
            parts[row.purchase_id].append(part_of(row, lines=tuple(lines[row.id]), back=back))
    return [
        one_as(
            PurchaseFacts, row, leave_out=leave_out, sub_orders=tuple(parts[row.id]), late_back=backs[row.id].get(None, NOTHING_BACK)
        )
        for row in rows
    ]
