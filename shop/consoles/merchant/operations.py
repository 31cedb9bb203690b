"""Writes that join a merchant's role with another feature's operation."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from shop.fulfilment import orders_to_pack
from shop.kernel.db import operation
from shop.kernel.errors import NotFound
from shop.models.orders import SubOrderState
from shop.orders import operations as orders
from shop.orders.permissions import OrderPermission
from shop.platform.actor import Actor


@operation
def unpack_several(session: Session, actor: Actor, numbers: Sequence[str]) -> int:
    """Open those of the merchant's own orders again that are packed, all or none; how many. Raises `NotFound` if one is not theirs."""
    found = orders_to_pack.orders_named(session, actor.merchants(OrderPermission.SHOP_PACK), numbers)
    if len(found) < len(set(numbers)):
        raise NotFound()
    return orders.unpack(session, actor, [order.id for order in found if order.state is SubOrderState.PACKED])


@operation
def accept_several(session: Session, actor: Actor, numbers: Sequence[str]) -> int:
    """Accept those of the merchant's own orders that wait for it, all or none; how many. Raises `NotFound` if one is not theirs."""
    found = orders_to_pack.orders_named(session, actor.merchants(OrderPermission.SHOP_PACK), numbers)
    if len(found) < len(set(numbers)):
        raise NotFound()
    return sum(orders.accept(session, actor, order.id) for order in found if order.state is SubOrderState.PLACED)
