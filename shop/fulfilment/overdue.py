"""What waits too long: of a shop, of a point, of the city. The terms are those of `shop.fulfilment.endings`.

Everything here starts from the small index of what is unfinished, so it costs what is open, not what ever was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.fulfilment import endings
from shop.fulfilment.endings import COMING_BACK_FOR, FRESH, KEEPS, NOT_HERE, REMINDERS, Shelf, Wait
from shop.fulfilment.queries import batch_code
from shop.fulfilment.rules import PAID
from shop.kernel import clock
from shop.kernel.money import Money
from shop.kernel.rows import all_as, one_as
from shop.models.accounts import User
from shop.models.catalog import Product, Storage
from shop.models.merchants import Merchant
from shop.models.orders import UNFINISHED_PARTS, OrderLine, Purchase, SubOrder, SubOrderState
from shop.models.pickup import Batch, Cycle, Pass, PickupPoint
from shop.models.platform import Notice
from shop.orders.rules import AGREED, ceiling

State = SubOrderState
OPEN = sa.text(f"sub_orders.{UNFINISHED_PARTS.text}")
STATES: dict[Wait, tuple[State, ...]] = {
    Wait.TO_PACK: (State.PLACED, State.ACCEPTED), Wait.TO_SEND: (State.PACKED,), Wait.ON_THE_WAY: (State.IN_TRANSIT,),
    Wait.MISSING: (State.PACKED, State.IN_TRANSIT), Wait.TO_COLLECT: (State.READY,), Wait.TO_CLAIM: (State.COLLECTED,),
}  # fmt: skip
SIZES = (50, 100, 200)


def _later(one: Any, other: Any) -> Any:
    return sa.case((one < other, other), else_=one)


LEFT_ITS_SHOP = sa.func.coalesce(SubOrder.in_transit_at, SubOrder.packed_at, type_=SubOrder.packed_at.type)
WAS_RECEIVED = Batch.arrived_at.is_not(None)
SINCE: Any = sa.case(
    (SubOrder.state == State.READY, SubOrder.ready_at),
    (SubOrder.state == State.COLLECTED, SubOrder.collected_at),
    (
        sa.and_(SubOrder.state.in_(STATES[Wait.MISSING]), WAS_RECEIVED),
        reduce(_later, (Cycle.arrives_at, Batch.arrived_at, LEFT_ITS_SHOP)),
    ),
    else_=Cycle.arrives_at,
)
WAIT: Any = sa.case(
    (SubOrder.state == State.READY, Wait.TO_COLLECT.value),
    (SubOrder.state == State.COLLECTED, Wait.TO_CLAIM.value),
    (SubOrder.state.in_(STATES[Wait.TO_PACK]), Wait.TO_PACK.value),
    (WAS_RECEIVED, Wait.MISSING.value),
    (SubOrder.state == State.PACKED, Wait.TO_SEND.value),
    else_=Wait.ON_THE_WAY.value,
)
IS_FRESH = sa.or_(Product.storage != Storage.AMBIENT, Product.shelf_life_days <= endings.FRESH_FOR_DAYS)
ITS_LINES = (OrderLine.sub_order_id == SubOrder.id, Product.id == OrderLine.product_id)
HAS_FRESH: Any = sa.exists().where(*ITS_LINES, IS_FRESH)
HAS_KEEPING: Any = sa.exists().where(*ITS_LINES, ~IS_FRESH)
POINT_NAME: tuple[Any, ...] = (PickupPoint.name_zh.label("point_name_zh"), PickupPoint.name_en.label("point_name_en"))
COLUMNS: tuple[Any, ...] = (
    SubOrder.id, SubOrder.number, SubOrder.purchase_id, WAIT.label("wait"), SINCE.label("since"), SubOrder.user_id, SubOrder.total,
    SubOrder.refunded_total, HAS_FRESH.label("has_fresh"), HAS_KEEPING.label("has_keeping"),
    SubOrder.cycle_id, Cycle.arrives_on, Cycle.arrives_at, SubOrder.merchant_id,
    Merchant.name_zh.label("merchant_name_zh"), Merchant.name_en.label("merchant_name_en"), SubOrder.pickup_point_id, *POINT_NAME,
    SubOrder.pass_id, Pass.ref.label("pass_ref"), Pass.valid_until,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Waiting:
    """A paid sub-order that waits for something, since when, and what becomes of it by itself."""

    id: int
    number: str
    purchase_id: int
    wait: Wait
    since: datetime
    user_id: int
    total: Money
    refunded_total: Money
    has_fresh: bool
    has_keeping: bool
    cycle_id: int
    arrives_on: Any
    arrives_at: datetime
    merchant_id: int
    merchant_name_zh: str
    merchant_name_en: str
    pickup_point_id: int
    point_name_zh: str
    point_name_en: str
    pass_id: int | None
    pass_ref: str | None
    valid_until: datetime | None

    @property
    def order_number(self) -> str:
        """The buyer's own number, without its part."""
        return self.number.rpartition("-")[0]

    @property
    def delivery(self) -> str:
        """What stands on the papers of its delivery."""
        return batch_code(self.arrives_on, self.cycle_id)

    @property
    def left(self) -> Money:
        """What has not been given back."""
        return self.total - self.refunded_total

    @property
    def ends_at(self) -> datetime:
        """When it ends by itself."""
        if self.wait in NOT_HERE:
            return self.since + NOT_HERE[self.wait].ends
        if self.wait is Wait.TO_COLLECT and self.valid_until is not None:
            return endings.collect_until(self.since, self.valid_until, self.has_fresh)
        return self.since + endings.shelf(not self.has_keeping).claims

    @property
    def needs_a_person(self) -> bool:
        """Whether somebody has to decide before it ends by itself."""
        return self.wait in NOT_HERE and self.since + NOT_HERE[self.wait].alarm <= clock.now()

    @property
    def can_be_ended(self) -> bool:
        """Whether a person may end it now: what should be here and is not, and goods whose pass ran out."""
        return self.wait in NOT_HERE or (self.wait is Wait.TO_COLLECT and self.valid_until is not None and self.valid_until <= clock.now())


