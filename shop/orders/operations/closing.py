"""An order ends before it was collected: not paid in time, cancelled, not to be had; or comes back to life."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.db import operation, take
from shop.kernel.errors import NotFound, ShopError
from shop.kernel.money import Money
from shop.kernel.rows import all_as
from shop.kernel.statements import table
from shop.models.merchants import Merchant
from shop.models.orders import OrderLine, Purchase, PurchaseState, SubOrder, SubOrderState
from shop.models.pickup import Cycle
from shop.orders.errors import ReasonMissing, TooLateToCancel, WrongState
from shop.orders.operations.opening import line_ids
from shop.orders.operations.refunding import give_back
from shop.orders.operations.step import Part, Step, open_step, open_step_of, parts_where
from shop.orders.permissions import OrderPermission
from shop.orders.rules import COMES_FROM, DONE, works_for
from shop.orders.tags import Done
from shop.payments import operations as payments
from shop.pickup import operations as pickup
from shop.pickup.rules import is_open
from shop.platform import audit, notices
from shop.platform.actor import JOB, Actor
from shop.platform.own import refuse_own
from shop.stock import operations as stock
from shop.stock.queries import UNPACKED

PURCHASES = table(Purchase)
SUB_ORDERS = table(SubOrder)
LINES = table(OrderLine)

NOT_TO_BE_HAD = (SubOrderState.CANCELLED, SubOrderState.SHORT)


@operation
def expire(session: Session, purchase_id: int) -> bool:
    """An unpaid purchase runs out: goods and slots are free again. False, and nothing happens, when it is not awaiting payment.

    The caller has made sure that the provider will take no more money for it.
    """
    row = _close_unpaid(session, purchase_id, PurchaseState.EXPIRED)
    if row is None:
        return False
    audit.record(session, JOB, Done.PURCHASE_EXPIRED, "purchase", purchase_id)
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
    audit.record(session, JOB, Done.PURCHASE_REVIVED, "purchase", purchase_id)
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
    purchase_id, wanted = _mine(session, actor, number)
    step = open_step(session, purchase_id)
    if step.state is PurchaseState.AWAITING_PAYMENT:
        payments.give_up(session, purchase_id=purchase_id)
        if _close_unpaid(session, purchase_id, PurchaseState.CANCELLED) is None:
            raise WrongState()
        audit.record(session, actor, Done.PURCHASE_CANCELLED, "purchase", purchase_id)
        return step.number
    if step.state is not PurchaseState.PAID:
        raise TooLateToCancel()
    parts = [part for part in step.parts if part.id == wanted or (wanted is None and part.state not in NOT_TO_BE_HAD)]
    moment = clock.now()
    cut_offs = session.scalars(sa.select(Cycle.cut_off_at).where(Cycle.id.in_([part.cycle_id for part in parts])))
    if not all(is_open(cut_off, moment) for cut_off in cut_offs):
        raise TooLateToCancel()
    _give_up(session, parts, SubOrderState.CANCELLED, TooLateToCancel())
    for part in parts:
        if part.left:
            give_back(session, step, part, part.left, f"sub_order:{part.id}:cancelled", "cancelled by the buyer")
        audit.record(session, actor, Done.SUB_ORDER_CANCELLED, "sub_order", part.id, amount=part.left.fen)
    pickup.free_slots(session, [part.cycle_id for part in parts])
    stock.return_to_stock(session, actor, wanted_of(session, parts))
    close_if_done(session, [purchase_id])
    return step.number


@operation
def decline(session: Session, actor: Actor, sub_order_id: int, reason: str) -> None:
    """The merchant cannot deliver: what is left of the money goes back, and the buyer reads which shop, why, and what still comes.
    Goods are not put back into stock: they are not there.

    Raises `ReasonMissing`, `WrongState` once it is at the point, `NotFound` for other people's orders, `OwnDeed` for one's own purchase.
    """
    if not reason.strip():
        raise ReasonMissing()
    step, part = open_step_of(session, sub_order_id)
    if not works_for(actor, part.merchant_id, OrderPermission.SHOP_DECLINE):
        raise NotFound()
    refuse_own(actor, part.user_id)
    _give_up(session, [part], SubOrderState.SHORT, WrongState(), declined_at=clock.now(), declined_reason=reason)
    left = part.left
    if left:
        give_back(session, step, part, left, f"sub_order:{part.id}:short", reason)
    audit.record(session, actor, Done.SUB_ORDER_DECLINED, "sub_order", part.id, amount=left.fen, reason=reason)
    _tell_declined(session, step, part, left, reason)
    pickup.free_slots(session, [part.cycle_id])
    if part.state in UNPACKED:
        stock.not_there(session, actor, wanted_of(session, [part]))
    close_if_done(session, [part.purchase_id])


def _tell_declined(session: Session, step: Step, part: Part, left: Money, reason: str) -> None:
    """One notice: which shop, why, what went back, and whose goods still come."""
    coming = [other.merchant_id for other in step.parts if other.id != part.id and other.state not in DONE]
    rows = session.execute(
        sa.select(Merchant.id, Merchant.name_zh, Merchant.name_en).where(Merchant.id.in_([part.merchant_id, *coming])).order_by(Merchant.id)
    ).all()
    names = {row.id: {"zh": row.name_zh, "en": row.name_en} for row in rows}
    rest = [names[merchant_id] for merchant_id in sorted(set(coming))]
    facts: dict[str, Any] = {"number": step.number, "shop": names[part.merchant_id], "amount": str(left), "reason": reason}
    if rest:
        facts["rest"] = {"zh": "、".join(name["zh"] for name in rest), "en": ", ".join(name["en"] for name in rest)}
    notices.post(
        session, part.user_id, "orders.declined_in_part" if rest else "orders.declined", dedupe_key=f"sub_order:{part.id}:short",
        link=f"/orders/{step.number}", **facts,
    )


def _mine(session: Session, actor: Actor, number: str) -> tuple[int, int | None]:
    """The buyer's purchase with this number; or the one with a sub-order of this number, and that sub-order."""
    user_id = actor.signed_in_id()
    for part in parts_where(session, SUB_ORDERS.c.number == number, SUB_ORDERS.c.user_id == user_id):
        return part.purchase_id, part.id
    purchase_id = session.scalar(sa.select(PURCHASES.c.id).where(PURCHASES.c.number == number, PURCHASES.c.user_id == user_id))
    if purchase_id is None:
        raise NotFound()
    return purchase_id, None


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


