"""Orders as the merchant who packs them sees them. Other merchants' orders are not there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.accounts.queries import phone_ends_in
from shop.fulfilment.queries import orders_named as named_on_a_label
from shop.fulfilment.rules import PAID
from shop.kernel.errors import NotFound
from shop.kernel.money import Money
from shop.kernel.rows import all_as, filler, one_as
from shop.models.accounts import TAIL, User
from shop.models.catalog import PricedBy, Product
from shop.models.orders import OrderLine, Purchase, SubOrder, SubOrderState
from shop.models.pickup import Cycle, PickupPoint
from shop.orders.rules import ceiling, release_split, support_split
from shop.orders.settled_days import SETTLED_AT

PAGE = 30
SIZES = (30, 60, 100)

MOST_PARTS = 100  # of one order: a cart holds so many kinds


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
    cut_off_at: datetime
    closed_at: datetime | None
    point_slug: str
    point_name_zh: str
    point_name_en: str
    fee_total: Money
    total: Money
    supported_total: Money
    refunded_total: Money
    commission_bps: int
    settled_at: datetime | None  # when its money was the merchant's: collected, or not collected in time

    def is_open_at(self, moment: datetime) -> bool:
        """Whether its delivery could still be ordered then."""
        return self.closed_at is None and moment < self.cut_off_at

    @property
    def kept(self) -> Money:
        """What the buyer pays in the end."""
        return self.total - self.refunded_total

    @property
    def net(self) -> Money:
        """What the merchant is owed for it once it is collected."""
        return release_split(self.total, self.refunded_total, self.commission_bps)[0] + self._supported[0]

    @property
    def support(self) -> Money:
        """What the platform adds for its part of a discount, before commission."""
        return Money.total(self._supported)

    @property
    def commission(self) -> Money:
        return self.kept + self.support - self.net

    @property
    def _supported(self) -> tuple[Money, Money]:
        return support_split(self.supported_total, self.total - self.fee_total, self.refunded_total, self.commission_bps)


@dataclass(frozen=True, slots=True)
class LineToPack:
    """A line of a sub-order; priced by weight, `ceiling` is the most it can cost. `weighed_by` is the name of who weighed it."""

    id: int
    variant_id: int
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
    discount_total: Money
    final_grams: int | None
    final_total: Money | None
    weighed_at: datetime | None
    weighed_times: int
    short_quantity: int
    short_reason: str | None
    weighed_by: str | None

    @property
    def is_by_weight(self) -> bool:
        return self.priced_by is PricedBy.WEIGHT

    @property
    def there(self) -> int:
        """How many units are to be packed: what was ordered, but for what is missing."""
        return self.quantity - self.short_quantity

    @property
    def ceiling(self) -> Money:
        """The most it can cost."""
        return ceiling(self)

    @property
    def nominal_grams(self) -> int:
        """What it should weigh."""
        return self.unit_grams * self.there

    @property
    def needs_weight(self) -> bool:
        return self.is_by_weight and self.final_grams is None and self.there > 0


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


WAS_PAID = sa.or_(Purchase.state.in_(PAID), Purchase.paid_at.is_not(None))

ROW: tuple[Any, ...] = (
    SubOrder.id, SubOrder.number, SubOrder.merchant_id, SubOrder.state, SubOrder.placed_at,
    User.display_name.label("buyer_name"), User.phone.label("buyer_phone"), SubOrder.cycle_id, Cycle.arrives_on, Cycle.cut_off_at,
    Cycle.closed_at, PickupPoint.slug.label("point_slug"), PickupPoint.name_zh.label("point_name_zh"),
    PickupPoint.name_en.label("point_name_en"), SubOrder.fee_total, SubOrder.total, SubOrder.supported_total,
    SubOrder.refunded_total, SubOrder.commission_bps, SETTLED_AT.label("settled_at"),
)  # fmt: skip


def rows_of(merchant_ids: Sequence[int]) -> sa.Select[Any]:
    return (
        sa.select(*ROW)
        .join(User, User.id == SubOrder.user_id)
        .join(Cycle, Cycle.id == SubOrder.cycle_id)
        .join(PickupPoint, PickupPoint.id == SubOrder.pickup_point_id)
        .join(Purchase, Purchase.id == SubOrder.purchase_id)
        .where(SubOrder.merchant_id.in_(merchant_ids), WAS_PAID)
    )


SORTS: dict[str, Any] = {
    "placed": SubOrder.id, "number": SubOrder.number, "arrives": Cycle.arrives_at, "point": PickupPoint.slug,
    "sum": SubOrder.total - SubOrder.refunded_total, "pressing": Cycle.arrives_at,
}  # fmt: skip
"""By what a list of orders can be sorted; equal ones by when they were placed."""


def _in_order(session: Session, among: Sequence[int], wanted: Wanted) -> list[int]:
    """Those of these orders that come next, sorted. Where the page before ended is looked up, so that a place is one number in the address.

    All of them are looked at before they are sorted, so that no index is walked in the order of what all shops sell.
    """
    column, downwards = SORTS.get(wanted.sort.removeprefix("-"), SubOrder.id), wanted.sort.startswith("-")
    placed = (
        sa.select(SubOrder.id.label("id"), column.label("place"))
        .join(Cycle, Cycle.id == SubOrder.cycle_id)
        .join(PickupPoint, PickupPoint.id == SubOrder.pickup_point_id)
    )
    meant = placed.where(SubOrder.id.in_(among))
    if wanted.point_slug:
        meant = meant.where(PickupPoint.slug == wanted.point_slug)
    rows = meant.cte("among").prefix_with("MATERIALIZED")
    found = sa.select(rows.c.id)
    if wanted.after is not None:
        before = placed.where(SubOrder.id == wanted.after).subquery()
        place = sa.select(before.c.place).scalar_subquery()
        beyond = rows.c.place < place if downwards else rows.c.place > place
        further = rows.c.id < wanted.after if downwards else rows.c.id > wanted.after
        found = found.where(sa.or_(beyond, sa.and_(rows.c.place == place, further)))
    order = (rows.c.place.desc(), rows.c.id.desc()) if downwards else (rows.c.place, rows.c.id)
    return list(session.scalars(found.order_by(*order).limit(wanted.limit + 1)))


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of orders, where the next one begins, and whether older ones were not looked at: people are told so."""

    orders: list[OrderRow]
    next_after: int | None
    leaves_older_out: bool


