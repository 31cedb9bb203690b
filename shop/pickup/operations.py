"""Opening deliveries and booking their slots."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.columns import UtcDateTime
from shop.kernel.db import operation, take
from shop.kernel.statements import insert_or_ignore, table
from shop.models.merchants import Merchant, MerchantState
from shop.models.pickup import Cycle, MerchantPoint, PickupPoint
from shop.pickup.errors import CutOffPassed, SlotFull
from shop.pickup.rules import DAYS_AHEAD, DEFAULT_CAPACITY, cycle_times, is_open, next_days

CYCLES, SERVED = table(Cycle), table(MerchantPoint)


def _locked() -> sa.Select[tuple[int]]:
    """The rows of `cycle_ids`, locked by id. `key_share`: sub-orders just written point at them and must not block each other."""
    return sa.select(_held().cte("locked").c.id)


def _held() -> sa.Select[tuple[int]]:
    rows = sa.select(CYCLES.c.id).where(CYCLES.c.id.in_(sa.bindparam("cycle_ids", expanding=True))).order_by(CYCLES.c.id)
    return rows.with_for_update(key_share=True)


BOOK = (
    sa.update(CYCLES)
    .where(
        CYCLES.c.id.in_(_locked()), CYCLES.c.booked < CYCLES.c.capacity, CYCLES.c.closed_at.is_(None),
        CYCLES.c.cut_off_at > sa.bindparam("moment", type_=UtcDateTime()),
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
    """Take one slot of every delivery, all or nothing, decided now by the shop's clock. Raises `CutOffPassed`, also of a delivery that
    was sent off early, and `SlotFull`.

    The rows are locked by id, as everywhere, so that baskets over the same deliveries never wait in a circle.
    """
    wanted, moment = sorted(set(cycle_ids)), clock.now()
    booked = session.connection().execute(BOOK, {"cycle_ids": wanted, "moment": moment}).all()
    if len(booked) == len(wanted):
        return
    refused = session.execute(
        sa.select(CYCLES.c.cut_off_at, CYCLES.c.closed_at, Merchant.name_zh, Merchant.name_en, Merchant.code)
        .join(Merchant, Merchant.id == CYCLES.c.merchant_id)
        .where(CYCLES.c.id.in_([cycle_id for cycle_id in wanted if (cycle_id,) not in booked]))
        .order_by(CYCLES.c.cut_off_at)
    ).all()
    closed = [row for row in refused if row.closed_at is not None or not is_open(row.cut_off_at, moment)]
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
def close_cycle(session: Session, cycle_id: int) -> bool:
    """Nobody joins a delivery any more, from this moment on. False when it was closed before.

    Waits for whoever is joining just now: after it, the orders of the delivery are all that will ever be on it.
    """
    hold_cycles(session, [cycle_id])
    still_open = sa.update(CYCLES).where(CYCLES.c.id == cycle_id, CYCLES.c.closed_at.is_(None))
    return take(session, still_open.values(closed_at=clock.now()))


@operation
def reopen_cycle(session: Session, cycle_id: int) -> bool:
    """A delivery has not left after all: it can be joined again, up to its cut-off. False when it was not closed."""
    return take(session, sa.update(CYCLES).where(CYCLES.c.id == cycle_id, CYCLES.c.closed_at.is_not(None)).values(closed_at=None))


@operation
def hold_cycles(session: Session, cycle_ids: Iterable[int]) -> None:
    """Let no delivery of these close, and nobody join it, until the end of this transaction."""
    session.connection().execute(_held(), {"cycle_ids": sorted(set(cycle_ids))}).all()


@operation
def serve(session: Session, merchant_id: int, point_ids: Iterable[int]) -> None:
    """From now on a merchant delivers to these points; the next round of `open_cycles` opens its deliveries. Again nothing changes."""
    rows = [{"merchant_id": merchant_id, "pickup_point_id": point_id} for point_id in sorted(set(point_ids))]
    if rows:
        session.execute(insert_or_ignore(SERVED, SERVED.c.merchant_id).of(session), rows)


@operation
def open_cycles(session: Session, days: int = DAYS_AHEAD) -> int:
    """Open every active merchant's deliveries to its points for today and the `days` after; the number that is new.

    Existing deliveries are left as they are: changing a merchant's hours never moves a cut-off people already saw.
    """
    moment = clock.now()
    served = session.execute(
        sa.select(
            Merchant.id, Merchant.cut_off, Merchant.lead_days, Merchant.arrival, MerchantPoint.pickup_point_id, PickupPoint.community_id
        )
        .join(MerchantPoint, MerchantPoint.merchant_id == Merchant.id)
        .join(PickupPoint, PickupPoint.id == MerchantPoint.pickup_point_id)
        .where(Merchant.state == MerchantState.ACTIVE)
    ).all()
    rows = [
        {
            "community_id": row.community_id, "merchant_id": row.id, "pickup_point_id": row.pickup_point_id,
            "arrives_on": times.arrives_on, "cut_off_at": times.cut_off_at, "arrives_at": times.arrives_at, "capacity": DEFAULT_CAPACITY,
            "booked": 0,
        }
        for row in served
        for day in next_days(clock.today(), days)
        if (times := cycle_times(day, row.cut_off, row.lead_days, row.arrival)) is not None and is_open(times.cut_off_at, moment)
    ]
    if not rows:
        return 0
    opened = session.execute(insert_or_ignore(CYCLES, CYCLES.c.id).of(session), rows)
    return len(opened.all())
