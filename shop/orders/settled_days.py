"""What a merchant's orders came to, day by day: sums of days that are over are kept, everything else is added up when it is asked for.

A day is opened an hour after it ended and summed some minutes later. Whoever changes an order of a day that is open takes its sum away
in the same transaction (`reopen`), and the day is summed anew. So a sum that is kept is right, whatever happens at the same moment:
the row of the day is locked by both.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.db import operation
from shop.kernel.money import ZERO, Money
from shop.models.merchants import Merchant
from shop.models.orders import SettledDay, SubOrder

SETTLED_AT: Any = sa.literal_column(
    "COALESCE(sub_orders.collected_at, CASE WHEN sub_orders.state IN ('not_collected', 'returned') THEN sub_orders.ended_at END)",
    type_=SubOrder.collected_at.type,
)
"""When an order's money was its merchant's, as the index of it says it (`models.orders.SETTLED_AT`)."""

AFTER_ITS_END = timedelta(hours=1)
"""A day is opened so long after it ended: what was settled in it has been committed by then."""

SUMMED_AFTER = timedelta(minutes=10)
"""A day is summed so long after it was opened: longer than any transaction that may not have seen that it is open."""

ONE_DAY = timedelta(days=1)
AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Sums:
    """So many orders, and what they came to. Support is what others gave for their discounts, as far as the goods were kept;
    it and the commission on both are rounded per order, half up, as they were then.
    """

    orders: int = 0
    gross: Money = ZERO
    refunded: Money = ZERO
    support: Money = ZERO
    commission: Money = ZERO

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.orders + other.orders, self.gross + other.gross, self.refunded + other.refunded, self.support + other.support,
            self.commission + other.commission,
        )  # fmt: skip


def summed(session: Session, merchant_id: int, first: date | None = None, last: date | None = None) -> Sums:
    """The orders of a merchant that were settled from one day to another (none: all there are). Three statements at most."""
    of_span = [SettledDay.merchant_id == merchant_id]
    if first is not None:
        of_span.append(SettledDay.day >= first)
    if last is not None:
        of_span.append(SettledDay.day <= last)
    columns = (SettledDay.orders, SettledDay.gross, SettledDay.refunded, SettledDay.support, SettledDay.commission)
    whole = [sa.func.sum(sa.type_coerce(column, sa.BigInteger)).label(column.key) for column in columns]
    kept = session.execute(sa.select(*whole).where(*of_span, SettledDay.counted_at.is_not(None))).one()
    newest = session.scalar(sa.select(sa.func.max(SettledDay.day)).where(SettledDay.merchant_id == merchant_id))
    uncounted = session.scalars(sa.select(SettledDay.day).where(*of_span, SettledDay.counted_at.is_(None)).order_by(SettledDay.day)).all()
    behind = newest + ONE_DAY if newest is not None else None
    spans: list[Span] = [(clock.at(begin, time(0)), clock.at(end + ONE_DAY, time(0))) for begin, end in runs(uncounted)]
    if behind is None or last is None or behind <= last:
        start = first if behind is None or (first is not None and first > behind) else behind
        spans.append((None if start is None else clock.at(start, time(0)), None if last is None else clock.at(last + ONE_DAY, time(0))))
    return _sums(kept) + (_added_up(session, merchant_id, spans) if spans else Sums())


Span = tuple[datetime | None, datetime | None]


def runs(days: Sequence[date]) -> Iterator[tuple[date, date]]:
    """Days in order, put together where one follows the other."""
    begin = end = None
    for day in days:
        if begin is not None and end is not None and day != end + ONE_DAY:
            yield begin, end
            begin = None
        begin, end = begin or day, day
    if begin is not None and end is not None:
        yield begin, end


def _sums(row: Any) -> Sums:
    """Sums over no rows are nothing; they come back as bare numbers."""
    amounts = {name: Money(int(value or 0)) for name, value in row._mapping.items() if name != "orders"}
    return Sums(orders=int(row.orders or 0), **amounts)


def _added_up(session: Session, merchant_id: int, spans: Sequence[Span]) -> Sums:
    """The orders of some spans, one by one. Each span is a walk along the index."""
    total, fee, supported, refunded = (
        sa.type_coerce(column, sa.BigInteger)
        for column in (SubOrder.total, SubOrder.fee_total, SubOrder.supported_total, SubOrder.refunded_total)
    )
    goods = total - fee
    support = sa.case(
        (refunded == 0, supported), (goods <= refunded, 0), else_=(2 * supported * (goods - refunded) + goods) // (2 * goods)
    )
    commission = sum((amount * SubOrder.commission_bps + 5_000) // 10_000 for amount in (total - refunded, support))
    found = Sums()
    for since, until in spans:
        within = [since <= SETTLED_AT] if since is not None else [SETTLED_AT.is_not(None)]
        if until is not None:
            within.append(until > SETTLED_AT)
        amounts = {"gross": total, "refunded": refunded, "support": support, "commission": commission}
        columns: list[Any] = [sa.func.count().label("orders"), *(sa.func.sum(amount).label(name) for name, amount in amounts.items())]
        found += _sums(session.execute(sa.select(*columns).where(SubOrder.merchant_id == merchant_id, *within)).one())
    return found


@operation
def reopen(session: Session, sub_order_ids: Collection[int]) -> None:
    """Take away the sums of the days on which these orders were settled: something about them is about to change, or has."""
    rows = session.execute(sa.select(SubOrder.merchant_id, SETTLED_AT).where(SubOrder.id.in_(sub_order_ids), SETTLED_AT.is_not(None)))
    for merchant_id, day in sorted({(merchant_id, clock.local(moment).date()) for merchant_id, moment in rows}):
        of_day = (SettledDay.merchant_id == merchant_id, SettledDay.day == day)
        session.execute(sa.update(SettledDay).where(*of_day).values(counted_at=None))


@operation
def open_days(session: Session) -> int:
    """Make a row for each day of each merchant that is over and has none; how many. Told twice, the second time makes none."""
    last = clock.local(clock.now() - AFTER_ITS_END).date() - ONE_DAY
    last_ones = sa.select(SettledDay.merchant_id, sa.func.max(SettledDay.day)).group_by(SettledDay.merchant_id)
    newest: dict[int, date] = {row[0]: row[1] for row in session.execute(last_ones)}
    made = 0
    for merchant_id in session.scalars(sa.select(Merchant.id).order_by(Merchant.id)).all():
        begin = newest[merchant_id] + ONE_DAY if merchant_id in newest else _first_day(session, merchant_id)
        while begin is not None and begin <= last:
            session.add(
                SettledDay(
                    merchant_id=merchant_id, day=begin, orders=0, gross=ZERO, refunded=ZERO, support=ZERO, commission=ZERO,
                    begins_at=clock.at(begin, time(0)), ends_at=clock.at(begin + ONE_DAY, time(0)), opened_at=clock.now(),
                )
            )
            begin += ONE_DAY
            made += 1
    return made


def _first_day(session: Session, merchant_id: int) -> date | None:
    """The day of a merchant's first order that was settled."""
    settled = (SubOrder.merchant_id == merchant_id, SETTLED_AT.is_not(None))
    first = session.scalar(sa.select(SETTLED_AT).select_from(SubOrder).where(*settled).order_by(SETTLED_AT).limit(1))
    return clock.local(first).date() if first is not None else None


@operation
def count_days(session: Session, limit: int = AT_ONCE) -> int:
    """Sum open days that have no sum, the oldest first, at most so many; how many."""
    waiting = sa.select(SettledDay).where(SettledDay.counted_at.is_(None), SettledDay.opened_at <= clock.now() - SUMMED_AFTER)
    ordered = waiting.order_by(SettledDay.day, SettledDay.merchant_id).limit(limit)
    days = session.scalars(ordered.with_for_update(skip_locked=True)).all()
    for day in days:  # read after the row was locked: who changes one of its orders waits, or has been waited for
        sums = _added_up(session, day.merchant_id, [(day.begins_at, day.ends_at)])
        day.orders, day.gross, day.refunded = sums.orders, sums.gross, sums.refunded
        day.support, day.commission = sums.support, sums.commission
        day.counted_at = clock.now()
    return len(days)


@operation
def forget_sums(session: Session) -> int:
    """Take all sums away, so that they are made anew; how many there were."""
    outcome: Any = session.execute(sa.update(SettledDay).where(SettledDay.counted_at.is_not(None)).values(counted_at=None))
    return int(outcome.rowcount)