def list_orders(session: Session, merchant_ids: Sequence[int], wanted: Wanted) -> Listed:
    """Paid orders as they are wanted, the newest first unless said otherwise.

    Sorted, searched and narrowed are the newest `LOOKED_THROUGH` of a list; a whole number is found among all.
    """
    among, leaves_older_out = _among(session, merchant_ids, wanted)
    chosen = _in_order(session, among, wanted) if among else []
    if not chosen:
        return Listed([], None, leaves_older_out)
    shown = chosen[: wanted.limit]
    found = {row.id: row for row in all_as(OrderRow, session.execute(rows_of(merchant_ids).where(SubOrder.id.in_(shown))))}
    following = shown[-1] if len(chosen) > wanted.limit else None
    return Listed([found[one] for one in shown if one in found], following, leaves_older_out)


LOOKED_THROUGH = 2_000
"""So many of the newest orders of a list are sorted, searched and narrowed. What is open is all among them."""


def _among(session: Session, merchant_ids: Sequence[int], wanted: Wanted) -> tuple[list[int], bool]:
    """The newest orders a list is made of, by id, and whether there are older ones that would have to be sorted and narrowed with them.

    Each way of finding them is a walk along its index, so no list grows with the years.
    """
    newest = (
        sa.select(SubOrder.id)
        .join(Purchase, Purchase.id == SubOrder.purchase_id)
        .where(SubOrder.merchant_id.in_(merchant_ids), WAS_PAID)
    )
    is_by_time = wanted.sort in ("placed", "-placed") and not (wanted.point_slug or wanted.number)
    upwards = wanted.sort == "placed" and is_by_time
    if wanted.cycle_id is not None:
        newest = newest.where(SubOrder.cycle_id == wanted.cycle_id)
    if is_by_time and wanted.after is not None:
        newest = newest.where(SubOrder.id > wanted.after if upwards else SubOrder.id < wanted.after)
    if is_by_time:
        return _newest(session, newest, wanted.states, wanted.limit + 1, upwards), False
    looked_through = _newest(session, newest, wanted.states, LOOKED_THROUGH + 1, False)
    leaves_older_out = len(looked_through) > LOOKED_THROUGH
    looked_through = looked_through[:LOOKED_THROUGH]
    if not wanted.number:
        return looked_through, leaves_older_out
    of_states = newest.where(SubOrder.state.in_(wanted.states)) if wanted.states else newest
    ways = [of_states.where(condition) for condition in _numbered(session, wanted.number)]
    exact = [found for way in ways for found in session.scalars(way.order_by(SubOrder.id.desc()).limit(LOOKED_THROUGH))]
    part = sa.select(SubOrder.id).where(
        SubOrder.id.in_(looked_through), SubOrder.number.contains(wanted.number.upper(), autoescape=True)
    )
    return [*exact, *session.scalars(part)], leaves_older_out


def _newest(
    session: Session, found: sa.Select[Any], states: Sequence[SubOrderState], most: int, upwards: bool
) -> list[int]:  # fmt: skip
    """State by state, because an index holds the orders of each in turn."""
    first = SubOrder.id if upwards else SubOrder.id.desc()
    legs = [found.where(SubOrder.state == state) for state in states] or [found]
    ids = [row for leg in legs for row in session.scalars(leg.order_by(first).limit(most))]
    return sorted(ids, reverse=not upwards)[:most]


