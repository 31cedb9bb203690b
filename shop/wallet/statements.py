"""Statements: what came in and went out of a wallet, and what each entry was about."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from shop.kernel import clock
from shop.kernel.money import ZERO, Money
from shop.models.bills import Biller, BillPayment, BillPaymentState
from shop.models.merchants import Merchant
from shop.models.orders import Purchase, SubOrder
from shop.models.payments import Payment, Refund
from shop.models.wallet import Transfer, TransferKind

PAGE = 20
LAST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a statement: `amount` is positive when money came in."""

    id: int
    at: datetime
    kind: TransferKind
    amount: Money
    subject_type: str
    subject_id: int


@dataclass(frozen=True, slots=True)
class MonthTotals:
    """What came in and what went out in one month; neither is below zero, and their difference is what the balance moved by.

    What was `given_back` for orders and bills is no income: it is taken off what went out. Where more came back than went out, for
    something of an earlier month, the rest came in.
    """

    came_in: Money
    went_out: Money
    given_back: Money = ZERO


GIVEN_BACK = (TransferKind.REFUND, TransferKind.BILL_RETURNED)


def totals_of(credited: Money, given_back: Money, debited: Money) -> MonthTotals:
    """The totals of a month from all that was credited, what of it was given back, and all that was debited."""
    spent = debited - given_back
    return MonthTotals(credited - given_back + max(-spent, ZERO), max(spent, ZERO), given_back)


