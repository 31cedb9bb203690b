"""What waits too long ends: by itself when its time is over, or because somebody at the point or in operations says so before."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.accounts.queries import staff_of_merchants
from shop.counter import operations as counter
from shop.counter.permissions import CounterPermission
from shop.fulfilment import overdue
from shop.fulfilment.collecting import SUB_ORDER, tell_shop
from shop.fulfilment.endings import NOT_HERE, Wait
from shop.fulfilment.errors import NotOverdue
from shop.fulfilment.overdue import LateDelivery, Reminder, Waiting
from shop.fulfilment.permissions import FulfilmentPermission
from shop.fulfilment.tags import Done
from shop.kernel import clock
from shop.kernel.db import operation
from shop.kernel.errors import NotFound
from shop.kernel.money import Money
from shop.kernel.statements import table
from shop.models.orders import SubOrder, SubOrderState
from shop.models.pickup import OPEN_BATCHES, Batch, BatchState, Cycle, Pass
from shop.orders import operations as orders
from shop.orders.operations.step import open_step
from shop.orders.permissions import OrderPermission
from shop.platform import audit, notices, outbox
from shop.platform.actor import JOB, Actor
from shop.platform.language import group_code
from shop.platform.own import refuse_own

BATCHES = table(Batch)

BY_ITSELF = {
    Wait.TO_PACK: "never packed", Wait.TO_SEND: "never sent", Wait.ON_THE_WAY: "never arrived", Wait.MISSING: "missing",
    Wait.TO_COLLECT: "not collected",
}  # fmt: skip
"""The reasons on record when nobody gave one."""

COMING = (SubOrderState.PLACED, SubOrderState.ACCEPTED, SubOrderState.PACKED, SubOrderState.IN_TRANSIT)
STILL_OPEN = (*COMING, SubOrderState.READY)


@operation
def end_by_itself(session: Session, sub_order_id: int) -> bool:
    """End what has waited its whole time. False, and nothing happens, when it has ended or moved on meanwhile."""
    found = _locked(session, sub_order_id)
    if found is None or found.wait is Wait.TO_CLAIM or found.ends_at > clock.now():
        return False
    _end(session, JOB, found, BY_ITSELF[found.wait])
    return True


@operation
def end_now(session: Session, actor: Actor, number: str, reason: str) -> Money:
    """An operator does not wait any longer for what should be here, or for a buyer whose pass ran out; what goes back.

    Raises `NotFound`, `OwnDeed` for the buyer, `NotOverdue` when it is not late, or has ended or moved on meanwhile.
    """
    if not actor.may(FulfilmentPermission.OVERDUE_END):
        raise NotFound()
    return _end_of(session, actor, number, reason)


@operation
def clear(session: Session, actor: Actor, number: str, reason: str) -> Money:
    """A keeper takes goods off the shelf whose pass ran out; what goes back to the buyer. Raises `NotFound`, `NotOverdue`, `OwnDeed`."""
    here = overdue.find_by_number(session, number)
    if here is None or here.pickup_point_id not in actor.points(CounterPermission.SHELF_CLEAR):
        raise NotFound()
    if here.wait is not Wait.TO_COLLECT:
        raise NotOverdue()
    return _end_of(session, actor, number, reason)


def _end_of(session: Session, actor: Actor, number: str, reason: str) -> Money:
    named = overdue.find_by_number(session, number)
    if named is None:
        raise NotFound()
    refuse_own(actor, named.user_id)
    found = _locked(session, named.id)
    if found is None or found.wait is not named.wait or not found.can_be_ended or found.since > clock.now():
        raise NotOverdue()
    return _end(session, actor, found, reason)


def _locked(session: Session, sub_order_id: int) -> Waiting | None:
    """What it waits for now that nobody else can move it: its pass is locked first, as at the counter, then its order."""
    seen = overdue.find(session, sub_order_id)
    if seen is None:
        return None
    if seen.pass_id is not None:
        session.execute(sa.select(Pass.id).where(Pass.id == seen.pass_id).with_for_update(key_share=True))
    open_step(session, seen.purchase_id)
    return overdue.find(session, sub_order_id)


def _end(session: Session, actor: Actor, found: Waiting, reason: str) -> Money:
    """The end itself; what goes back to the buyer."""
    if found.wait not in NOT_HERE:
        return counter.give_up(session, actor, SUB_ORDER, found.id, reason)
    step = open_step(session, found.purchase_id)
    back = orders.not_delivered(session, actor, step, step.part(found.id), reason)
    tell_shop(session, found, "fulfilment.shop_not_delivered", back)
    return back


@operation
def tell_shops(session: Session, late: Sequence[LateDelivery]) -> None:
    """Tell everybody who works for a shop that a delivery of it is late, once; and once more when some of it is missing at the point."""
    staff = staff_of_merchants(session, {delivery.merchant_id for delivery in late}, OrderPermission.SHOP_READ)
    for delivery in late:
        kind = "missing" if delivery.missing else "late"
        for user_id in staff.get(delivery.merchant_id, ()):
            notices.post(
                session, user_id, f"fulfilment.shop_{kind}", dedupe_key=f"cycle:{delivery.cycle_id}:{kind}:{user_id}",
                link="/merchant/overdue", code=delivery.code, orders=delivery.missing or delivery.orders,
                point={"zh": delivery.point_name_zh, "en": delivery.point_name_en},
            )


@operation
def tell_buyers(session: Session, late: Sequence[Waiting]) -> None:
    """Tell the buyers of orders that should be here, once each, until when they get goods or money."""
    for one in late:
        notices.post(
            session, one.user_id, "fulfilment.late", dedupe_key=overdue.late_key(one.id), link=f"/orders/{one.order_number}",
            number=one.number, amount=str(one.left), until=one.ends_at.isoformat(),
        )


@operation
def remind(session: Session, found: Sequence[Reminder]) -> None:
    """Remind people once more that something waits for them; the second time by SMS as well."""
    rows = session.execute(sa.select(Pass.id, Pass.code).where(Pass.id.in_([one.pass_id for one in found])))
    codes = {row.id: row.code for row in rows}
    for one in found:
        key = overdue.reminder_key(one.pass_id, one.time)
        is_new = notices.post(
            session, one.user_id, "fulfilment.still_waiting", dedupe_key=key, link=f"/pickup/{one.ref}", orders=one.orders,
            code=group_code(codes[one.pass_id]), until=one.valid_until.isoformat(),
        )
        if is_new and one.time > 1:
            outbox.enqueue(
                session, "fulfilment.tell_waiting", dedupe_key=f"fulfilment.tell_{key}", about=("pass", one.pass_id), pass_id=one.pass_id,
                orders=one.orders, occasion=key,
            )


@operation
def close_batches(session: Session, after: int = 0, limit: int = 200) -> tuple[int, int | None]:
    """Batches of which nothing more is to come are checked, those of which nothing waits any more are closed.

    How many of the next `limit` open batches moved, and where to go on; None when these were the last.
    """
    moment = clock.now()
    looked_at = (
        sa.select(Batch.id, Batch.state, Cycle.arrives_at, _has(STILL_OPEN).label("is_open"), _has(COMING).label("has_coming"))
        .join(Cycle, Cycle.id == Batch.cycle_id)
        .where(sa.text(f"batches.{OPEN_BATCHES.text}"), Batch.id > after)
        .order_by(Batch.id)
        .limit(limit)
    )
    rows = session.execute(looked_at).all()
    moved = 0
    for row in rows:
        if state := batch_ends(row.state, row.arrives_at <= moment, row.is_open, row.has_coming):
            there = sa.update(BATCHES).where(BATCHES.c.id == row.id, BATCHES.c.state == row.state).values(state=state)
            if session.execute(there.returning(BATCHES.c.id)).first() is not None:
                audit.record(session, JOB, Done.BATCH_CLOSED if state is BatchState.CLOSED else Done.BATCH_CHECKED, "batch", row.id)
                moved += 1
    return moved, rows[-1].id if len(rows) == limit else None


def _has(states: Sequence[SubOrderState]) -> sa.ColumnElement[bool]:
    return sa.exists().where(SubOrder.cycle_id == Batch.cycle_id, SubOrder.state.in_(states))


def batch_ends(state: BatchState, is_due: bool, is_open: bool, has_coming: bool) -> BatchState | None:
    """Where a batch goes by itself: closed once nothing of it waits and its day has come, checked once it arrived and all of it is here."""
    if is_due and not is_open:
        return BatchState.CLOSED
    return BatchState.CHECKED if state is BatchState.ARRIVED and not has_coming else None
