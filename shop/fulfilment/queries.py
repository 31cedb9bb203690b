"""What is to be packed, what is expected, what waits, what happened at the counter."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.fulfilment.rules import PAID
from shop.kernel import clock
from shop.kernel.money import ZERO, Money
from shop.kernel.rows import all_as, one_as
from shop.models.accounts import User
from shop.models.merchants import Merchant
from shop.models.orders import OrderLine, Purchase, SubOrder, SubOrderState
from shop.models.pickup import (
    Batch,
    BatchState,
    Cycle,
    Pass,
    PickupPoint,
)  # fmt: skip

TO_PACK = (SubOrderState.PLACED, SubOrderState.ACCEPTED)
MERCHANT_NAME: tuple[Any, ...] = (Merchant.name_zh.label("merchant_name_zh"), Merchant.name_en.label("merchant_name_en"))
BEING_PREPARED = (*TO_PACK, SubOrderState.PACKED, SubOrderState.IN_TRANSIT)
DAYS_BACK = 14
LABEL_DAYS = 60  # so old can an order be whose label is looked at by its short code


def batch_code(arrives_on: date, cycle_id: int) -> str:
    """What is written on a batch's papers: the day it arrives, and the number of its delivery."""
    return f"T{arrives_on:%y%m%d}-{cycle_id:04d}"


def cycle_of_batch(code: str) -> int | None:
    """The number of the delivery on a batch's papers; None when that is no batch code."""
    found = re.fullmatch(r"T\d{6}-(\d{4,15})", code, re.ASCII)
    return int(found[1]) if found else None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One merchant's delivery to one point, with how far its orders are. Counts are sub-orders; money is what they come to."""

    cycle_id: int
    merchant_id: int
    merchant_code: str
    merchant_name_zh: str
    merchant_name_en: str
    pickup_point_id: int
    point_slug: str
    point_name_zh: str
    point_name_en: str
    arrives_on: date
    arrives_at: datetime
    cut_off_at: datetime
    closed_at: datetime | None
    batch_state: BatchState
    arrived_at: datetime | None
    orders: int
    people: int
    to_accept: int
    to_pack: int
    packed: int
    in_transit: int
    ready: int
    collected: int
    total: Money

    @property
    def code(self) -> str:
        return batch_code(self.arrives_on, self.cycle_id)

    @property
    def coming(self) -> int:
        """What the point can receive."""
        return self.packed + self.in_transit

    @property
    def is_closed_for_orders(self) -> bool:
        return self.closed_at is not None or clock.now() >= self.cut_off_at


def _count(*states: SubOrderState) -> Any:
    return sa.func.count().filter(SubOrder.state.in_(states))


def deliveries(session: Session, *conditions: sa.ColumnElement[bool]) -> list[Delivery]:
    """These deliveries, as far as there are paid orders, by day and point. One query."""
    live = SubOrder.state.not_in((SubOrderState.CANCELLED, SubOrderState.SHORT))
    columns: tuple[Any, ...] = (
        Cycle.id.label("cycle_id"), Cycle.merchant_id, Merchant.code.label("merchant_code"), Merchant.name_zh.label("merchant_name_zh"),
        Merchant.name_en.label("merchant_name_en"), Cycle.pickup_point_id, PickupPoint.slug.label("point_slug"),
        PickupPoint.name_zh.label("point_name_zh"), PickupPoint.name_en.label("point_name_en"), Cycle.arrives_on,
        Cycle.arrives_at, Cycle.cut_off_at, Cycle.closed_at, Batch.state.label("batch_state"), Batch.arrived_at,
    )
    counts: tuple[Any, ...] = (
        sa.func.count().label("orders"), sa.func.count(sa.distinct(SubOrder.user_id)).label("people"),
        _count(SubOrderState.PLACED).label("to_accept"), _count(*TO_PACK).label("to_pack"), _count(SubOrderState.PACKED).label("packed"),
        _count(SubOrderState.IN_TRANSIT).label("in_transit"), _count(SubOrderState.READY).label("ready"),
        _count(SubOrderState.COLLECTED, SubOrderState.COMPLETED, SubOrderState.RETURNED).label("collected"),
        (sa.func.sum(SubOrder.total) - sa.func.sum(SubOrder.refunded_total)).label("total"),
    )
    rows: Any = session.execute(
        sa.select(*columns, *counts)
        .join(Merchant, Merchant.id == Cycle.merchant_id)
        .join(PickupPoint, PickupPoint.id == Cycle.pickup_point_id)
        .join(SubOrder, SubOrder.cycle_id == Cycle.id)
        .join(Purchase, Purchase.id == SubOrder.purchase_id)
        .outerjoin(Batch, Batch.cycle_id == Cycle.id)
        .where(live, Purchase.state.in_(PAID), *conditions)
        .group_by(*columns)
        .order_by(Cycle.arrives_on, PickupPoint.slug, Cycle.arrives_at, Merchant.code)
    )
    return [_delivery(row) for row in rows]