def month_bounds(month: date) -> tuple[datetime, datetime]:
    """The first moment of a business month and of the next one."""
    first = month.replace(day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    return clock.at(first, time(0)), clock.at(following, time(0))


def statement(
    session: Session, account_id: int, *, month: date | None = None, before: int | None = None, limit: int = PAGE
) -> tuple[Sequence[Entry], int | None]:
    """Newest entries first, at most `limit`, and where the next page starts (give it back as `before`)."""
    legs = [_leg(account_id, is_credit, month, before, limit + 1) for is_credit in (True, False)]
    both: Any = sa.union_all(*legs).subquery()
    rows = session.execute(sa.select(both).order_by(both.c.at.desc(), both.c.id.desc()).limit(limit + 1)).all()
    entries = [
        Entry(row.id, row.at, row.kind, row.amount if row.is_credit else -row.amount, row.subject_type, row.subject_id)
        for row in rows[:limit]
    ]
    return entries, entries[-1].id if len(rows) > limit else None


def _leg(account_id: int, is_credit: bool, month: date | None, before: int | None, limit: int) -> sa.Select[Any]:
    """One side of a statement; each side is one walk along its index."""
    side = Transfer.credit_account_id if is_credit else Transfer.debit_account_id
    columns = (Transfer.id, Transfer.at, Transfer.kind, Transfer.amount, Transfer.subject_type, Transfer.subject_id)
    leg = sa.select(*columns, sa.literal(is_credit).label("is_credit")).where(side == account_id)
    if month is not None:
        start, end = month_bounds(month)
        leg = leg.where(Transfer.at >= start, Transfer.at < end)
    if before is not None:
        before = min(before, LAST_ID)  # an address may say anything; a place that is not there is followed by nothing
        place = sa.select(Transfer.at).where(Transfer.id == before).scalar_subquery()
        leg = leg.where(sa.or_(Transfer.at < place, sa.and_(Transfer.at == place, Transfer.id < before)))
    newest = leg.order_by(Transfer.at.desc(), Transfer.id.desc()).limit(limit).subquery()
    return sa.select(newest)


def recent_months(session: Session, account_id: int, last: date, count: int = 6) -> list[tuple[date, MonthTotals]]:
    """What came in and went out in the months up to `last`, oldest first. Two queries, however many months."""
    months = [last.replace(day=1)]
    while len(months) < count:
        months.insert(0, (months[0] - timedelta(days=1)).replace(day=1))
    bounds = [month_bounds(month) for month in months]
    within = [sa.and_(Transfer.at >= start, Transfer.at < end) for start, end in bounds]
    back = [sa.and_(month, Transfer.kind.in_(GIVEN_BACK)) for month in within]

    def sums(side: InstrumentedAttribute[int], parts: list[sa.ColumnElement[bool]]) -> list[Money]:
        columns = [sa.func.sum(Transfer.amount).filter(part) for part in parts]
        mine = (side == account_id, Transfer.at >= bounds[0][0], Transfer.at < bounds[-1][1])
        return [total or ZERO for total in session.execute(sa.select(*columns).where(*mine)).one()]

    credited, debited = sums(Transfer.credit_account_id, within + back), sums(Transfer.debit_account_id, within)
    return [
        (month, totals_of(came, returned, went))
        for month, came, returned, went in zip(months, credited[:count], credited[count:], debited, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class SubjectFacts:
    """What an entry was about, by the names people know: an order's number and shop, a bill and its biller.

    `bill_state` is how far the payment of a bill is now, not when its money moved.
    """

    number: str = ""
    name_zh: str = ""
    name_en: str = ""
    what: str = ""  # "order", "bill", "top_up" or nothing
    bill_state: BillPaymentState | None = None


def subjects(session: Session, entries: Sequence[Entry]) -> dict[tuple[str, int], SubjectFacts]:
    """The subjects of a page of entries: one query per kind of subject, however many entries."""
    wanted: dict[str, set[int]] = {}
    for entry in entries:
        wanted.setdefault(entry.subject_type, set()).add(entry.subject_id)
    found: dict[tuple[str, int], SubjectFacts] = {}
    for subject_type, find_facts in {"sub_order": _orders, "bill_payment": _bills, "refund": _refunds, "payment": _payments}.items():
        if ids := wanted.get(subject_type):
            found.update({(subject_type, subject_id): facts for subject_id, facts in find_facts(session, ids).items()})
    return found


def _orders(session: Session, ids: Collection[int]) -> dict[int, SubjectFacts]:
    rows = session.execute(
        sa.select(SubOrder.id, Purchase.number, Merchant.name_zh, Merchant.name_en)
        .join(Purchase, Purchase.id == SubOrder.purchase_id)
        .join(Merchant, Merchant.id == SubOrder.merchant_id)
        .where(SubOrder.id.in_(ids))
    )
    return {row.id: SubjectFacts(row.number, row.name_zh, row.name_en, "order") for row in rows}


def _bills(session: Session, ids: Collection[int]) -> dict[int, SubjectFacts]:
    rows = session.execute(
        sa.select(BillPayment.id, BillPayment.ref, BillPayment.state, Biller.name_zh, Biller.name_en)
        .join(Biller, Biller.id == BillPayment.biller_id)
        .where(BillPayment.id.in_(ids))
    )
    return {row.id: SubjectFacts(row.ref, row.name_zh, row.name_en, "bill", row.state) for row in rows}


def _refunds(session: Session, ids: Collection[int]) -> dict[int, SubjectFacts]:
    rows = session.execute(
        sa.select(Refund.id, Refund.sub_order_id, Payment.bill_payment_id)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Refund.id.in_(ids))
    ).all()
    orders = _orders(session, {row.sub_order_id for row in rows if row.sub_order_id})
    bills = _bills(session, {row.bill_payment_id for row in rows if row.bill_payment_id})
    found = {row.id: orders.get(row.sub_order_id) or bills.get(row.bill_payment_id) for row in rows}
    return {refund_id: facts for refund_id, facts in found.items() if facts is not None}


def _payments(session: Session, ids: Collection[int]) -> dict[int, SubjectFacts]:
    rows = session.execute(sa.select(Payment.id, Payment.ref, Payment.purpose).where(Payment.id.in_(ids)))
    return {row.id: SubjectFacts(number=row.ref, what=row.purpose.value) for row in rows}