def _from(statement: Any) -> Any:
    return (
        statement.select_from(SubOrder)
        .join(Purchase, Purchase.id == SubOrder.purchase_id)
        .join(Cycle, Cycle.id == SubOrder.cycle_id)
        .outerjoin(Batch, Batch.cycle_id == SubOrder.cycle_id)
        .outerjoin(Pass, Pass.id == SubOrder.pass_id)
        .where(OPEN, Purchase.state.in_(PAID))
    )


def _rows(session: Session, *conditions: Any, order: Sequence[Any], limit: int) -> list[Waiting]:
    """First which, then what is said of them: that is looked up only for what is shown. Two statements."""
    chosen = session.scalars(_from(sa.select(SubOrder.id)).where(*conditions).order_by(*order).limit(limit)).all()
    if not chosen:
        return []
    found = _from(sa.select(*COLUMNS)).join(Merchant, Merchant.id == SubOrder.merchant_id)
    found = found.join(PickupPoint, PickupPoint.id == SubOrder.pickup_point_id).where(SubOrder.id.in_(chosen)).order_by(*order)
    return [one_as(Waiting, row, leave_out=("wait",), wait=Wait(row.wait)) for row in session.execute(found)]


def find(session: Session, sub_order_id: int) -> Waiting | None:
    """One sub-order that waits for something; None when it has ended, or waits for its payment."""
    return next(iter(_rows(session, SubOrder.id == sub_order_id, order=[SubOrder.id], limit=1)), None)


def find_by_number(session: Session, number: str) -> Waiting | None:
    """The same by its number."""
    return next(iter(_rows(session, SubOrder.number == number, order=[SubOrder.id], limit=1)), None)


def _is(wait: Wait) -> Any:
    """A wait as a condition, beginning with the states, which the index is ordered by."""
    received = {Wait.TO_SEND: ~WAS_RECEIVED, Wait.ON_THE_WAY: ~WAS_RECEIVED, Wait.MISSING: WAS_RECEIVED}
    return sa.and_(SubOrder.state.in_(STATES[wait]), received.get(wait, sa.true()))


def _ran_out(moment: datetime) -> Any:
    return sa.and_(_is(Wait.TO_COLLECT), Pass.valid_until <= moment)


def _too_long(moment: datetime, *, listed: bool) -> Any:
    """What stands on a list: what should be here and is not, for operators after a while; and goods whose pass ran out."""
    late = [sa.and_(_is(wait), moment - (terms.listed if listed else terms.listed * 0) >= SINCE) for wait, terms in NOT_HERE.items()]
    return sa.or_(*late, _ran_out(moment))