def _give_up(session: Session, parts: Sequence[Part], state: SubOrderState, refusal: ShopError, **told: Any) -> None:
    """Compare-and-set sub-orders into an end state, all or none."""
    ids = [part.id for part in parts]
    values = {"state": state, "cancelled_at" if state is SubOrderState.CANCELLED else "ended_at": clock.now(), **told}
    moved = session.execute(
        sa.update(SUB_ORDERS)
        .where(SUB_ORDERS.c.id.in_(ids), SUB_ORDERS.c.state.in_(COMES_FROM[state]))
        .values(values)
        .returning(SUB_ORDERS.c.id)
    ).all()
    if not ids or len(moved) != len(ids):
        raise refusal


def wanted_of(session: Session, parts: Sequence[Part]) -> list[stock.Wanted]:
    """The goods of these sub-orders that are there: what was missing is not put back."""
    there = LINES.c.quantity - LINES.c.short_quantity
    lines = sa.select(LINES.c.variant_id, LINES.c.id.label("order_line_id"), there.label("quantity")).where(
        LINES.c.sub_order_id.in_([part.id for part in parts]), there > 0
    )
    return all_as(stock.Wanted, session.execute(lines))


def close_if_done(session: Session, purchase_ids: Sequence[int]) -> None:
    """A paid purchase ends with its last sub-order: cancelled when all were, else completed. Within a step on each."""
    states: dict[int, set[SubOrderState]] = defaultdict(set)
    for purchase_id, state in session.connection().execute(
        sa.select(SUB_ORDERS.c.purchase_id, SUB_ORDERS.c.state).where(SUB_ORDERS.c.purchase_id.in_(purchase_ids))
    ):
        states[purchase_id].add(state)
    done = {purchase_id for purchase_id, found in states.items() if found.issubset(DONE)}
    cancelled = {purchase_id for purchase_id in done if states[purchase_id].issubset(NOT_TO_BE_HAD)}
    moment = clock.now()
    for ended, values in (
        (cancelled, {"state": PurchaseState.CANCELLED, "closed_at": moment}),
        (done - cancelled, {"state": PurchaseState.COMPLETED, "completed_at": moment}),
    ):
        if ended:
            paid = sa.update(PURCHASES).where(PURCHASES.c.id.in_(sorted(ended)), PURCHASES.c.state == PurchaseState.PAID)
            session.connection().execute(paid.values(values))
