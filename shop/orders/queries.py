"""A buyer's orders: lists and one order, each in a fixed number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.cart.queries import NEXT_CYCLE
from shop.kernel import clock
from shop.kernel.errors import NotFound
from shop.kernel.money import ZERO, Money
from shop.models.catalog import PricedBy, Product, ProductState, Variant
from shop.models.merchants import Merchant, MerchantState
from shop.models.orders import OrderLine, PaymentMethod, Purchase, PurchaseState, SubOrder, SubOrderState
from shop.models.payments import Payment, PaymentState, Refund, RefundState
from shop.models.pickup import Cycle
from shop.models.stock import StockItem
from shop.orders import rules
from shop.orders.rules import BEING_PREPARED, Missing, Today

PAGE = 20


class Tab(StrEnum):
    """The lists people look for their orders in."""

    ALL = "all"
    TO_PAY = "to_pay"
    PREPARING = "preparing"
    READY = "ready"
    DONE = "done"
    REFUNDED = "refunded"


@dataclass(frozen=True, slots=True)
class LineFacts:
    """One line; by weight, `line_total` is the most it could cost and `final_total` what it did."""

    id: int
    sub_order_id: int
    name_zh: str
    name_en: str
    unit_zh: str
    unit_en: str
    image: str
    quantity: int
    unit_price: Money
    priced_by: PricedBy
    unit_grams: int
    line_total: Money
    final_grams: int | None
    final_total: Money | None
    variant_code: str
    slug: str
    category_id: int

    @property
    def is_by_weight(self) -> bool:
        return self.priced_by is PricedBy.WEIGHT

    @property
    def ordered_grams(self) -> int:
        """What was asked for, by weight."""
        return self.quantity * self.unit_grams

    @property
    def given_back(self) -> Money:
        """What weighing less gave back."""
        return self.line_total - self.final_total if self.final_total is not None else ZERO


@dataclass(frozen=True, slots=True)
class SubOrderFacts:
    """One merchant's part with its delivery and everything that happened to it."""

    id: int
    number: str
    purchase_id: int
    state: SubOrderState
    goods_total: Money
    fee_total: Money
    total: Money
    refunded_total: Money
    placed_at: datetime
    accepted_at: datetime | None
    packed_at: datetime | None
    in_transit_at: datetime | None
    ready_at: datetime | None
    collected_at: datetime | None
    cancelled_at: datetime | None
    merchant_code: str
    merchant_name_zh: str
    merchant_name_en: str
    arrives_on: date
    arrives_at: datetime
    cut_off_at: datetime
    lines: tuple[LineFacts, ...]


@dataclass(frozen=True, slots=True)
class PurchaseFacts:
    """A purchase as its buyer sees it."""

    id: int
    number: str
    state: PurchaseState
    method: PaymentMethod
    pickup_point_id: int
    goods_total: Money
    fee_total: Money
    total: Money
    placed_at: datetime
    expires_at: datetime
    paid_at: datetime | None
    closed_at: datetime | None
    sub_orders: tuple[SubOrderFacts, ...]

    @property
    def refunded_total(self) -> Money:
        return Money.total(part.refunded_total for part in self.sub_orders)

    def parts_in(self, *states: SubOrderState) -> list[SubOrderFacts]:
        """The merchants' parts that stand there."""
        return [part for part in self.sub_orders if part.state in states]

    @property
    def ready(self) -> list[SubOrderFacts]:
        return self.parts_in(SubOrderState.READY) if self.state is PurchaseState.PAID else []

    @property
    def on_the_way(self) -> list[SubOrderFacts]:
        """What is paid and being prepared or brought, the first to arrive first."""
        coming = self.parts_in(*BEING_PREPARED) if self.state is PurchaseState.PAID else []
        return sorted(coming, key=lambda part: part.arrives_at)

    @property
    def is_begun(self) -> bool:
        """A shop has accepted some of it."""
        return any(part.state is not SubOrderState.PLACED for part in self.on_the_way)

    @property
    def cancel_until(self) -> datetime:
        """When the first of its cut-offs passes."""
        return min(part.cut_off_at for part in self.sub_orders)

    def can_be_cancelled(self, moment: datetime) -> bool:
        """Nobody has begun to prepare any of it, and no cut-off has passed."""
        if self.state is PurchaseState.AWAITING_PAYMENT:
            return True
        live = [part for part in self.sub_orders if part.state is not SubOrderState.CANCELLED]
        return self.state is PurchaseState.PAID and bool(live) and all(part_can_be_cancelled(part, moment) for part in live)


