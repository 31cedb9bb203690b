"""An order ends before it was collected: not paid in time, cancelled, not to be had; or comes back to life."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.db import operation, take
from shop.kernel.errors import NotFound, ShopError
from shop.models.orders import OrderLine, Purchase, PurchaseState, SubOrder, SubOrderState
from shop.models.payments import Payment
from shop.models.pickup import Cycle
from shop.orders.errors import TooLateToCancel, WrongState
from shop.orders.operations.opening import line_ids
from shop.orders.operations.refunding import Part, give_back, lock_payment, part_of, parts_where
from shop.orders.rules import COMES_FROM, DONE, works_for
from shop.payments import operations as payments
from shop.pickup import operations as pickup
from shop.pickup.rules import is_open
from shop.platform import audit, notices
from shop.platform.actor import JOB, Actor
from shop.stock import operations as stock

PURCHASES = cast(sa.Table, Purchase.__table__)
SUB_ORDERS = cast(sa.Table, SubOrder.__table__)
LINES = cast(sa.Table, OrderLine.__table__)


@operation
def expire(session: Session, purchase_id: int) -> bool:
    """An unpaid purchase runs out: goods and slots are free again. False, and nothing happens, when it is not awaiting payment.

    The caller has made sure that the provider will take no more money for it.
    """
    row = _close_unpaid(session, purchase_id, PurchaseState.EXPIRED)
    if row is None:
        return False
    audit.record(session, JOB, "purchase.expired", "purchase", purchase_id)
    notices.post(
        session, row.user_id, "orders.expired", dedupe_key=f"purchase:{purchase_id}:expired:{row.closed_at:%Y%m%d%H%M%S}",
        link=f"/orders/{row.number}", number=row.number,
    )
    return True


@operation
def revive(session: Session, purchase_id: int) -> bool:
    """Money came for a purchase that had run out: take slots and goods again, and wait for `mark_paid`.

    False, and nothing has happened, when they are no longer to be had or the purchase was cancelled by its buyer.
    """
    try:
        with session.begin_nested():
            _reopen(session, purchase_id)
    except ShopError:
        return False
    audit.record(session, JOB, "purchase.revived", "purchase", purchase_id)
    return True


def _reopen(session: Session, purchase_id: int) -> None:
    expired = sa.update(PURCHASES).where(PURCHASES.c.id == purchase_id, PURCHASES.c.state == PurchaseState.EXPIRED)
    if not take(session, expired.values(state=PurchaseState.AWAITING_PAYMENT, closed_at=None)):
        raise WrongState()
    session.execute(
        sa.update(SUB_ORDERS)
        .where(SUB_ORDERS.c.purchase_id == purchase_id, SUB_ORDERS.c.state == SubOrderState.CANCELLED)
        .values(state=SubOrderState.PLACED, cancelled_at=None)
    )
    expires_at = session.execute(sa.select(PURCHASES.c.expires_at).where(PURCHASES.c.id == purchase_id)).scalar_one()
    pickup.book_slots(session, [part.cycle_id for part in parts_where(session, SUB_ORDERS.c.purchase_id == purchase_id)])
    stock.reserve_again(session, line_ids(session, purchase_id), expires_at)


@operation
def cancel(session: Session, actor: Actor, number: str) -> str:
    """The buyer cancels a purchase, or one sub-order of a paid one, before its cut-off and before anybody began to prepare it.

    Everything paid for it goes back; goods and slots are free again. The purchase's number. Raises `TooLateToCancel`, `NotFound`.
    """
    purchase, parts = _mine(session, actor, number)
    if purchase.state is PurchaseState.AWAITING_PAYMENT:
        attempts = sa.select(Payment.id).where(Payment.purchase_id == purchase.id).order_by(Payment.id)
        session.execute(attempts.with_for_update(key_share=True))
        payments.give_up(session, purchase_id=purchase.id)
        if _close_unpaid(session, purchase.id, PurchaseState.CANCELLED) is None:
            raise WrongState()
        audit.record(session, actor, "purchase.cancelled", "purchase", purchase.id)
        return str(purchase.number)
    if purchase.state is not PurchaseState.PAID:
        raise TooLateToCancel()
    payment_id = lock_payment(session, purchase.id)
    moment = clock.now()
    cut_offs = session.scalars(sa.select(Cycle.cut_off_at).where(Cycle.id.in_([part.cycle_id for part in parts])))
    if not all(is_open(cut_off, moment) for cut_off in cut_offs):
        raise TooLateToCancel()
    _lock_purchase(session, purchase.id)
    parts = _give_up(session, parts, SubOrderState.CANCELLED, TooLateToCancel())
    for part in parts:
        give_back(session, payment_id, part, part.total, f"sub_order:{part.id}:cancelled", "cancelled by the buyer")
        audit.record(session, actor, "sub_order.cancelled", "sub_order", part.id, amount=part.total.fen)
    pickup.free_slots(session, [part.cycle_id for part in parts])
    stock.return_to_stock(session, actor, _wanted(session, parts))
    close_if_done(session, [purchase.id])
    return str(purchase.number)


@operation
def decline(session: Session, actor: Actor, sub_order_id: int, reason: str) -> None:
    """The merchant cannot deliver: what is left of the money goes back, the buyer is told. Goods are not put back into stock.

    Raises `WrongState` once it is at the point, `NotFound` for other people's orders.
    """
    part = part_of(session, sub_order_id)
    if not works_for(actor, part.merchant_id):
        raise NotFound()
    payment_id = lock_payment(session, part.purchase_id)
    _lock_purchase(session, part.purchase_id)
    (part,) = _give_up(session, [part], SubOrderState.SHORT, WrongState())
    left = part.total - part.refunded_total
    if left:
        give_back(session, payment_id, part, left, f"sub_order:{part.id}:short", reason)
    audit.record(session, actor, "sub_order.declined", "sub_order", part.id, amount=left.fen, reason=reason)
    notices.post(
        session, part.user_id, "orders.short", dedupe_key=f"sub_order:{part.id}:short", link=f"/orders/{part.number.rpartition('-')[0]}",
        number=part.number, amount=str(left),
    )
    pickup.free_slots(session, [part.cycle_id])
    close_if_done(session, [part.purchase_id])


def _mine(session: Session, actor: Actor, number: str) -> tuple[Any, list[Part]]:
    """The buyer's purchase with this number, or with a sub-order of this number; and the sub-orders that are meant."""
    user_id = actor.signed_in_id()
    parts = parts_where(session, SUB_ORDERS.c.number == number, SUB_ORDERS.c.user_id == user_id)
    wanted = PURCHASES.c.id == parts[0].purchase_id if parts else PURCHASES.c.number == number
    purchase = session.execute(
        sa.select(PURCHASES.c.id, PURCHASES.c.number, PURCHASES.c.state).where(wanted, PURCHASES.c.user_id == user_id)
    ).one_or_none()
    if purchase is None:
        raise NotFound()
    return purchase, parts or parts_where(session, SUB_ORDERS.c.purchase_id == purchase.id, SUB_ORDERS.c.state != SubOrderState.CANCELLED)