def _whose(merchant_id: int | None, point_id: int | None) -> list[Any]:
    shop = [] if merchant_id is None else [SubOrder.merchant_id == merchant_id]
    return shop if point_id is None else [*shop, SubOrder.pickup_point_id == point_id]


def too_long(
    session: Session, *, merchant_id: int | None = None, point_id: int | None = None, wait: Wait | None = None, after: int | None = None,
    limit: int = SIZES[0],
) -> tuple[list[Waiting], int | None]:  # fmt: skip
    """What waits too long, the longest first, and where the next page begins: of a shop, of a point, or, after a while, of the city."""
    whose = _whose(merchant_id, point_id)
    conditions = [_too_long(clock.now(), listed=not whose), *whose, *([_is(wait)] if wait else [])]
    place = find(session, after) if after is not None else None
    if place is not None:
        conditions.append(sa.or_(place.since < SINCE, sa.and_(place.since == SINCE, SubOrder.id > place.id)))
    rows = _rows(session, *conditions, order=[SINCE, SubOrder.id], limit=limit + 1)
    return rows[:limit], rows[limit - 1].id if len(rows) > limit else None


def counts(session: Session, *, merchant_id: int | None = None, point_id: int | None = None) -> dict[Wait, int]:
    """How much waits too long, by what it waits for; nothing for what does not. One query."""
    whose = _whose(merchant_id, point_id)
    found = _from(sa.select(WAIT, sa.func.count())).where(_too_long(clock.now(), listed=not whose), *whose).group_by(WAIT)
    return {Wait(row[0]): row[1] for row in session.execute(found)}


def needing_a_person() -> Any:
    """How many orders somebody has to decide about, as a subquery."""
    moment = clock.now()
    late = sa.or_(*(sa.and_(_is(wait), moment - terms.alarm >= SINCE) for wait, terms in NOT_HERE.items()))
    return _from(sa.select(sa.func.count())).where(late).scalar_subquery()


def due(session: Session, wait: Wait, after: int = 0, limit: int = 200) -> list[int]:
    """Sub-orders whose wait ends by itself now, by id."""
    moment = clock.now()
    found = _from(sa.select(SubOrder.id)).where(_is(wait), SubOrder.id > after, _is_over(wait, moment))
    return list(session.scalars(found.order_by(SubOrder.id).limit(limit)))


def _is_over(wait: Wait, moment: datetime) -> Any:
    if wait in NOT_HERE:
        return moment - NOT_HERE[wait].ends >= SINCE
    if wait is Wait.TO_CLAIM:  # what may be claimed longest decides
        return sa.or_(
            SubOrder.collected_at <= moment - KEEPS.claims, sa.and_(SubOrder.collected_at <= moment - FRESH.claims, ~HAS_KEEPING)
        )  # fmt: skip
    return sa.or_(_left_too_long(KEEPS, moment), sa.and_(_left_too_long(FRESH, moment), HAS_FRESH))


def _left_too_long(terms: Shelf, moment: datetime) -> Any:
    return sa.or_(Pass.valid_until <= moment - terms.after_pass, SubOrder.ready_at <= moment - terms.latest)


def late_key(sub_order_id: Any) -> Any:
    """Under which a buyer is told once that an order is late; of a number or of a column."""
    return f"sub_order:{sub_order_id}:late" if isinstance(sub_order_id, int) else "sub_order:" + sa.cast(sub_order_id, sa.Text) + ":late"


def buyers_to_tell(session: Session, wait: Wait, after: int = 0, limit: int = 200) -> list[Waiting]:
    """What is so late that its buyer should know, and does not yet; by id."""
    conditions = (_is(wait), SubOrder.id > after, clock.now() - NOT_HERE[wait].told >= SINCE)
    untold = ~sa.exists().where(Notice.dedupe_key == late_key(SubOrder.id))
    return _rows(session, *conditions, untold, order=[SubOrder.id], limit=limit)


@dataclass(frozen=True, slots=True)
class LateDelivery:
    """Of one delivery, how many orders are not packed, not sent, on the way or missing though it should be here."""

    cycle_id: int
    merchant_id: int
    arrives_on: Any
    point_name_zh: str
    point_name_en: str
    orders: int
    missing: int

    @property
    def code(self) -> str:
        return batch_code(self.arrives_on, self.cycle_id)


