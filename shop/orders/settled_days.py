"""What a merchant's orders came to, day by day: sums of days that are over are kept, everything else is added up when it is asked for.

A day is opened an hour after it ended and summed some minutes later. Whoever changes an order of a day that is open takes its sum away
in the same transaction (`reopen`), and the day is summed anew. So a sum that is kept is right, whatever happens at the same moment:
the row of the day is locked by both. What was sold on a day (goods, hours) is kept beside its sum by the same rule.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.db import operation
from shop.kernel.money import ZERO, Money
from shop.kernel.rows import all_as, one_as
from shop.models.merchants import Merchant
from shop.models.orders import OrderLine, SettledDay, SubOrder
from shop.orders.sold import Sold, SoldLine, as_document, from_document, sold

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


def _amounts() -> dict[str, Any]:
    """What an order came to, figure by figure."""
    total, fee, supported, refunded = (
        sa.type_coerce(column, sa.BigInteger)
        for column in (SubOrder.total, SubOrder.fee_total, SubOrder.supported_total, SubOrder.refunded_total)
    )
    goods = total - fee
    support = sa.case(
        (refunded == 0, supported), (goods <= refunded, 0), else_=(2 * supported * (goods - refunded) + goods) // (2 * goods)
    )
    commission = sum((amount * SubOrder.commission_bps + 5_000) // 10_000 for amount in (total - refunded, support))
    return {"gross": total, "refunded": refunded, "support": support, "commission": commission}


def _added_up(session: Session, merchant_id: int, spans: Sequence[Span]) -> Sums:
    """The orders of some spans, one by one. Each span is a walk along the index."""
    found = Sums()
    columns: list[Any] = [sa.func.count().label("orders"), *(sa.func.sum(amount).label(name) for name, amount in _amounts().items())]
    for since, until in spans:
        within = [since <= SETTLED_AT] if since is not None else [SETTLED_AT.is_not(None)]
        if until is not None:
            within.append(until > SETTLED_AT)
        found += _sums(session.execute(sa.select(*columns).where(SubOrder.merchant_id == merchant_id, *within)).one())
    return found


def sums_by_day(session: Session, merchant_id: int, first: date, last: date) -> list[tuple[date, Sums]]:
    """The days from `first` to `last` on which something was settled, in order, each with its sum. Two statements.

    Days that are over are read from their sums, the orders of the others one by one.
    """
    columns = (SettledDay.day, SettledDay.orders, SettledDay.gross, SettledDay.refunded, SettledDay.support, SettledDay.commission)
    of_span = (SettledDay.merchant_id == merchant_id, SettledDay.day >= first, SettledDay.day <= last)
    kept = session.execute(sa.select(*columns).where(*of_span, SettledDay.counted_at.is_not(None)))
    found = {row.day: Sums(row.orders, row.gross, row.refunded, row.support, row.commission) for row in kept}
    if others := [day for day in days_between(first, min(last, clock.today())) if day not in found]:
        orders: list[Any] = [SETTLED_AT.label("settled_at"), *(amount.label(name) for name, amount in _amounts().items())]
        for row in session.execute(sa.select(*orders).where(*_within(merchant_id, _spans(others)))):
            day = clock.local(row.settled_at).date()
            one = Sums(1, Money(row.gross), Money(row.refunded), Money(row.support), Money(row.commission))
            found[day] = found.get(day, Sums()) + one
    return [(day, found[day]) for day in sorted(found) if found[day].orders]


def days_between(first: date, last: date) -> list[date]:
    """All of them, both ends too; none when the last one is before the first."""
    return [first + ONE_DAY * number for number in range((last - first).days + 1)]


def _spans(days: Sequence[date]) -> list[tuple[datetime, datetime]]:
    return [(clock.at(begin, time(0)), clock.at(end + ONE_DAY, time(0))) for begin, end in runs(days)]


@dataclass(frozen=True, slots=True)
class DayOfSales:
    """What the orders that were settled on a day came to, and what was in them."""

    day: date
    orders: int = 0
    gross: Money = ZERO
    refunded: Money = ZERO
    sold: Sold = field(default_factory=Sold)


def by_day(session: Session, merchant_id: int, first: date, last: date) -> list[DayOfSales]:
    """Every day from `first` to `last`, in order, also those on which nothing was settled. Three statements however many there are.

    Days that were summed are read from their rows; the orders of the others (today, and a day that has changed since) one by one.
    """
    columns = (SettledDay.day, SettledDay.orders, SettledDay.gross, SettledDay.refunded, SettledDay.sold)
    summed_days = session.execute(
        sa.select(*columns).where(
            SettledDay.merchant_id == merchant_id, SettledDay.day >= first, SettledDay.day <= last, SettledDay.counted_at.is_not(None),
            SettledDay.sold_at == SettledDay.counted_at,
        )
    )  # fmt: skip
    found = {
        row.day: one_as(DayOfSales, row, leave_out=("sold",), sold=from_document(row.sold)) for row in summed_days
    }  # fmt: skip
    every = days_between(first, last)
    found |= _one_by_one(session, merchant_id, [day for day in every if day not in found and day <= clock.today()])
    return [found.get(day) or DayOfSales(day) for day in every]


def _one_by_one(session: Session, merchant_id: int, days: Sequence[date]) -> dict[date, DayOfSales]:
    """What the orders of days come to that have no sum."""
    if not days:
        return {}
    spans = _spans(days)
    orders = session.execute(
        sa.select(SETTLED_AT.label("settled_at"), SubOrder.total, SubOrder.refunded_total).where(*_within(merchant_id, spans))
    ).all()
    totals: dict[date, tuple[int, Money, Money]] = {}
    for row in orders:
        day = clock.local(row.settled_at).date()
        number, gross, refunded = totals.get(day, (0, ZERO, ZERO))
        totals[day] = (number + 1, gross + row.total, refunded + row.refunded_total)
    lines: dict[date, list[SoldLine]] = {}
    for line in _lines(session, merchant_id, spans):
        lines.setdefault(clock.local(line.settled_at).date(), []).append(line)
    return {
        day: DayOfSales(day, number, gross, refunded, sold(lines.get(day, ()))) for day, (number, gross, refunded) in totals.items()
    }  # fmt: skip


def _within(merchant_id: int, spans: Iterable[tuple[datetime, datetime]]) -> tuple[sa.ColumnElement[bool], ...]:
    """The orders of a merchant that were settled in one of these spans: each is a walk along the index."""
    return SubOrder.merchant_id == merchant_id, sa.or_(*(sa.and_(since <= SETTLED_AT, until > SETTLED_AT) for since, until in spans))


def _lines(session: Session, merchant_id: int, spans: Iterable[tuple[datetime, datetime]]) -> list[SoldLine]:
    own = ("product_id", "quantity", "short_quantity", "unit_price", "discount_total", "unit_grams", "final_total")
    rows = session.execute(
        sa.select(
            OrderLine.sub_order_id, SETTLED_AT.label("settled_at"), SubOrder.placed_at, *(getattr(OrderLine, name) for name in own)
        )
        .join(SubOrder, SubOrder.id == OrderLine.sub_order_id)
        .where(*_within(merchant_id, spans))
    )
    return all_as(SoldLine, rows)


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
    """Sum open days that have no sum, or one that does not know what was sold, the oldest first, at most so many; how many."""
    has_no_sum = sa.or_(SettledDay.counted_at.is_(None), SettledDay.sold_at.is_distinct_from(SettledDay.counted_at))
    waiting = sa.select(SettledDay).where(has_no_sum, SettledDay.opened_at <= clock.now() - SUMMED_AFTER)
    ordered = waiting.order_by(SettledDay.day, SettledDay.merchant_id).limit(limit)
    days = session.scalars(ordered.with_for_update(skip_locked=True)).all()
    for day in days:  # read after the row was locked: who changes one of its orders waits, or has been waited for
        sums = _added_up(session, day.merchant_id, [(day.begins_at, day.ends_at)])
        day.orders, day.gross, day.refunded = sums.orders, sums.gross, sums.refunded
        day.support, day.commission = sums.support, sums.commission
        day.sold = as_document(sold(_lines(session, day.merchant_id, [(day.begins_at, day.ends_at)])))
        day.counted_at = day.sold_at = clock.now()
    return len(days)


@operation
def forget_sums(session: Session) -> int:
    """Take all sums away, so that they are made anew; how many there were."""
    outcome: Any = session.execute(sa.update(SettledDay).where(SettledDay.counted_at.is_not(None)).values(counted_at=None))
    return int(outcome.rowcount)
