"""From accepted to collected: each step is a compare-and-set by somebody who may do it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.counter.permissions import CounterPermission
from shop.kernel import clock
from shop.kernel.db import operation
from shop.kernel.errors import NotFound
from shop.kernel.money import Money
from shop.kernel.statements import table
from shop.models.catalog import PricedBy
from shop.models.orders import OrderLine, Purchase, PurchaseState, SubOrder, SubOrderState
from shop.models.payments import Refund
from shop.orders import rules, settled_days
from shop.orders.errors import CannotTakeBack, LinesNotWeighed, WrongState
from shop.orders.operations.closing import close_if_done
from shop.orders.operations.refunding import given_for_weight, takings
from shop.orders.operations.step import Part, Step, open_step_of, open_steps_of, parts_in, parts_where
from shop.orders.permissions import OrderPermission
from shop.orders.tags import Done
from shop.platform import audit, notices
from shop.platform.actor import Actor
from shop.wallet import operations as wallet
from shop.wallet import queries as ledger

PURCHASES = table(Purchase)
SUB_ORDERS = table(SubOrder)
LINES = table(OrderLine)


@operation
def accept(session: Session, actor: Actor, sub_order_id: int) -> bool:
    """The merchant will prepare a paid order. False when it was accepted before; raises `WrongState` when it cannot be any more."""
    step, part = of_merchant(session, actor, sub_order_id, OrderPermission.SHOP_PACK)
    if step.state is not PurchaseState.PAID:
        raise WrongState()
    return bool(advance(session, actor, [part], SubOrderState.ACCEPTED, "accepted_at"))


@operation
def mark_packed(session: Session, actor: Actor, sub_order_id: int) -> bool:
    """Packed, every line sold by weight weighed; the buyer is told once what all of them gave back.

    False when it was before; raises `LinesNotWeighed`, `WrongState`.
    """
    _step, part = of_merchant(session, actor, sub_order_id, OrderPermission.SHOP_PACK)
    columns = ("id", "name_zh", "name_en", "final_total")
    by_weight = sa.select(*(LINES.c[name] for name in columns)).where(
        LINES.c.sub_order_id == sub_order_id, LINES.c.priced_by == PricedBy.WEIGHT, LINES.c.short_quantity < LINES.c.quantity
    )
    lines = session.execute(by_weight.order_by(LINES.c.id)).all()
    if any(line.final_total is None for line in lines):
        raise LinesNotWeighed()
    if not advance(session, actor, [part], SubOrderState.PACKED, "packed_at"):
        return False
    came_back = [Money.total(refund.amount for refund in given_for_weight(session, part.id, line.id)) for line in lines]
    lighter = [line for line, back in zip(lines, came_back, strict=True) if back]
    if lighter:
        names = {"zh": "、".join(line.name_zh for line in lighter), "en": "; ".join(line.name_en for line in lighter)}
        notices.post(
            session, part.user_id, "orders.weighed", dedupe_key=f"sub_order:{part.id}:weighed",
            link=f"/orders/{part.number.rpartition('-')[0]}", amount=str(Money.total(came_back)), names=names,
        )
    return True


@operation
def mark_in_transit(session: Session, actor: Actor, sub_order_ids: Sequence[int]) -> int:
    """Packed orders leave the merchant; the number that moved (told twice: 0). Raises `WrongState`, `NotFound`."""
    _steps, parts = open_steps_of(session, sub_order_ids)
    if not all(rules.works_for(actor, part.merchant_id, OrderPermission.SHOP_SEND) for part in parts):
        raise NotFound()
    return len(advance(session, actor, parts, SubOrderState.IN_TRANSIT, "in_transit_at"))


@operation
def mark_ready(session: Session, actor: Actor, sub_order_ids: Sequence[int], pass_id: int) -> int:
    """One person's orders lie ready at the point, to be collected with a pass; the number that moved. Raises `WrongState`, `NotFound`."""
    _steps, parts = open_steps_of(session, sub_order_ids)
    if not all(rules.keeps(actor, part.pickup_point_id, OrderPermission.ARRIVAL_RECEIVE) for part in parts):
        raise NotFound()
    return len(advance(session, actor, parts, SubOrderState.READY, "ready_at", pass_id=pass_id))


@operation
def mark_collected(session: Session, actor: Actor, sub_order_ids: Sequence[int], opened: Mapping[int, Step] | None = None) -> int:
    """Handed over: the merchants are owed their money and the platform its commission; the number that moved (told twice: 0).

    A purchase is completed with its last sub-order. `opened` are the steps on its orders where the caller has them, and has moved
    nothing since. All or nothing: raises `WrongState`, `NotFound`.
    """
    steps, parts = (opened, parts_in(opened, sub_order_ids)) if opened is not None else open_steps_of(session, sub_order_ids)
    if not all(rules.keeps(actor, part.pickup_point_id, CounterPermission.HAND_OVER) for part in parts):
        raise NotFound()
    moved = advance(session, actor, parts, SubOrderState.COLLECTED, "collected_at")
    if not moved:
        return 0
    release(session, [part for part in parts if part.id in moved])
    close_if_done(session, sorted(steps))
    return len(moved)


