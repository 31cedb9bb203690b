"""Opening deliveries and booking their slots."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.columns import UtcDateTime
from shop.kernel.db import operation
from shop.models.merchants import Merchant, MerchantState
from shop.models.pickup import Cycle, MerchantPoint
from shop.pickup.errors import CutOffPassed, SlotFull
from shop.pickup.rules import DAYS_AHEAD, DEFAULT_CAPACITY, cycle_times, is_open, next_days

CYCLES = cast(sa.Table, Cycle.__table__)


def _locked() -> sa.Select[tuple[int]]:
    """The rows of `cycle_ids`, locked by id. `key_share`: sub-orders just written point at them and must not block each other."""
    rows = sa.select(CYCLES.c.id).where(CYCLES.c.id.in_(sa.bindparam("cycle_ids", expanding=True))).order_by(CYCLES.c.id)
    return sa.select(rows.with_for_update(key_share=True).cte("locked").c.id)


BOOK = (
    sa.update(CYCLES)
    .where(
        CYCLES.c.id.in_(_locked()), CYCLES.c.booked < CYCLES.c.capacity, CYCLES.c.cut_off_at > sa.bindparam("moment", type_=UtcDateTime())
    )
    .values(booked=CYCLES.c.booked + 1)
    .returning(CYCLES.c.id)
)
FREE = sa.update(CYCLES).where(CYCLES.c.id.in_(_locked())).values(booked=CYCLES.c.booked - 1)


@operation
def book_slot(session: Session, cycle_id: int) -> None:
    """Take one slot of a delivery. Raises `CutOffPassed` or `SlotFull`."""
    book_slots(session, [cycle_id])


@operation
def book_slots(session: Session, cycle_ids: Iterable[int]) -> None:
    """Take one slot of every delivery, all or nothing, decided now by the shop's clock. Raises `CutOffPassed`, `SlotFull`.

    The rows are locked by id, as everywhere, so that baskets over the same deliveries never wait in a circle.
    """
    wanted, moment = sorted(set(cycle_ids)), clock.now()
    booked = session.connection().execute(BOOK, {"cycle_ids": wanted, "moment": moment}).all()
    if len(booked) == len(wanted):
        return
    refused = session.execute(
        sa.select(CYCLES.c.cut_off_at, Merchant.name_zh, Merchant.name_en, Merchant.code)
        .join(Merchant, Merchant.id == CYCLES.c.merchant_id)
        .where(CYCLES.c.id.in_([cycle_id for cycle_id in wanted if (cycle_id,) not in booked]))
        .order_by(CYCLES.c.cut_off_at)
    ).all()
    closed = [row for row in refused if not is_open(row.cut_off_at, moment)]
    reason = CutOffPassed if closed else SlotFull
    raise reason(merchants=[row.code for row in closed or refused])


@operation
def free_slot(session: Session, cycle_id: int) -> None:
    """Give one slot of a delivery back."""
    free_slots(session, [cycle_id])


@operation
def free_slots(session: Session, cycle_ids: Iterable[int]) -> None:
    """Give one slot of every delivery back. The caller's own state change makes sure that it happens once."""
    session.connection().execute(FREE, {"cycle_ids": list(cycle_ids)})


@operation
def open_cycles(session: Session, days: int = DAYS_AHEAD) -> int:
    """Open every active merchant's deliveries to its points for today and the `days` after; the number that is new.

    Existing deliveries are left as they are: changing a merchant's hours never moves a cut-off people already saw.
    """
    moment = clock.now()
    served = session.execute(
        sa.select(Merchant.id, MerchantPoint.pickup_point_id, Merchant.cut_off, Merchant.lead_days, Merchant.arrival)
        .join(MerchantPoint, MerchantPoint.merchant_id == Merchant.id)
        .where(Merchant.state == MerchantState.ACTIVE)
    ).all()
    rows = [
        {
            "merchant_id": row.id, "pickup_point_id": row.pickup_point_id, "arrives_on": times.arrives_on, "cut_off_at": times.cut_off_at,
            "arrives_at": times.arrives_at, "capacity": DEFAULT_CAPACITY, "booked": 0,
        }
        for row in served
        for day in next_days(clock.today(), days)
        if (times := cycle_times(day, row.cut_off, row.lead_days, row.arrival)) is not None and is_open(times.cut_off_at, moment)
    ]
    if not rows:
        return 0
    insert: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    opened = session.execute(insert(CYCLES).on_conflict_do_nothing().returning(CYCLES.c.id), rows)
    return len(opened.all())
