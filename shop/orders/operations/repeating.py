"""Ordering the same as before."""

from __future__ import annotations

from sqlalchemy.orm import Session

from shop.cart import operations as cart
from shop.cart import queries as carts
from shop.cart.rules import CartOwner
from shop.kernel.db import operation
from shop.models.orders import PurchaseState
from shop.orders import queries
from shop.orders.operations.closing import cancel
from shop.orders.queries import Again
from shop.payments.errors import PaymentClosed
from shop.platform.actor import Actor


@operation
def repeat(session: Session, actor: Actor, number: str, point_id: int | None) -> list[Again]:
    """Put what can be had today of an earlier order into its buyer's cart; what became of each line, in the order's own order.

    Of goods that lie in the cart already the larger quantity stays, so that asking twice is asking once. All of it or, refused
    (`NotFound`, `CartFull`), nothing.
    """
    order = queries.mine(session, actor.signed_in_id(), number)
    owner = CartOwner(user_id=actor.user_id)
    found = queries.again(session, order, point_id)
    lying = {item.code: item.quantity for item in carts.items(session, owner, point_id)}
    for line in found:
        if line.quantity > lying.get(line.line.variant_code, 0):
            cart.set_line(session, owner, line.line.variant_code, line.quantity)
    return found


@operation
def take_up_again(session: Session, actor: Actor, number: str, point_id: int | None) -> list[Again]:
    """Give an order up that awaits its payment, and put its goods back into its buyer's cart. Money that still comes goes back.

    Raises `NotFound`, `PaymentClosed` when there is nothing to pay any more, and what `repeat` raises: then nothing has changed.
    """
    order = queries.mine(session, actor.signed_in_id(), number)
    if order.state is not PurchaseState.AWAITING_PAYMENT:
        raise PaymentClosed()
    cancel(session, actor, order.number)
    return repeat(session, actor, order.number, point_id)
