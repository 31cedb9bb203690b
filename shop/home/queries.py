"""What waits for somebody: the four questions that home answers."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.bills.queries import due_in_all
from shop.kernel.money import ZERO, Money
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
    due = due_in_all(session, actor.user_id)
    return Waiting(counts[0], counts[1], counts[2], due.count, due.total, counts[3] or "")
