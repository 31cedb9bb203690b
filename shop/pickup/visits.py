"""Reading passes: what one visit can collect, of all merchants. Three queries, however much there is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.accounts.queries import phone_ends_in
from shop.models.accounts import User
from shop.models.catalog import PricedBy, Product
from shop.models.merchants import Merchant
from shop.models.orders import OrderLine, Purchase, PurchaseState, SubOrder, SubOrderState
from shop.models.pickup import Pass, PassState

WAITING = (SubOrderState.READY,)


@dataclass(frozen=True, slots=True)
class Line:
    """Goods on a pass, with the names frozen when they were ordered. `final_grams` where they were weighed."""

    name_zh: str
    name_en: str
    unit_zh: str
    unit_en: str
    image: str
    category_id: int
    quantity: int
    priced_by: PricedBy
    final_grams: int | None


@dataclass(frozen=True, slots=True)
class Part:
    """One merchant's sub-order on a pass."""

    id: int
    number: str
    state: SubOrderState
    merchant_code: str
    merchant_name_zh: str
    merchant_name_en: str
    ready_at: datetime | None
    collected_at: datetime | None
    lines: tuple[Line, ...]

    @property
    def is_waiting(self) -> bool:
        return self.state in WAITING

    @property
    def pieces(self) -> int:
        """How many things are put on the counter: units as they were bought, whatever they weigh."""
        return sum(line.quantity for line in self.lines)


@dataclass(frozen=True, slots=True)
class Visit:
    """A pass with everything on it."""

    id: int
    ref: str
    code: str
    state: PassState
    user_id: int
    holder_name: str
    holder_phone: str
    pickup_point_id: int
    issued_at: datetime
    valid_until: datetime
    used_at: datetime | None
    parts: tuple[Part, ...]

    @property
    def waiting(self) -> tuple[Part, ...]:
        """What is ready to be collected."""
        return tuple(part for part in self.parts if part.is_waiting)

    @property
    def collected(self) -> tuple[Part, ...]:
        """What has left the counter."""
        return tuple(part for part in self.parts if part.collected_at is not None)

    @property
    def orders(self) -> int:
        """Of how many orders something is ready."""
        return len({part.number.rpartition("-")[0] for part in self.waiting})

    @property
    def shops(self) -> int:
        """Of how many merchants something is ready."""
        return len({part.merchant_code for part in self.waiting})


def live_of(session: Session, user_id: int) -> list[Visit]:
    """A person's live passes, the newest first."""
    return _visits(session, Pass.user_id == user_id, Pass.state == PassState.LIVE)


def one_of(session: Session, user_id: int, ref: str) -> Visit | None:
    """A person's pass, whatever became of it; None when it is not theirs."""
    return next(iter(_visits(session, Pass.user_id == user_id, Pass.ref == ref)), None)


def at_points(session: Session, point_ids: Sequence[int], ref: str) -> Visit | None:
    """A pass of one of these points; None for all others."""
    return next(iter(_visits(session, Pass.pickup_point_id.in_(point_ids), Pass.ref == ref)), None)


def live_at(session: Session, point_id: int) -> list[Visit]:
    """All live passes of a point with something to collect."""
    return [visit for visit in _visits(session, Pass.pickup_point_id == point_id, Pass.state == PassState.LIVE) if visit.waiting]


def by_phone_tail(session: Session, point_id: int, tail: str) -> list[Visit]:
    """The live passes at a point of people whose number ends so, with something to collect."""
    live = (Pass.pickup_point_id == point_id, Pass.state == PassState.LIVE)
    found = _visits(session, *live, phone_ends_in(session, tail, sa.select(Pass.user_id).where(*live)))
    return [visit for visit in found if visit.waiting]


def coming(session: Session, user_id: int) -> int:
    """How many paid orders of a person have not all arrived, however many shops bring them."""
    not_there = (SubOrderState.PLACED, SubOrderState.ACCEPTED, SubOrderState.PACKED, SubOrderState.IN_TRANSIT)
    return (
        session.scalar(
            sa.select(sa.func.count(SubOrder.purchase_id.distinct()))
            .select_from(SubOrder)
            .join(Purchase, Purchase.id == SubOrder.purchase_id)
            .where(SubOrder.user_id == user_id, SubOrder.state.in_(not_there), Purchase.state == PurchaseState.PAID)
        )
        or 0
    )


def _visits(session: Session, *conditions: sa.ColumnElement[bool]) -> list[Visit]:
    columns = (
        Pass.id, Pass.ref, Pass.code, Pass.state, Pass.user_id, User.display_name, User.phone, Pass.pickup_point_id, Pass.issued_at,
        Pass.valid_until, Pass.used_at,
    )
    passes = session.execute(sa.select(*columns).join(User, User.id == Pass.user_id).where(*conditions).order_by(Pass.id.desc())).all()
    parts = parts_where(session, SubOrder.pass_id.in_([row.id for row in passes])) if passes else {}
    return [Visit(*row, parts=tuple(parts.get(row.id, ()))) for row in passes]


def parts_where(session: Session, *conditions: sa.ColumnElement[bool]) -> dict[int | None, list[Part]]:
    """Sub-orders with their lines, by pass."""
    columns = (
        SubOrder.id, SubOrder.number, SubOrder.state, Merchant.code, Merchant.name_zh, Merchant.name_en, SubOrder.ready_at,
        SubOrder.collected_at,
    )
    rows = session.execute(
        sa.select(SubOrder.pass_id, *columns).join(Merchant, Merchant.id == SubOrder.merchant_id).where(*conditions).order_by(SubOrder.id)
    ).all()
    lines = _lines(session, [row.id for row in rows])
    found: dict[int | None, list[Part]] = defaultdict(list)
    for row in rows:
        found[row.pass_id].append(Part(*row[1:], lines=tuple(lines[row.id])))
    return found


def _lines(session: Session, sub_order_ids: Sequence[int]) -> dict[int, list[Line]]:
    """What came of each sub-order: without what its shop could not find."""
    found: dict[int, list[Line]] = defaultdict(list)
    if not sub_order_ids:
        return found
    there = OrderLine.quantity - OrderLine.short_quantity
    columns: tuple[Any, ...] = (
        OrderLine.name_zh, OrderLine.name_en, OrderLine.unit_zh, OrderLine.unit_en, OrderLine.image, Product.category_id,
        there.label("quantity"), OrderLine.priced_by, OrderLine.final_grams,
    )
    rows = session.execute(
        sa.select(OrderLine.sub_order_id, *columns)
        .join(Product, Product.id == OrderLine.product_id)
        .where(OrderLine.sub_order_id.in_(sub_order_ids), there > 0)
        .order_by(OrderLine.id)
    )
    for row in rows:
        found[row.sub_order_id].append(Line(*row[1:]))
    return found
