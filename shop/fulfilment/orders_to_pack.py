"""Orders as the merchant who packs them sees them. Other merchants' orders are not there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.fulfilment.rules import PAID
from shop.kernel.errors import NotFound
from shop.kernel.money import Money
from shop.models.accounts import User
from shop.models.catalog import PricedBy, Product
from shop.models.orders import OrderLine, Purchase, SubOrder, SubOrderState
from shop.models.pickup import Cycle, PickupPoint
from shop.orders.rules import release_split

PAGE = 30
SIZES = (30, 60, 100)


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One sub-order in a list."""

    id: int
    number: str
    merchant_id: int
    state: SubOrderState
    placed_at: datetime
    buyer_name: str
    buyer_phone: str
    cycle_id: int
    arrives_on: date
    point_slug: str
    point_name_zh: str
    point_name_en: str
    total: Money
    refunded_total: Money
    commission_bps: int
    collected_at: datetime | None

    @property
    def kept(self) -> Money:
        """What the buyer pays in the end."""
        return self.total - self.refunded_total

    @property
    def net(self) -> Money:
        """What the merchant is owed for it once it is collected."""
        return release_split(self.total, self.refunded_total, self.commission_bps)[0]


@dataclass(frozen=True, slots=True)
class LineToPack:
    """A line of a sub-order; priced by weight, `line_total` is its ceiling."""

    id: int
    name_zh: str
    name_en: str
    unit_zh: str
    unit_en: str
    image: str
    category_id: int
    quantity: int
    unit_price: Money
    priced_by: PricedBy
    unit_grams: int
    line_total: Money
    final_grams: int | None
    final_total: Money | None

    @property
    def is_by_weight(self) -> bool:
        return self.priced_by is PricedBy.WEIGHT

    @property
    def nominal_grams(self) -> int:
        """What it should weigh."""
        return self.unit_grams * self.quantity

    @property
    def needs_weight(self) -> bool:
        return self.is_by_weight and self.final_grams is None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Filters of the list, as they stand in the address."""

    states: tuple[SubOrderState, ...] = ()
    cycle_id: int | None = None
    point_slug: str = ""
    number: str = ""  # a part of the order number, or the last four figures of the buyer's phone
    sort: str = "-placed"
    after: int | None = None
    limit: int = PAGE


ROW: tuple[Any, ...] = (
    SubOrder.id, SubOrder.number, SubOrder.merchant_id, SubOrder.state, SubOrder.placed_at, User.display_name, User.phone,
    SubOrder.cycle_id, Cycle.arrives_on, PickupPoint.slug, PickupPoint.name_zh, PickupPoint.name_en, SubOrder.total,
    SubOrder.refunded_total, SubOrder.commission_bps, SubOrder.collected_at,
)  # fmt: skip


def _rows(merchant_ids: Sequence[int]) -> sa.Select[Any]:
    return (
        sa.select(*ROW)
        .join(User, User.id == SubOrder.user_id)
        .join(Cycle, Cycle.id == SubOrder.cycle_id)
        .join(PickupPoint, PickupPoint.id == SubOrder.pickup_point_id)
        .join(Purchase, Purchase.id == SubOrder.purchase_id)
        .where(SubOrder.merchant_id.in_(merchant_ids), sa.or_(Purchase.state.in_(PAID), Purchase.paid_at.is_not(None)))
    )


SORTS: dict[str, Any] = {
    "placed": SubOrder.id, "number": SubOrder.number, "arrives": Cycle.arrives_at, "point": PickupPoint.slug,
    "sum": SubOrder.total - SubOrder.refunded_total,
}  # fmt: skip
"""By what a list of orders can be sorted; equal ones by when they were placed."""


def _in_order(found: sa.Select[Any], sort: str, after: int | None) -> sa.Select[Any]:
    """Sorted, from the row after the one with that id. Where it stands is looked up, so that a place is one number in the address."""
    column, downwards = SORTS.get(sort.removeprefix("-"), SubOrder.id), sort.startswith("-")
    if after is not None:
        place = (
            sa.select(column)
            .select_from(SubOrder)
            .join(Cycle, Cycle.id == SubOrder.cycle_id)
            .join(PickupPoint, PickupPoint.id == SubOrder.pickup_point_id)
            .where(SubOrder.id == after)
            .correlate(None)
            .scalar_subquery()
        )
        beyond = column < place if downwards else column > place
        found = found.where(sa.or_(beyond, sa.and_(column == place, SubOrder.id < after if downwards else SubOrder.id > after)))
    return found.order_by(column.desc(), SubOrder.id.desc()) if downwards else found.order_by(column, SubOrder.id)


def list_orders(session: Session, merchant_ids: Sequence[int], wanted: Wanted) -> tuple[list[OrderRow], int | None]:
    """Paid orders as they are wanted, the newest first unless said otherwise, and where the next page begins."""
    found = _rows(merchant_ids)
    if wanted.states:
        found = found.where(SubOrder.state.in_(wanted.states))
    if wanted.cycle_id is not None:
        found = found.where(SubOrder.cycle_id == wanted.cycle_id)
    if wanted.point_slug:
        found = found.where(PickupPoint.slug == wanted.point_slug)
    if wanted.number:
        named = SubOrder.number.contains(wanted.number.upper(), autoescape=True)
        is_tail = len(wanted.number) == 4 and wanted.number.isascii() and wanted.number.isdigit()
        found = found.where(sa.or_(named, User.phone.endswith(wanted.number)) if is_tail else named)
    found = _in_order(found, wanted.sort, wanted.after)
    rows = [OrderRow(*row) for row in session.execute(found.limit(wanted.limit + 1))]
    more = len(rows) > wanted.limit
    return rows[: wanted.limit], rows[wanted.limit - 1].id if more else None


def get_order(session: Session, merchant_ids: Sequence[int], number: str) -> OrderRow:
    """One paid order of one of these merchants. Raises `NotFound` for all others."""
    row = session.execute(_rows(merchant_ids).where(SubOrder.number == number)).one_or_none()
    if row is None:
        raise NotFound()
    return OrderRow(*row)


def orders_named(session: Session, merchant_ids: Sequence[int], numbers: Sequence[str]) -> list[OrderRow]:
    """The paid orders of these numbers that are these merchants', by number. Others are left out."""
    found = _rows(merchant_ids).where(SubOrder.number.in_(list(numbers))).order_by(SubOrder.number)
    return [OrderRow(*row) for row in session.execute(found)]