def part_can_be_cancelled(part: SubOrderFacts, moment: datetime) -> bool:
    return part.state is SubOrderState.PLACED and moment < part.cut_off_at


@dataclass(frozen=True, slots=True)
class PaymentFacts:
    """The latest payment of a purchase."""

    id: int
    ref: str
    method: PaymentMethod
    state: PaymentState
    amount: Money


@dataclass(frozen=True, slots=True)
class RefundFacts:
    """Money on its way back."""

    sub_order_id: int | None
    amount: Money
    state: RefundState
    reason: str
    cause: str
    created_at: datetime


PURCHASE: tuple[Any, ...] = (
    Purchase.id, Purchase.number, Purchase.state, Purchase.method, Purchase.pickup_point_id, Purchase.goods_total, Purchase.fee_total,
    Purchase.total, Purchase.placed_at, Purchase.expires_at, Purchase.paid_at, Purchase.closed_at,
)
PARTS: Any = (
    sa.select(
        SubOrder.id, SubOrder.number, SubOrder.purchase_id, SubOrder.state, SubOrder.goods_total, SubOrder.fee_total, SubOrder.total,
        SubOrder.refunded_total, SubOrder.placed_at, SubOrder.accepted_at, SubOrder.packed_at, SubOrder.in_transit_at, SubOrder.ready_at,
        SubOrder.collected_at, SubOrder.cancelled_at, Merchant.code, Merchant.name_zh, Merchant.name_en,
        Cycle.arrives_on, Cycle.arrives_at, Cycle.cut_off_at,
    )
    .join(Merchant, Merchant.id == SubOrder.merchant_id)
    .join(Cycle, Cycle.id == SubOrder.cycle_id)
    .order_by(SubOrder.id)
)
LINES: Any = (
    sa.select(
        OrderLine.id, OrderLine.sub_order_id, OrderLine.name_zh, OrderLine.name_en, OrderLine.unit_zh, OrderLine.unit_en, OrderLine.image,
        OrderLine.quantity, OrderLine.unit_price, OrderLine.priced_by, OrderLine.unit_grams, OrderLine.line_total, OrderLine.final_grams,
        OrderLine.final_total, Variant.code, Product.slug, Product.category_id,
    )
    .join(Variant, Variant.id == OrderLine.variant_id)
    .join(Product, Product.id == OrderLine.product_id)
    .join(SubOrder, SubOrder.id == OrderLine.sub_order_id)
    .order_by(OrderLine.id)
)


def list_mine(
    session: Session, user_id: int, tab: Tab = Tab.ALL, before: int | None = None, limit: int = PAGE
) -> tuple[list[PurchaseFacts], int | None]:
    """Newest first, at most `limit`, and where the next page starts (give it back as `before`). Three queries."""
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
        return [sa.exists().where(SubOrder.purchase_id == Purchase.id, SubOrder.refunded_total > ZERO)]
    return []


def counts(session: Session, user_id: int) -> dict[Tab, int]:
    """How many orders stand in the lists of what is not over. One query."""
    open_tabs = (Tab.TO_PAY, Tab.PREPARING, Tab.READY)
    found = [sa.func.count().filter(*_in_tab(tab)).label(tab.value) for tab in open_tabs]
    live = (PurchaseState.AWAITING_PAYMENT, PurchaseState.PAID)
    row = session.execute(sa.select(*found).where(Purchase.user_id == user_id, Purchase.state.in_(live))).one()
    return dict(zip(open_tabs, row, strict=True))


