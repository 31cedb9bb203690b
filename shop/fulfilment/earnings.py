"""What a merchant earned: the statement, order by order and summed, and what is still on its way to being theirs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.fulfilment.orders_to_pack import PAGE, OrderRow, rows_of
from shop.fulfilment.rules import PAID
from shop.kernel.money import Money
from shop.kernel.rows import all_as
from shop.models.orders import Purchase, SubOrder, SubOrderState
from shop.orders import settled_days
from shop.orders.settled_days import SETTLED_AT


@dataclass(frozen=True, slots=True)
class Owed:
    """What stands on a merchant's account beside the ledger: still on the way to being theirs."""

    in_escrow: Money
    orders_in_escrow: int


def in_escrow(session: Session, merchant_id: int) -> Owed:
    """Paid by buyers, not collected yet; before commission."""
    open_states = (SubOrderState.PLACED, SubOrderState.ACCEPTED, SubOrderState.PACKED, SubOrderState.IN_TRANSIT, SubOrderState.READY)
    row = session.execute(
        sa.select(sa.func.sum(SubOrder.total), sa.func.sum(SubOrder.refunded_total), sa.func.count())
        .join(Purchase, Purchase.id == SubOrder.purchase_id)
        .where(SubOrder.merchant_id == merchant_id, SubOrder.state.in_(open_states), Purchase.state.in_(PAID))
    ).one()
    total, refunded = row[0] or Money(0), row[1] or Money(0)
    return Owed(total - refunded, row[2])


@dataclass(frozen=True, slots=True)
class Earned:
    """What the collected orders of a span brought, each figure summed over orders, so that it is what the ledger moved."""

    orders: int
    gross: Money
    refunded: Money
    support: Money
    commission: Money

    @property
    def kept(self) -> Money:
        """What the buyers paid in the end."""
        return self.gross - self.refunded

    @property
    def net(self) -> Money:
        """What the merchant is owed for them."""
        return self.kept + self.support - self.commission


def _settled(since: datetime | None, until: datetime | None) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = [SETTLED_AT.is_not(None)]
    if since is not None:
        conditions.append(since <= SETTLED_AT)
    if until is not None:
        conditions.append(until > SETTLED_AT)
    return conditions


def earned(session: Session, merchant_id: int, first: date | None = None, last: date | None = None) -> Earned:
    """The orders of the days from `first` to `last` (none: all there are), collected or not collected in time, added up.

    Days that are over are read from their sums, the others order by order.
    """
    sums = settled_days.summed(session, merchant_id, first, last)
    return Earned(sums.orders, sums.gross, sums.refunded, sums.support, sums.commission)


def collected_orders(
    session: Session, merchant_id: int, before: int | None = None, limit: int = PAGE, since: datetime | None = None,
    until: datetime | None = None,
) -> tuple[list[OrderRow], int | None]:  # fmt: skip
    """The statement: orders of a span, collected or not collected in time, with what they brought, the newest first."""
    found = rows_of([merchant_id]).where(SubOrder.merchant_id == merchant_id, *_settled(since, until))
    if before is not None:
        place = session.scalar(sa.select(SETTLED_AT).select_from(SubOrder).where(SubOrder.id == before))
        if place is None:
            return [], None
        found = found.where(place >= SETTLED_AT, sa.or_(place > SETTLED_AT, SubOrder.id < before))
    rows = all_as(OrderRow, session.execute(found.order_by(SETTLED_AT.desc(), SubOrder.id.desc()).limit(limit + 1)))
    return rows[:limit], rows[limit - 1].id if len(rows) > limit else None