def orders_of_cycle(session: Session, merchant_ids: Sequence[int], cycle_id: int) -> list[OrderRow]:
    """All orders of a delivery that are or were to be packed, by number."""
    gone = (SubOrderState.CANCELLED, SubOrderState.SHORT)
    found = _rows(merchant_ids).where(SubOrder.cycle_id == cycle_id, SubOrder.state.not_in(gone)).order_by(SubOrder.number)
    return [OrderRow(*row) for row in session.execute(found)]


def lines_of(session: Session, sub_order_ids: Sequence[int]) -> dict[int, list[LineToPack]]:
    """The lines of sub-orders, in one query."""
    columns: tuple[Any, ...] = tuple(
        getattr(Product if name == "category_id" else OrderLine, name) for name in LineToPack.__slots__
    )  # fmt: skip
    rows = session.execute(
        sa.select(OrderLine.sub_order_id, *columns)
        .join(Product, Product.id == OrderLine.product_id)
        .where(OrderLine.sub_order_id.in_(list(sub_order_ids)))
        .order_by(OrderLine.id)
    )
    found: dict[int, list[LineToPack]] = {sub_order_id: [] for sub_order_id in sub_order_ids}
    for row in rows:
        found[row.sub_order_id].append(LineToPack(*row[1:]))
    return found


@dataclass(frozen=True, slots=True)
class Pick:
    """How much of one thing a whole delivery needs."""

    variant_id: int
    name_zh: str
    name_en: str
    unit_zh: str
    unit_en: str
    priced_by: PricedBy
    quantity: int
    grams: int
    orders: int


