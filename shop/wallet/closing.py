"""Closing the day: what each account without a kept balance held when the day was over.

The accounts of merchants, billers and the platform keep no balance, because everybody would change the same row. What moved before a
day that is over never changes, so it need not be added up again.
"""

from __future__ import annotations

from datetime import time, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.db import operation
from shop.models.wallet import ClosingBalance, LedgerAccount
from shop.wallet.queries import standing

AFTER_ITS_END = timedelta(hours=1)
"""A day is closed so long after it ended: what was posted in it has been committed by then."""


@operation
def close_day(session: Session) -> int:
    """Write down what accounts held when the last day was over; how many. Told twice, the second time writes nothing."""
    day = clock.local(clock.now() - AFTER_ITS_END).date() - timedelta(days=1)
    ends_at = clock.at(day + timedelta(days=1), time(0))
    closed = sa.exists().where(ClosingBalance.account_id == LedgerAccount.id, ClosingBalance.day >= day)
    accounts = sa.select(LedgerAccount.id).where(LedgerAccount.balance.is_(None), ~closed).order_by(LedgerAccount.id)
    ids = session.scalars(accounts).all()
    for account_id in ids:
        session.add(ClosingBalance(account_id=account_id, day=day, ends_at=ends_at, balance=standing(session, account_id, ends_at)))
    return len(ids)


@operation
def forget(session: Session) -> int:
    """Take all closing balances away, so that the next one is added up from the first transfer on; how many there were."""
    days = session.scalar(sa.select(sa.func.count()).select_from(ClosingBalance)) or 0
    session.execute(sa.delete(ClosingBalance))
    return days