def late_deliveries(session: Session) -> list[LateDelivery]:
    """Deliveries of which something should be at its point and is not. One query."""
    columns: tuple[Any, ...] = (SubOrder.cycle_id, SubOrder.merchant_id, Cycle.arrives_on, *POINT_NAME)
    late = sa.or_(*(_is(wait) for wait in NOT_HERE))
    missing = sa.func.count().filter(_is(Wait.MISSING))
    counted = (sa.func.count().label("orders"), missing.label("missing"))
    found = _from(sa.select(*columns, *counted)).join(PickupPoint, PickupPoint.id == SubOrder.pickup_point_id)
    rows = session.execute(found.where(late, clock.now() >= SINCE).group_by(*columns).order_by(SubOrder.cycle_id))
    return all_as(LateDelivery, rows)


@dataclass(frozen=True, slots=True)
class Reminder:
    """A person with goods at a point that were not collected: how many orders, since when, until when; the number of the reminder."""

    pass_id: int
    ref: str
    user_id: int
    valid_until: datetime
    orders: int
    time: int


def reminder_key(pass_id: Any, time: int) -> Any:
    """Under which somebody is reminded once; of a number or of a column."""
    if isinstance(pass_id, int):
        return f"pass:{pass_id}:reminder:{time}"
    return "pass:" + sa.cast(pass_id, sa.Text) + f":reminder:{time}"


def reminders(session: Session, time: int, after: int = 0, limit: int = 200) -> list[Reminder]:
    """Whom to remind for the first (1) or second (2) time of what came so long ago and waits on a pass that still runs; by pass."""
    moment = clock.now()
    grouped = (Pass.id.label("pass_id"), Pass.ref, Pass.user_id, Pass.valid_until)
    found = _from(sa.select(*grouped, sa.func.count().label("orders"))).where(
        _is(Wait.TO_COLLECT), Pass.id > after, SubOrder.ready_at <= moment - REMINDERS[time - 1], Pass.valid_until > moment,
        ~sa.exists().where(Notice.dedupe_key == reminder_key(Pass.id, time)),
    )  # fmt: skip
    return all_as(Reminder, session.execute(found.group_by(*grouped).order_by(Pass.id).limit(limit)), time=time)


@dataclass(frozen=True, slots=True)
class ComingBack:
    """An order nobody collected whose goods keep: what comes back to its shop."""

    id: int
    number: str
    ended_at: datetime
    point_name_zh: str
    point_name_en: str
    refunded_total: Money


def coming_back(session: Session, merchant_id: int, limit: int = SIZES[-1]) -> list[ComingBack]:
    """What a shop may expect back: not collected within the last weeks, and something of it keeps. The newest first."""
    rows: Any = session.execute(
        sa.select(SubOrder.id, SubOrder.number, SubOrder.ended_at, *POINT_NAME, SubOrder.refunded_total)
        .join(PickupPoint, PickupPoint.id == SubOrder.pickup_point_id)
        .where(SubOrder.merchant_id == merchant_id, SubOrder.state == State.NOT_COLLECTED, HAS_KEEPING)
        .where(SubOrder.ended_at > clock.now() - COMING_BACK_FOR)
        .order_by(SubOrder.ended_at.desc(), SubOrder.id.desc())
        .limit(limit)
    )
    return all_as(ComingBack, rows)


def lines_not_collected(session: Session, sub_order_id: int) -> list[tuple[bool, Money]]:
    """Of each line whether it is fresh, and what it cost in the end."""
    rows = session.execute(
        sa.select(Product.storage, Product.shelf_life_days, *(getattr(OrderLine, name) for name in AGREED), OrderLine.final_total)
        .join(Product, Product.id == OrderLine.product_id)
        .where(OrderLine.sub_order_id == sub_order_id)
        .order_by(OrderLine.id)
    )
    return [
        (endings.is_fresh(row.storage, row.shelf_life_days), ceiling(row) if row.final_total is None else row.final_total) for row in rows
    ]


def holders(session: Session, rows: Sequence[Waiting]) -> dict[int, str]:
    """The names of those whose orders these are, by person. One query, none when there are none."""
    ids = {row.user_id for row in rows}
    return (
        {row.id: row.display_name for row in session.execute(sa.select(User.id, User.display_name).where(User.id.in_(ids)))} if ids else {}
    )