def pick_list(session: Session, merchant_ids: Sequence[int], cycle_id: int) -> list[Pick]:
    """What must be fetched for a delivery, per variant, of the orders that are not packed yet."""
    grouped = (OrderLine.variant_id, OrderLine.name_zh, OrderLine.name_en, OrderLine.unit_zh, OrderLine.unit_en, OrderLine.priced_by)
    rows = session.execute(
        sa.select(
            *grouped, sa.func.sum(OrderLine.quantity), sa.func.sum(OrderLine.quantity * OrderLine.unit_grams),
            sa.func.count(sa.distinct(OrderLine.sub_order_id)),
        )
        .join(SubOrder, SubOrder.id == OrderLine.sub_order_id)
        .join(Purchase, Purchase.id == SubOrder.purchase_id)
        .where(SubOrder.merchant_id.in_(merchant_ids), SubOrder.cycle_id == cycle_id, Purchase.state.in_(PAID))
        .where(SubOrder.state.in_((SubOrderState.PLACED, SubOrderState.ACCEPTED)))
        .group_by(*grouped)
        .order_by(OrderLine.name_zh)
    )  # fmt: skip
    return [Pick(*row[:6], int(row[6]), int(row[7]), row[8]) for row in rows]


@dataclass(frozen=True, slots=True)
class Owed:
    """What stands on a merchant's account beside the ledger: still on the way to being theirs."""

    in_escrow: Money
    orders_in_escrow: int


def in_escrow(session: Session, merchant_id: int) -> Owed:
    """Paid by buyers, not collected yet; before commission."""
    open_states = (SubOrderState.PLACED, SubOrderState.ACCEPTED, SubOrderState.PACKED, SubOrderState.IN_TRANSIT, SubOrderState.READY)
    row = session.execute(
        sa.select(sa.func.sum(SubOrder.total), sa.func.sum(SubOrder.refunded_total), sa.func.count())
        .join(Purchase, Purchase.id == SubOrder.purchase_id)
        .where(SubOrder.merchant_id == merchant_id, SubOrder.state.in_(open_states), Purchase.state.in_(PAID))
    ).one()
    total, refunded = row[0] or Money(0), row[1] or Money(0)
    return Owed(total - refunded, row[2])


@dataclass(frozen=True, slots=True)
class Earned:
    """What the collected orders of a span brought, each figure summed over orders, so that it is what the ledger moved."""

    orders: int
    gross: Money
    refunded: Money
    commission: Money

    @property
    def kept(self) -> Money:
        """What the buyers paid in the end."""
        return self.gross - self.refunded

    @property
    def net(self) -> Money:
        """What the merchant is owed for them."""
        return self.kept - self.commission


def _collected(since: datetime | None, until: datetime | None) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = [SubOrder.collected_at.is_not(None)]
    if since is not None:
        conditions.append(SubOrder.collected_at >= since)
    if until is not None:
        conditions.append(SubOrder.collected_at < until)
    return conditions


def earned(session: Session, merchant_id: int, since: datetime | None = None, until: datetime | None = None) -> Earned:
    """The collected orders of a span, added up. Commission is rounded per order, half up, as it was when each was collected."""
    kept = sa.type_coerce(SubOrder.total - SubOrder.refunded_total, sa.BigInteger)
    commission = (kept * SubOrder.commission_bps + 5_000) // 10_000
    total, refunded = (sa.type_coerce(column, sa.BigInteger) for column in (SubOrder.total, SubOrder.refunded_total))
    row = session.execute(
        sa.select(sa.func.count(), sa.func.sum(total), sa.func.sum(refunded), sa.func.sum(commission)).where(
            SubOrder.merchant_id == merchant_id, *_collected(since, until)
        )
    ).one()
    return Earned(row[0], *(Money(int(value or 0)) for value in row[1:]))


def collected_orders(
    session: Session, merchant_id: int, before: int | None = None, limit: int = PAGE, since: datetime | None = None,
    until: datetime | None = None,
) -> tuple[list[OrderRow], int | None]:  # fmt: skip
    """The statement: collected orders of a span with what they brought, the newest first."""
    found = _rows([merchant_id]).where(*_collected(since, until))
    if before is not None:
        place = sa.select(SubOrder.collected_at).where(SubOrder.id == before).scalar_subquery()
        found = found.where(sa.or_(SubOrder.collected_at < place, sa.and_(SubOrder.collected_at == place, SubOrder.id < before)))
    rows = [OrderRow(*row) for row in session.execute(found.order_by(SubOrder.collected_at.desc(), SubOrder.id.desc()).limit(limit + 1))]
    return rows[:limit], rows[limit - 1].id if len(rows) > limit else None
