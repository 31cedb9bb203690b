"""Writes that join a merchant's role with another feature's operation."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from shop.catalog import operations as catalog
from shop.fulfilment import orders_to_pack
from shop.fulfilment.queries import MERCHANT_ROLES
from shop.kernel.db import operation
from shop.kernel.errors import NotFound
from shop.kernel.money import Money
from shop.models.orders import SubOrderState
from shop.orders import operations as orders
from shop.platform.actor import Actor
from shop.stock import shelves


@operation
def change_price(session: Session, actor: Actor, variant_code: str, price: Money) -> None:
    """Give one of the merchant's own variants a new price. Raises `NotFound` for others, `PriceNotPositive`."""
    shelf = shelves.get_shelf(session, actor.merchants(*MERCHANT_ROLES), variant_code)
    catalog.set_price(session, actor, shelf.variant_id, price)


@operation
def decline(session: Session, actor: Actor, number: str, reason: str) -> None:
    """Say that one of the merchant's own orders cannot be delivered: all of its money goes back. Raises `NotFound`, `WrongState`."""
    order = orders_to_pack.get_order(session, actor.merchants(*MERCHANT_ROLES), number)
    orders.decline(session, actor, order.id, reason)


@operation
def accept_several(session: Session, actor: Actor, numbers: Sequence[str]) -> int:
    """Accept those of the merchant's own orders that wait for it, all or none; how many. Raises `NotFound` if one is not theirs."""
    found = orders_to_pack.orders_named(session, actor.merchants(*MERCHANT_ROLES), numbers)
    if len(found) < len(set(numbers)):
        raise NotFound()
    return sum(orders.accept(session, actor, order.id) for order in found if order.state is SubOrderState.PLACED)
