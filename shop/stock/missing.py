"""What was promised could not be found: then there is nothing left to promise."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.db import insert_once, operation
from shop.kernel.statements import table
from shop.models.stock import MovementKind, StockItem, StockMovement
from shop.platform import audit
from shop.platform.actor import Actor
from shop.platform.belonging import sold_by
from shop.stock.tags import Done

ITEMS = table(StockItem)


@operation
def nothing_left(session: Session, actor: Actor, variant_id: int, cause: str) -> int:
    """Sell no more of a variant: the shelf is written down to what is held for orders that await their payment. How many units that
    takes off; 0, and nothing is written, when none could be sold anyway or the `cause` was told before.
    """
    free = sa.select(ITEMS.c.on_hand - ITEMS.c.reserved - ITEMS.c.missing).where(ITEMS.c.variant_id == variant_id)
    left: int = session.execute(free.with_for_update(key_share=True)).scalar_one_or_none() or 0
    if left <= 0:
        return 0
    recorded = insert_once(
        session, StockMovement, merchant_id=sold_by(variant_id), variant_id=variant_id, quantity=-left,
        kind=MovementKind.CORRECTION, cause=cause, order_line_id=None, actor_id=actor.user_id, at=clock.now(),
    )
    if recorded is None:
        return 0
    session.execute(sa.update(ITEMS).where(ITEMS.c.variant_id == variant_id).values(on_hand=ITEMS.c.on_hand - left))
    audit.record(session, actor, Done.STOCK_ADJUSTED, "variant", variant_id, kind=MovementKind.CORRECTION.value, quantity=-left)
    return left
