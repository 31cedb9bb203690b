"""What waits for somebody: the four questions that home answers."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel.money import ZERO, Money
from shop.models.bills import Bill, BillAccount, BillState
from shop.models.orders import Purchase, PurchaseState, SubOrder, SubOrderState
from shop.models.pickup import Pass, PassState
from shop.platform.actor import Actor


@dataclass(frozen=True, slots=True)
class Waiting:
    """Counts of what waits, orders by the whole order, and the code to collect with."""

    ready: int = 0
    on_the_way: int = 0
    to_pay: int = 0
    bills_due: int = 0
    bills_total: Money = ZERO
    pass_code: str = ""


def waiting_for(session: Session, actor: Actor) -> Waiting:
    """What waits for the person who asks; nothing for strangers."""
    if actor.user_id is None:
        return Waiting()
    mine, orders = SubOrder.user_id == actor.user_id, sa.func.count(SubOrder.purchase_id.distinct())
    paid = sa.exists().where(Purchase.id == SubOrder.purchase_id, Purchase.state == PurchaseState.PAID)
    coming = [SubOrderState.PLACED, SubOrderState.ACCEPTED, SubOrderState.PACKED, SubOrderState.IN_TRANSIT]
    counts = session.execute(
        sa.select(
            sa.select(orders).where(mine, SubOrder.state == SubOrderState.READY).scalar_subquery(),
            sa.select(orders).where(mine, SubOrder.state.in_(coming), paid).scalar_subquery(),
            sa.select(sa.func.count())
            .where(Purchase.user_id == actor.user_id, Purchase.state == PurchaseState.AWAITING_PAYMENT).scalar_subquery(),
            sa.select(Pass.code).where(Pass.user_id == actor.user_id, Pass.state == PassState.LIVE).limit(1).scalar_subquery(),
        )
    ).one()  # fmt: skip
    due = session.execute(
        sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(Bill.total), 0))
        .join(BillAccount, sa.and_(BillAccount.biller_id == Bill.biller_id, BillAccount.account_no == Bill.account_no))
        .where(BillAccount.user_id == actor.user_id, BillAccount.removed_at.is_(None), Bill.state == BillState.DUE)
    ).one()
    total = due[1] if isinstance(due[1], Money) else Money(int(due[1]))
    return Waiting(counts[0], counts[1], counts[2], due[0], total, counts[3] or "")
