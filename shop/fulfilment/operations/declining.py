"""At the merchant: something of an order, or all of it, is not there."""

from __future__ import annotations

from sqlalchemy.orm import Session

from shop.fulfilment import orders_to_pack
from shop.kernel.db import operation
from shop.kernel.errors import NotFound
from shop.orders import operations as orders
from shop.orders.permissions import OrderPermission
from shop.platform.actor import Actor


@operation
def decline(session: Session, actor: Actor, number: str, reason: str) -> None:
    """Say that one of the merchant's own orders cannot be delivered: all of its money goes back, and the buyer reads why.

    Raises `NotFound`, `WrongState`, `ReasonMissing`.
    """
    order = orders_to_pack.get_order(session, actor.merchants(OrderPermission.SHOP_DECLINE), number)
    orders.decline(session, actor, order.id, reason)


@operation
def short_line(
    session: Session, actor: Actor, number: str, line_id: int, there: int, reason: str, *, keep_selling: bool = False
) -> orders.Short:  # fmt: skip
    """Say that only `there` of a line of one of the merchant's own orders are there. Raises `NotFound`, and as `orders.short_line`."""
    order = orders_to_pack.get_order(session, actor.merchants(OrderPermission.SHOP_DECLINE), number)
    if line_id not in {line.id for line in orders_to_pack.lines_of(session, [order.id])[order.id]}:
        raise NotFound()
    return orders.short_line(session, actor, line_id, there, reason, keep_selling=keep_selling)
