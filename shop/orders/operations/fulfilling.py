"""From accepted to collected: each step is a compare-and-set by somebody who may do it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.db import operation, take
from shop.kernel.errors import NotFound
from shop.kernel.money import Money
from shop.models.catalog import PricedBy
from shop.models.orders import OrderLine, Purchase, PurchaseState, SubOrder, SubOrderState
from shop.orders import rules
from shop.orders.errors import AlreadyWeighed, LinesNotWeighed, NotSoldByWeight, WeightOutOfRange, WrongState
from shop.orders.operations.closing import close_if_done
from shop.orders.operations.refunding import Part, give_back, lock_payment, part_of, parts_where
from shop.platform import audit, notices
from shop.platform.actor import Actor
from shop.wallet import operations as wallet

PURCHASES = cast(sa.Table, Purchase.__table__)
SUB_ORDERS = cast(sa.Table, SubOrder.__table__)
LINES = cast(sa.Table, OrderLine.__table__)


@operation
def accept(session: Session, actor: Actor, sub_order_id: int) -> bool:
    """The merchant will prepare a paid order. False when it was accepted before; raises `WrongState` when it cannot be any more."""
    part = _of_merchant(session, actor, sub_order_id)
    paid = sa.select(PURCHASES.c.state == PurchaseState.PAID).where(PURCHASES.c.id == part.purchase_id)
    if not session.scalar(paid):
        raise WrongState()
    return bool(_advance(session, actor, [part], SubOrderState.ACCEPTED, "accepted_at"))


@operation
def weigh_line(session: Session, actor: Actor, line_id: int, grams: int) -> Money:
    """Write down what a line really weighs; what it costs less goes back at once. The amount given back.

    Weighing heavier costs nothing. Zero grams give the whole line back. Once per line: raises `AlreadyWeighed`;
    also `NotSoldByWeight`, `WeightOutOfRange`, `WrongState` (not accepted, or packed already), `NotFound`.
    """
    if not 0 <= grams <= rules.MOST_GRAMS:
        raise WeightOutOfRange(most=rules.MOST_GRAMS)
    line = session.execute(sa.select(LINES).where(LINES.c.id == line_id)).one_or_none()
    if line is None:
        raise NotFound()
    part = _of_merchant(session, actor, line.sub_order_id)
    if line.priced_by is not PricedBy.WEIGHT:
        raise NotSoldByWeight()
    payment_id = lock_payment(session, part.purchase_id)
    accepted = sa.exists().where(SUB_ORDERS.c.id == part.id, SUB_ORDERS.c.state == SubOrderState.ACCEPTED)
    final = rules.final_total(line.line_total, line.unit_price, line.unit_grams, grams)
    weighed = sa.update(LINES).where(LINES.c.id == line_id, LINES.c.final_grams.is_(None), accepted)
    values = {"final_grams": grams, "final_total": final, "weighed_at": clock.now(), "weighed_by_id": actor.user_id}
    if not take(session, weighed.values(values)):
        raise AlreadyWeighed() if part.state is SubOrderState.ACCEPTED else WrongState()
    difference: Money = line.line_total - final
    audit.record(session, actor, "line.weighed", "order_line", line_id, grams=grams, refunded=difference.fen)
    if difference:
        give_back(session, payment_id, part, difference, f"line:{line_id}:weighed", "weighed less")
    return difference


@operation
def mark_packed(session: Session, actor: Actor, sub_order_id: int) -> bool:
    """Packed, every line sold by weight weighed; the buyer is told once what all of them gave back.

    False when it was before; raises `LinesNotWeighed`, `WrongState`.
    """
    part = _of_merchant(session, actor, sub_order_id)
    columns = (LINES.c.name_zh, LINES.c.name_en, LINES.c.line_total, LINES.c.final_total)
    by_weight = sa.select(*columns).where(LINES.c.sub_order_id == sub_order_id, LINES.c.priced_by == PricedBy.WEIGHT)
    lines = session.execute(by_weight.order_by(LINES.c.id)).all()
    if any(line.final_total is None for line in lines):
        raise LinesNotWeighed()
    if not _advance(session, actor, [part], SubOrderState.PACKED, "packed_at"):
        return False
    lighter = [line for line in lines if line.final_total < line.line_total]
    if lighter:
        back = Money.total(line.line_total - line.final_total for line in lighter)
        names = {"zh": "、".join(line.name_zh for line in lighter), "en": "; ".join(line.name_en for line in lighter)}
        notices.post(
            session, part.user_id, "orders.weighed", dedupe_key=f"sub_order:{part.id}:weighed",
            link=f"/orders/{part.number.rpartition('-')[0]}", amount=str(back), names=names,
        )
    return True


@operation
def mark_in_transit(session: Session, actor: Actor, sub_order_ids: Sequence[int]) -> int:
    """Packed orders leave the merchant; the number that moved (told twice: 0). Raises `WrongState`, `NotFound`."""
    parts = _parts(session, sub_order_ids)
    if not all(rules.works_for(actor, part.merchant_id) for part in parts):
        raise NotFound()
    return len(_advance(session, actor, parts, SubOrderState.IN_TRANSIT, "in_transit_at"))


@operation
def mark_ready(session: Session, actor: Actor, sub_order_ids: Sequence[int], pass_id: int) -> int:
    """One person's orders lie ready at the point, to be collected with a pass; the number that moved. Raises `WrongState`, `NotFound`."""
    parts = _parts(session, sub_order_ids)
    if not all(rules.keeps(actor, part.pickup_point_id) for part in parts):
        raise NotFound()
    return len(_advance(session, actor, parts, SubOrderState.READY, "ready_at", pass_id=pass_id))