def _numbered(session: Session, text: str) -> list[sa.ColumnElement[bool]]:
    """What a whole number may name, wherever it is: an order, a part, the short code of either, the end of the buyer's phone."""
    ways: list[sa.ColumnElement[bool]] = []
    if (named := _whole_number(text.upper())) is not None:
        ways.append(named)
    if len(text) == TAIL and text.isascii() and text.isdigit():
        buyers = sa.select(User.id).where(phone_ends_in(session, text, sa.select(sa.null())))
        ways.append(SubOrder.user_id.in_(session.scalars(buyers).all()))
    return ways


def _whole_number(code: str) -> sa.ColumnElement[bool] | None:
    """Orders by a whole number or short code, each found by a unique key; None for what is neither."""
    if re.fullmatch(r"L[0-9]{6}-[0-9A-Z-]{4,20}", code, re.ASCII):
        return SubOrder.number.in_([code, *(f"{code}-{part}" for part in range(1, MOST_PARTS + 1))])
    if re.fullmatch(r"[0-9A-Z]{4,12}(-[0-9]{1,3})?", code, re.ASCII):
        return named_on_a_label(code)
    return None


def get_order(session: Session, merchant_ids: Sequence[int], number: str) -> OrderRow:
    """One paid order of one of these merchants. Raises `NotFound` for all others."""
    row = session.execute(rows_of(merchant_ids).where(SubOrder.number == number)).one_or_none()
    if row is None:
        raise NotFound()
    return one_as(OrderRow, row)


def orders_scanned(session: Session, merchant_ids: Sequence[int], code: str) -> list[OrderRow]:
    """The paid orders of these merchants that a scanned label or a typed number means: the number of one shop's part, of the buyer's whole
    order, or what stands large on the label, with or without the part. At most two, by number.
    """
    meant = _whole_number(code)
    if meant is None:
        return []
    found = rows_of(merchant_ids).where(meant).order_by(SubOrder.number).limit(2)
    return all_as(OrderRow, session.execute(found))


def orders_named(session: Session, merchant_ids: Sequence[int], numbers: Sequence[str]) -> list[OrderRow]:
    """The paid orders of these numbers that are these merchants', by number. Others are left out."""
    found = rows_of(merchant_ids).where(SubOrder.number.in_(list(numbers))).order_by(SubOrder.number)
    return all_as(OrderRow, session.execute(found))


def orders_of_cycle(session: Session, merchant_ids: Sequence[int], cycle_id: int) -> list[OrderRow]:
    """All orders of a delivery that are or were to be packed, by number."""
    gone = (SubOrderState.CANCELLED, SubOrderState.SHORT)
    found = rows_of(merchant_ids).where(SubOrder.cycle_id == cycle_id, SubOrder.state.not_in(gone)).order_by(SubOrder.number)
    return all_as(OrderRow, session.execute(found))


def lines_of(session: Session, sub_order_ids: Sequence[int]) -> dict[int, list[LineToPack]]:
    """The lines of sub-orders, in one query."""
    elsewhere: dict[str, Any] = {"category_id": Product.category_id, "weighed_by": User.display_name}
    columns = tuple(elsewhere[name].label(name) if name in elsewhere else getattr(OrderLine, name) for name in LineToPack.__slots__)
    rows = session.execute(
        sa.select(OrderLine.sub_order_id, *columns)
        .join(Product, Product.id == OrderLine.product_id)
        .outerjoin(User, User.id == OrderLine.weighed_by_id)
        .where(OrderLine.sub_order_id.in_(list(sub_order_ids)))
        .order_by(OrderLine.id)
    )
    found: dict[int, list[LineToPack]] = {sub_order_id: [] for sub_order_id in sub_order_ids}
    fill = filler(LineToPack, tuple(rows.keys()), ("sub_order_id",))
    for row in rows:
        found[row.sub_order_id].append(fill(row))
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
    there = OrderLine.quantity - OrderLine.short_quantity
    rows = session.execute(
        sa.select(
            *grouped, sa.func.sum(there).label("quantity"), sa.func.sum(there * OrderLine.unit_grams).label("grams"),
            sa.func.count(sa.distinct(OrderLine.sub_order_id)).label("orders"),
        )
        .join(SubOrder, SubOrder.id == OrderLine.sub_order_id)
        .join(Purchase, Purchase.id == SubOrder.purchase_id)
        .where(SubOrder.merchant_id.in_(merchant_ids), SubOrder.cycle_id == cycle_id, Purchase.state.in_(PAID))
        .where(SubOrder.state.in_((SubOrderState.PLACED, SubOrderState.ACCEPTED)), there > 0)
        .group_by(*grouped)
        .order_by(OrderLine.name_zh)
    )  # fmt: skip
    return [
        one_as(Pick, row, leave_out=("quantity", "grams"), quantity=int(row.quantity), grams=int(row.grams)) for row in rows
    ]