def _close_unpaid(session: Session, purchase_id: int, state: PurchaseState) -> sa.Row[Any] | None:
    """Compare-and-set away from awaiting payment, then give slots and goods back."""
    moment = clock.now()
    closed = session.execute(
        sa.update(PURCHASES)
        .where(PURCHASES.c.id == purchase_id, PURCHASES.c.state == PurchaseState.AWAITING_PAYMENT)
        .values(state=state, closed_at=moment)
        .returning(PURCHASES.c.number, PURCHASES.c.user_id, PURCHASES.c.closed_at)
    ).one_or_none()
    if closed is None:
        return None
    freed = session.execute(
        sa.update(SUB_ORDERS)
        .where(SUB_ORDERS.c.purchase_id == purchase_id, SUB_ORDERS.c.state == SubOrderState.PLACED)
        .values(state=SubOrderState.CANCELLED, cancelled_at=moment)
        .returning(SUB_ORDERS.c.cycle_id)
    )
    pickup.free_slots(session, list(freed.scalars()))
    stock.release(session, line_ids(session, purchase_id))
    return closed


def _give_up(session: Session, parts: Sequence[Part], state: SubOrderState, refusal: ShopError) -> list[Part]:
    """Compare-and-set sub-orders into an end state, all or none; as they were before."""
    ids = [part.id for part in parts]
    before = {part.id: part for part in parts_where(session, SUB_ORDERS.c.id.in_(ids))}
    values = {"state": state, "cancelled_at": clock.now()} if state is SubOrderState.CANCELLED else {"state": state}
    moved = session.execute(
        sa.update(SUB_ORDERS)
        .where(SUB_ORDERS.c.id.in_(ids), SUB_ORDERS.c.state.in_(COMES_FROM[state]))
        .values(values)
        .returning(SUB_ORDERS.c.id)
    ).all()
    if not ids or len(moved) != len(ids):
        raise refusal
    return [before[part_id] for part_id in sorted(ids)]


def _wanted(session: Session, parts: Sequence[Part]) -> list[stock.Wanted]:
    lines = sa.select(LINES.c.variant_id, LINES.c.id, LINES.c.quantity).where(LINES.c.sub_order_id.in_([part.id for part in parts]))
    return [stock.Wanted(*row) for row in session.execute(lines)]


def _lock_purchase(session: Session, purchase_id: int) -> None:
    """Let nobody else decide at the same time whether the purchase is done."""
    session.execute(sa.select(PURCHASES.c.id).where(PURCHASES.c.id == purchase_id).with_for_update(key_share=True))


def close_if_done(session: Session, purchase_ids: Sequence[int]) -> None:
    """A paid purchase ends with its last sub-order: cancelled when all were, else completed. Needs the purchases locked."""
    states: dict[int, set[SubOrderState]] = defaultdict(set)
    for purchase_id, state in session.connection().execute(
        sa.select(SUB_ORDERS.c.purchase_id, SUB_ORDERS.c.state).where(SUB_ORDERS.c.purchase_id.in_(purchase_ids))
    ):
        states[purchase_id].add(state)
    done = {purchase_id for purchase_id, found in states.items() if found.issubset(DONE)}
    cancelled = {purchase_id for purchase_id in done if states[purchase_id].issubset({SubOrderState.CANCELLED, SubOrderState.SHORT})}
    moment = clock.now()
    for ended, values in (
        (cancelled, {"state": PurchaseState.CANCELLED, "closed_at": moment}),
        (done - cancelled, {"state": PurchaseState.COMPLETED, "completed_at": moment}),
    ):
        if ended:
            paid = sa.update(PURCHASES).where(PURCHASES.c.id.in_(sorted(ended)), PURCHASES.c.state == PurchaseState.PAID)
            session.connection().execute(paid.values(values))
