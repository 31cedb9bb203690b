"""What a merchant writes down about the shelf: goods that came, were miscounted, spoiled, or sold across the counter."""

from __future__ import annotations

from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.db import insert_once, operation, take
from shop.kernel.errors import Invalid, ShopError, sentence
from shop.models.stock import MovementKind, StockItem, StockMovement
from shop.platform import audit
from shop.platform.actor import Actor
from shop.stock import operations, shelves

ITEMS = cast(sa.Table, StockItem.__table__)
MERCHANT_ROLES = ("merchant_owner", "merchant_clerk")
MOST = 1_000_000

ADDS = (MovementKind.RECEIVED,)
TAKES = (MovementKind.SPOILAGE, MovementKind.OFFLINE_SALE)
COUNTS = (MovementKind.CORRECTION,)


class PromisedGoods(ShopError):
    code, status, field = "promised_goods", 409, "quantity"
    message = sentence("%(reserved)s of these are promised to customers, so the shelf cannot go below that.")


class MoreThanThere(ShopError):
    code, status, field = "more_than_there", 409, "quantity"
    message = sentence("There are only %(on_hand)s on the shelf.")


class QuantityOutOfRange(Invalid):
    code, field = "quantity_out_of_range", "quantity"
    message = sentence("Please enter a whole number from %(least)s to %(most)s.")


@operation
def adjust(session: Session, actor: Actor, variant_code: str, kind: MovementKind, quantity: int, cause: str) -> bool:
    """Write a movement down, once per `cause`; False when it was told before or changes nothing.

    RECEIVED adds `quantity`, SPOILAGE and OFFLINE_SALE take it away, CORRECTION says that so many were counted on the shelf.
    Raises `NotFound` for other merchants' goods, `QuantityOutOfRange`, `MoreThanThere`, `PromisedGoods`.
    """
    shelf = shelves.get_shelf(session, actor.merchants(*MERCHANT_ROLES), variant_code)
    least = 0 if kind in COUNTS else 1
    if not least <= quantity <= MOST or kind not in (*ADDS, *TAKES, *COUNTS):
        raise QuantityOutOfRange(least=least, most=MOST)
    if kind in ADDS:
        changed = operations.receive(session, actor, shelf.variant_id, quantity, cause)
        by = quantity
    else:
        by = _difference(session, shelf.variant_id, kind, quantity)
        changed = by != 0 and _change(session, actor, shelf.variant_id, kind, by, cause)
    if changed:
        audit.record(session, actor, "stock.adjusted", "variant", shelf.variant_id, kind=kind.value, quantity=by)
    return changed


def _difference(session: Session, variant_id: int, kind: MovementKind, quantity: int) -> int:
    """By how much the shelf changes; a count is compared with the row as it is now, locked."""
    if kind in TAKES:
        return -quantity
    locked = sa.select(ITEMS.c.on_hand).where(ITEMS.c.variant_id == variant_id).with_for_update(key_share=True)
    on_hand = session.execute(locked).scalar_one_or_none()
    return quantity - (on_hand or 0)


def _change(session: Session, actor: Actor, variant_id: int, kind: MovementKind, by: int, cause: str) -> bool:
    recorded = insert_once(
        session, StockMovement, variant_id=variant_id, quantity=by, kind=kind, cause=cause, order_line_id=None, actor_id=actor.user_id,
        at=clock.now(),
    )
    if recorded is None:
        return False
    enough = sa.update(ITEMS).where(ITEMS.c.variant_id == variant_id, ITEMS.c.on_hand + by >= ITEMS.c.reserved)
    if take(session, enough.values(on_hand=ITEMS.c.on_hand + by)):
        return True
    there = session.execute(sa.select(ITEMS.c.on_hand, ITEMS.c.reserved).where(ITEMS.c.variant_id == variant_id)).one_or_none()
    if (there.on_hand if there else 0) + by < 0:
        raise MoreThanThere(on_hand=there.on_hand if there else 0)
    if there is not None:
        raise PromisedGoods(reserved=there.reserved)
    session.execute(sa.insert(ITEMS).values(variant_id=variant_id, on_hand=by, reserved=0))
    return True
