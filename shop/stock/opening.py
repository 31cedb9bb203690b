"""The first goods of sizes that were just listed, many at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.db import operation
from shop.kernel.errors import NotFound
from shop.kernel.statements import table
from shop.models.stock import MovementKind, StockItem, StockMovement
from shop.platform.actor import Actor
from shop.stock.errors import QuantityOutOfRange
from shop.stock.permissions import StockPermission

MOST = 1_000_000


@dataclass(frozen=True, slots=True)
class First:
    """So many units of a size lie there when it is listed; `cause` is told once for good."""

    variant_id: int
    quantity: int
    cause: str


@operation
def open_shelves(session: Session, actor: Actor, merchant_id: int, wanted: Sequence[First]) -> None:
    """Open the shelf of each size, with a movement where something lies there. For sizes of one's own shop that have no shelf yet.

    Told twice it breaks a unique key and changes nothing. Raises `NotFound` for another's shop, `QuantityOutOfRange`.
    """
    if merchant_id not in actor.merchants(StockPermission.COUNT_WRITE):
        raise NotFound()
    if any(not 0 <= one.quantity <= MOST for one in wanted):
        raise QuantityOutOfRange(least=0, most=MOST)
    if not wanted:
        return
    moment = clock.now()
    session.execute(
        sa.insert(table(StockItem)),
        [{"variant_id": one.variant_id, "on_hand": one.quantity, "reserved": 0, "missing": 0} for one in wanted],
    )
    movements = [
        {
            "merchant_id": merchant_id, "variant_id": one.variant_id, "quantity": one.quantity, "missing_by": 0, "told": one.quantity,
            "kind": MovementKind.RECEIVED, "cause": one.cause, "actor_id": actor.user_id, "at": moment,
        }
        for one in wanted if one.quantity
    ]  # fmt: skip
    if movements:
        session.execute(sa.insert(table(StockMovement)), movements)