@operation
def mark_collected(session: Session, actor: Actor, sub_order_ids: Sequence[int]) -> int:
    """Handed over: the merchants are owed their money and the platform its commission; the number that moved (told twice: 0).

    A purchase is completed with its last sub-order. All or nothing: raises `WrongState`, `NotFound`.
    """
    parts = _parts(session, sub_order_ids)
    if not all(rules.keeps(actor, part.pickup_point_id) for part in parts):
        raise NotFound()
    purchase_ids = sorted({part.purchase_id for part in parts})
    locked = sa.select(PURCHASES.c.id).where(PURCHASES.c.id.in_(purchase_ids)).order_by(PURCHASES.c.id)
    session.connection().execute(locked.with_for_update(key_share=True))
    moved = _advance(session, actor, parts, SubOrderState.COLLECTED, "collected_at")
    if not moved:
        return 0
    wallet.post_many(session, [posting for part in parts_where(session, SUB_ORDERS.c.id.in_(moved)) for posting in _release(part)])
    close_if_done(session, purchase_ids)
    return len(moved)


def _release(part: Part) -> list[wallet.Posting]:
    """Out of escrow: what a collected sub-order brings its merchant, and what the platform keeps of it."""
    net, commission = rules.release_split(part.total, part.refunded_total, part.commission_bps)
    shares = ((f"merchant:{part.merchant_id}", "release", net), ("commission", "commission", commission))
    return [
        wallet.Posting(f"sub_order:{part.id}:{kind}", kind, "escrow", account, amount, ("sub_order", part.id))
        for account, kind, amount in shares
        if amount
    ]


def _of_merchant(session: Session, actor: Actor, sub_order_id: int) -> Part:
    part = part_of(session, sub_order_id)
    if not rules.works_for(actor, part.merchant_id):
        raise NotFound()
    return part


def _parts(session: Session, sub_order_ids: Sequence[int]) -> list[Part]:
    parts = parts_where(session, SUB_ORDERS.c.id.in_(list(sub_order_ids)))
    if len(parts) != len(set(sub_order_ids)):
        raise NotFound()
    return parts


def _advance(session: Session, actor: Actor, parts: Sequence[Part], state: SubOrderState, at: str, **values: Any) -> list[int]:
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
    audit.record_each(session, actor, f"sub_order.{state.value}", "sub_order", moved_ids)
    return moved_ids