def _delivery(row: Any) -> Delivery:
    """A row without a batch is a delivery that nobody has begun to pack."""
    state = row.batch_state or BatchState.PLANNED
    return one_as(Delivery, row, leave_out=("batch_state", "total"), batch_state=state, total=_money(row.total))


def _money(value: Any) -> Money:
    """Sums of money come back as Money or as a bare number, depending on the engine."""
    return value if isinstance(value, Money) else Money(int(value or 0)) if value else ZERO


def _unfinished(*whose: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Deliveries of which something has not come: however old they are, they are not hidden. Found by way of those few orders."""
    return sa.select(SubOrder.cycle_id).where(*whose, SubOrder.state.in_(BEING_PREPARED)).distinct()


def _named(session: Session, *ways: sa.Select[Any]) -> sa.ColumnElement[bool]:
    """The deliveries that are found in one of these ways, each a walk along its index. One statement."""
    return Cycle.id.in_(session.scalars(sa.union(*ways)).all())


def merchant_board(session: Session, merchant_id: int) -> list[Delivery]:
    """What a merchant still has to do, and what comes within the next days."""
    since = clock.today() - timedelta(days=DAYS_BACK)
    recent = sa.select(Cycle.id).where(Cycle.merchant_id == merchant_id, Cycle.arrives_on >= since)
    found = deliveries(session, _named(session, recent, _unfinished(SubOrder.merchant_id == merchant_id)))
    return [delivery for delivery in found if delivery.to_pack or delivery.packed or delivery.arrives_on >= clock.today()]


def merchant_delivery(session: Session, merchant_ids: Sequence[int], cycle_id: int) -> Delivery | None:
    """One delivery of one of these merchants; None for others, and while nobody ordered."""
    return next(iter(deliveries(session, Cycle.merchant_id.in_(merchant_ids), Cycle.id == cycle_id)), None)


def expected(session: Session, point_id: int) -> list[Delivery]:
    """What a point expects until tomorrow, what left its shop before its day, and what it received today.

    Old deliveries stay until everything has come.
    """
    since, until = clock.today() - timedelta(days=DAYS_BACK), clock.today() + timedelta(days=1)
    is_awaited = sa.or_(Cycle.arrives_on <= until, Cycle.closed_at.is_not(None))
    recent = sa.select(Cycle.id).where(Cycle.pickup_point_id == point_id, Cycle.arrives_on.between(since, until))
    awaited = _unfinished(SubOrder.pickup_point_id == point_id).join(Cycle, Cycle.id == SubOrder.cycle_id).where(is_awaited)
    found = deliveries(session, _named(session, recent, awaited))
    return [delivery for delivery in found if delivery.to_pack or delivery.coming or delivery.arrives_on >= clock.today()]


def early(session: Session, point_ids: Sequence[int], cycle_ids: Collection[int]) -> list[Delivery]:
    """Those of these deliveries to these points that are expected on a later day than today."""
    return deliveries(session, Cycle.pickup_point_id.in_(point_ids), Cycle.id.in_(cycle_ids), Cycle.arrives_on > clock.today())


def point_delivery(session: Session, point_ids: Sequence[int], cycle_id: int) -> Delivery | None:
    """One delivery to one of these points; None for others."""
    return next(iter(deliveries(session, Cycle.pickup_point_id.in_(point_ids), Cycle.id == cycle_id)), None)


def deliveries_of_batches(session: Session, point_ids: Sequence[int], codes: Sequence[str]) -> list[Delivery]:
    """The deliveries whose papers carry one of these batch codes and that come to one of these points; others are left out."""
    cycle_ids = {cycle_id for code in codes if (cycle_id := cycle_of_batch(code)) is not None}
    found = deliveries(session, Cycle.pickup_point_id.in_(point_ids), Cycle.id.in_(cycle_ids))
    return [delivery for delivery in found if delivery.code in codes]


@dataclass(frozen=True, slots=True)
class Parcel:
    """What the label of a parcel says about it, and how far it is. `pass_ref` once it is at the point."""

    number: str
    state: SubOrderState
    cycle_id: int
    merchant_name_zh: str
    merchant_name_en: str
    pass_ref: str | None


def parcels_named(session: Session, point_id: int, number: str) -> list[Parcel]:
    """All paid parts that come to this point of a buyer's order, or of what stands large on a label: `7K3M9QXA-2`, or `7K3M9QXA`."""
    return _parcels(session, point_id, orders_named(number))


def orders_named(number: str) -> sa.ColumnElement[bool]:
    """Sub-orders by a number people know: of an order, of one of its parts, or the short code of either, which is a number without
    its day and is looked for among those of the last days.
    """
    order, part = re.fullmatch(r"(.*?)((?:-[0-9]{1,3})?)", number).groups()  # type: ignore[union-attr]
    days = [clock.today() - timedelta(days=back) for back in range(LABEL_DAYS)]
    meant = [order] if "-" in order else [f"L{day:%y%m%d}-{order}" for day in days]
    if part:
        return SubOrder.number.in_([f"{one}{part}" for one in meant])
    return SubOrder.purchase_id.in_(sa.select(Purchase.id).where(Purchase.number.in_(meant)))


def _parcels(session: Session, point_id: int, named: sa.ColumnElement[bool]) -> list[Parcel]:
    rows = session.execute(
        sa.select(SubOrder.number, SubOrder.state, SubOrder.cycle_id, *MERCHANT_NAME, Pass.ref.label("pass_ref"))
        .join(Merchant, Merchant.id == SubOrder.merchant_id)
        .join(Purchase, Purchase.id == SubOrder.purchase_id)
        .outerjoin(Pass, Pass.id == SubOrder.pass_id)
        .where(named, SubOrder.pickup_point_id == point_id, Purchase.paid_at.is_not(None))
        .order_by(SubOrder.number)
    )
    return all_as(Parcel, rows)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A sub-order a point expects, for counting a batch."""

    number: str
    state: SubOrderState
    holder_name: str
    pieces: int


def incoming(session: Session, *cycle_ids: int) -> list[Incoming]:
    """The paid sub-orders of deliveries, for counting batches against them."""
    there = sa.func.sum(OrderLine.quantity - OrderLine.short_quantity)
    pieces = sa.select(there).where(OrderLine.sub_order_id == SubOrder.id).scalar_subquery()
    rows = session.execute(
        sa.select(SubOrder.number, SubOrder.state, User.display_name.label("holder_name"), pieces.label("pieces"))
        .join(User, User.id == SubOrder.user_id)
        .join(Purchase, Purchase.id == SubOrder.purchase_id)
        .where(SubOrder.cycle_id.in_(cycle_ids), Purchase.state.in_(PAID))
        .where(SubOrder.state.not_in((SubOrderState.CANCELLED, SubOrderState.SHORT)))
        .order_by(SubOrder.number)
    )
    return [Incoming(row[0], row[1], row[2], int(row[3] or 0)) for row in rows]
