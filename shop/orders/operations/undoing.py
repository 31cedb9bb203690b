"""Packing and sending that were said by mistake are taken back, while nothing was built on them."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel.db import operation
from shop.kernel.errors import NotFound
from shop.kernel.statements import table
from shop.models.orders import SubOrder, SubOrderState
from shop.orders import rules
from shop.orders.errors import ReasonMissing, WrongState
from shop.orders.operations.step import open_steps_of
from shop.orders.permissions import OrderPermission
from shop.orders.tags import Done
from shop.platform import audit
from shop.platform.actor import Actor

SUB_ORDERS = table(SubOrder)


@operation
def unpack(session: Session, actor: Actor, sub_order_ids: Sequence[int], reason: str = "") -> int:
    """Packed orders are open again: accepted, with the weights that were written down. How many; those that are open already are
    passed over. All or nothing: raises `WrongState` (it has left, or ended), `NotFound`.
    """
    ids = _back(session, actor, sub_order_ids, OrderPermission.SHOP_PACK, SubOrderState.ACCEPTED, "packed_at")
    audit.record_each(session, actor, Done.SUB_ORDER_UNPACKED, "sub_order", ids, reason=reason or None)
    return len(ids)


@operation
def bring_back(session: Session, actor: Actor, sub_order_ids: Sequence[int], reason: str) -> int:
    """Orders that were said to have left have not: packed. How many; those that are packed already are passed over.

    All or nothing: raises `WrongState` (it has arrived, or ended), `ReasonMissing`, `NotFound`.
    """
    if not reason.strip():
        raise ReasonMissing()
    ids = _back(session, actor, sub_order_ids, OrderPermission.SHOP_SEND, SubOrderState.PACKED, "in_transit_at")
    audit.record_each(session, actor, Done.SUB_ORDER_BROUGHT_BACK, "sub_order", ids, reason=reason)
    return len(ids)


def _back(
    session: Session, actor: Actor, sub_order_ids: Sequence[int], permission: OrderPermission, state: SubOrderState, time: str
) -> list[int]:
    """Move what stands one step further back to `state`, the ids of those that moved."""
    _steps, parts = open_steps_of(session, sub_order_ids)
    if not all(rules.works_for(actor, part.merchant_id, permission) for part in parts):
        raise NotFound()
    if any(part.state not in (state, rules.COMES_BACK_FROM[state]) for part in parts):
        raise WrongState()
    moved = session.execute(
        sa.update(SUB_ORDERS)
        .where(SUB_ORDERS.c.id.in_([part.id for part in parts]), SUB_ORDERS.c.state == rules.COMES_BACK_FROM[state])
        .values({"state": state, time: None})
        .returning(SUB_ORDERS.c.id)
    ).scalars()
    return sorted(moved)