def mine(session: Session, user_id: int, number: str) -> PurchaseFacts:
    """A person's purchase by its number. Raises `NotFound`, also when it is somebody else's. Three queries."""
    rows = session.execute(sa.select(*PURCHASE).where(Purchase.number == number, Purchase.user_id == user_id)).all()
    if not rows:
        raise NotFound()
    return _with_parts(session, rows)[0]


def _with_parts(session: Session, rows: Sequence[Any]) -> list[PurchaseFacts]:
    ids = [row.id for row in rows]
    lines: dict[int, list[LineFacts]] = defaultdict(list)
    parts: dict[int, list[SubOrderFacts]] = defaultdict(list)
    if ids:
        for row in session.execute(LINES.where(SubOrder.purchase_id.in_(ids))):
            line = LineFacts(*row)
            lines[line.sub_order_id].append(line)
        for row in session.execute(PARTS.where(SubOrder.purchase_id.in_(ids))):
            parts[row.purchase_id].append(SubOrderFacts(*[*row, tuple(lines[row.id])]))
    return [PurchaseFacts(*[*row, tuple(parts[row.id])]) for row in rows]


def latest_payment(session: Session, purchase_id: int) -> PaymentFacts | None:
    """The newest attempt to pay a purchase."""
    columns = (Payment.id, Payment.ref, Payment.method, Payment.state, Payment.amount)
    row = session.execute(sa.select(*columns).where(Payment.purchase_id == purchase_id).order_by(Payment.id.desc()).limit(1)).one_or_none()
    return PaymentFacts(*row) if row else None


def refunds(session: Session, purchase_id: int) -> list[RefundFacts]:
    """What went or goes back of a purchase, oldest first."""
    rows = session.execute(
        sa.select(Refund.sub_order_id, Refund.amount, Refund.state, Refund.reason, Refund.cause, Refund.created_at)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Payment.purchase_id == purchase_id)
        .order_by(Refund.id)
    )
    return [RefundFacts(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Again:
    """One line of an earlier order as it can be had today: `quantity` of it, or none for the reason `missing`."""

    line: LineFacts
    quantity: int
    missing: Missing | None
    price: Money

    @property
    def price_change(self) -> Money:
        """How much dearer one unit has become since; negative when cheaper."""
        return self.price - self.line.unit_price if self.missing is None else ZERO

    @property
    def is_fewer(self) -> bool:
        return self.missing is None and self.quantity < self.line.quantity

    @property
    def is_as_before(self) -> bool:
        """Nothing needs to be said: as many, at the same price."""
        return self.missing is None and not self.is_fewer and not self.price_change


def again(session: Session, order: PurchaseFacts, point_id: int | None) -> list[Again]:
    """What of an earlier order can be had today at a point, in its old order. One query; without a point nothing is delivered."""
    lines = [line for part in order.sub_orders for line in part.lines]
    known = _today(session, [line.variant_code for line in lines], point_id)
    found = []
    for line in lines:
        today = known.get(line.variant_code)
        missing = rules.why_missing(today, clock.today())
        quantity = rules.quantity_today(today, line.quantity) if today is not None and missing is None else 0
        found.append(Again(line, quantity, missing, today.price if today is not None else line.unit_price))
    return found


def _today(session: Session, codes: Sequence[str], point_id: int | None) -> dict[str, Today]:
    on_sale = sa.and_(Variant.is_on_sale, Product.state == ProductState.ON_SALE, Merchant.state == MerchantState.ACTIVE)
    rows = session.execute(
        sa.select(
            Variant.code, Variant.price, on_sale.label("is_on_sale"), Product.season_months,
            sa.func.coalesce(StockItem.on_hand - StockItem.reserved, 0).label("left"), Variant.minimum_quantity, Variant.multiple,
            NEXT_CYCLE.is_not(None).label("is_delivered"),
        )
        .join(Product, Product.id == Variant.product_id)
        .join(Merchant, Merchant.id == Product.merchant_id)
        .outerjoin(StockItem, StockItem.variant_id == Variant.id)
        .where(Variant.code.in_(codes)),
        {"point_id": point_id, "moment": clock.now()},
    )
    return {row.code: Today(*row[1:]) for row in rows}