def release(session: Session, parts: Sequence[Part]) -> None:
    """Out of escrow: the merchants are owed what was kept of these parts, with what the platform pays of their discounts; the platform its
    commission. Within a step, at their end.
    """
    written = wallet.post_many(session, [posting for part in parts for posting in _release(part)])
    again = [part for part in parts if any(posting.cause not in written for posting in _release(part))]
    if again:  # collected, taken back, and released now
        returned = _times_taken_back(session, [part.id for part in again])
        wallet.post_many(session, [posting for part in again for posting in _release(part, returned[part.id])])


@operation
def take_back(session: Session, actor: Actor, sub_order_ids: Sequence[int], pass_id: int) -> None:
    """What was handed over by mistake waits on a pass again: merchants and the platform post back what the hand-over brought them.

    All or nothing. Raises `CannotTakeBack` when something was built on it since: a refund, a return, a later state; and `NotFound`.
    """
    steps, parts = open_steps_of(session, sub_order_ids)
    if not all(rules.keeps(actor, part.pickup_point_id, CounterPermission.HAND_OVER_TAKE_BACK) for part in parts):
        raise NotFound()
    settled_days.reopen(session, sub_order_ids)  # while they still say when they were settled
    given_since = Refund.replaces_id.is_(None) & (Refund.created_at >= SUB_ORDERS.c.collected_at)  # not what only goes another way
    since = sa.exists().where(Refund.sub_order_id == SUB_ORDERS.c.id, given_since)
    moved = session.execute(
        sa.update(SUB_ORDERS)
        .where(SUB_ORDERS.c.id.in_([part.id for part in parts]), SUB_ORDERS.c.state == SubOrderState.COLLECTED, ~since)
        .values(state=SubOrderState.READY, collected_at=None, pass_id=pass_id)
        .returning(SUB_ORDERS.c.id)
    ).all()
    if len(moved) != len(parts):
        raise CannotTakeBack()
    completed = sa.update(PURCHASES).where(PURCHASES.c.id.in_(sorted(steps)), PURCHASES.c.state == PurchaseState.COMPLETED)
    session.execute(completed.values(state=PurchaseState.PAID, completed_at=None))
    returned = _times_taken_back(session, [part.id for part in parts])
    wallet.post_many(session, [posting for part in parts for posting in _post_back(part, returned[part.id])])
    audit.record_each(session, actor, Done.SUB_ORDER_TAKEN_BACK, "sub_order", [part.id for part in parts])


def _release(part: Part, returned: int = 0) -> list[wallet.Posting]:
    """Out of escrow, and what the platform adds to it: what a collected sub-order brings its merchant, and the commission on both.

    Once, or once more for each time that it was `returned`: taken back, and posted back.
    """
    again = f":{returned + 1}" if returned else ""
    return [
        wallet.Posting(f"sub_order:{part.id}:{one.name}{again}", one.kind, one.source, one.account, one.amount, ("sub_order", part.id))
        for one in takings(part)
    ]


def _post_back(part: Part, returned: int) -> list[wallet.Posting]:
    """The counter-entries of a release, whatever was weighed or given back before it."""
    return [
        wallet.Posting(
            _taken_back_cause(part.id, returned + 1, one.name), "correction", one.account, one.source, one.amount, ("sub_order", part.id)
        )
        for one in takings(part)
    ]


def _taken_back_cause(sub_order_id: int, time: int, kind: str) -> str:
    return f"sub_order:{sub_order_id}:taken_back:{time}:{kind}"


def _times_taken_back(session: Session, sub_order_ids: Sequence[int]) -> dict[int, int]:
    """How often each was taken back, as the ledger has it."""
    causes = ledger.corrections(session, "sub_order", sub_order_ids)
    times = {part_id: {cause.rpartition(":")[0] for cause in told if ":taken_back:" in cause} for part_id, told in causes.items()}
    return {part_id: len(times.get(part_id, ())) for part_id in sub_order_ids}


def of_merchant(session: Session, actor: Actor, sub_order_id: int, permission: OrderPermission) -> tuple[Step, Part]:
    """A step on an order of one of the merchants where the actor may do this. Raises `NotFound`."""
    step, part = open_step_of(session, sub_order_id)
    if not rules.works_for(actor, part.merchant_id, permission):
        raise NotFound()
    return step, part


def advance(session: Session, actor: Actor, parts: Sequence[Part], state: SubOrderState, at: str, **values: Any) -> list[int]:
    """Move sub-orders to `state`, the ids of those that moved. Those that are there already are passed over, any other raises
    `WrongState` and nothing moves."""
    moved = session.connection().execute(
        sa.update(SUB_ORDERS)
        .where(SUB_ORDERS.c.id.in_([part.id for part in parts]), SUB_ORDERS.c.state.in_(rules.COMES_FROM[state]))
        .values({"state": state, at: clock.now(), **values})
        .returning(SUB_ORDERS.c.id)
    ).all()
    moved_ids = sorted(row.id for row in moved)
    others = [part.id for part in parts if part.id not in moved_ids]
    if others and any(part.state is not state for part in parts_where(session, SUB_ORDERS.c.id.in_(others))):
        raise WrongState()
    audit.record_each(session, actor, Done.of(f"sub_order.{state.value}"), "sub_order", moved_ids)
    return moved_ids
