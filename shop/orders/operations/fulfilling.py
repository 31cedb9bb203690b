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
from shop.models.payments import Refund
from shop.orders import rules
from shop.orders.errors import AlreadyWeighed, CannotTakeBack, LinesNotWeighed, NotSoldByWeight, WeightOutOfRange, WrongState
from shop.orders.operations.closing import close_if_done
from shop.orders.operations.refunding import Part, give_back, lock_payment, part_of, parts_where
from shop.platform import audit, notices
from shop.platform.actor import Actor
from shop.wallet import operations as wallet
from shop.wallet import queries as ledger

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
    released = parts_where(session, SUB_ORDERS.c.id.in_(moved))
    written = wallet.post_many(session, [posting for part in released for posting in _release(part)])
    again = [part for part in released if any(posting.cause not in written for posting in _release(part))]
    if again:  # collected, taken back, and collected now
        returned = _times_taken_back(session, [part.id for part in again])
        wallet.post_many(session, [posting for part in again for posting in _release(part, returned[part.id])])
    close_if_done(session, purchase_ids)
    return len(moved)


@operation
def take_back(session: Session, actor: Actor, sub_order_ids: Sequence[int], pass_id: int) -> None:
    """What was handed over by mistake waits on a pass again: merchants and the platform post back what the hand-over brought them.

    All or nothing. Raises `CannotTakeBack` when something was built on it since: a refund, a return, a later state; and `NotFound`.
    """
    parts = _parts(session, sub_order_ids)
    if not all(rules.keeps(actor, part.pickup_point_id) for part in parts):
        raise NotFound()
    purchase_ids = sorted({part.purchase_id for part in parts})
    for purchase_id in purchase_ids:
        lock_payment(session, purchase_id)
    locked = sa.select(PURCHASES.c.id).where(PURCHASES.c.id.in_(purchase_ids)).order_by(PURCHASES.c.id)
    session.connection().execute(locked.with_for_update(key_share=True))
    since = sa.exists().where(Refund.sub_order_id == SUB_ORDERS.c.id, Refund.created_at >= SUB_ORDERS.c.collected_at)
    moved = session.execute(
        sa.update(SUB_ORDERS)
        .where(SUB_ORDERS.c.id.in_([part.id for part in parts]), SUB_ORDERS.c.state == SubOrderState.COLLECTED, ~since)
        .values(state=SubOrderState.READY, collected_at=None, pass_id=pass_id)
        .returning(SUB_ORDERS.c.id)
    ).all()
    if len(moved) != len(parts):
        raise CannotTakeBack()
    completed = sa.update(PURCHASES).where(PURCHASES.c.id.in_(purchase_ids), PURCHASES.c.state == PurchaseState.COMPLETED)
    session.execute(completed.values(state=PurchaseState.PAID, completed_at=None))
    returned = _times_taken_back(session, [part.id for part in parts])
    wallet.post_many(session, [posting for part in parts for posting in _post_back(part, returned[part.id])])
    audit.record_each(session, actor, "sub_order.taken_back", "sub_order", [part.id for part in parts])


def _release(part: Part, returned: int = 0) -> list[wallet.Posting]:
    """Out of escrow: what a collected sub-order brings its merchant, and what the platform keeps of it.

    Once, or once more for each time that it was `returned`: taken back, and posted back.
    """
    again = f":{returned + 1}" if returned else ""
    return [
        wallet.Posting(f"sub_order:{part.id}:{kind}{again}", kind, "escrow", account, amount, ("sub_order", part.id))
        for account, kind, amount in _shares(part)
    ]


def _post_back(part: Part, returned: int) -> list[wallet.Posting]:
    """The counter-entries of a release, whatever was weighed or given back before it."""
    return [
        wallet.Posting(_taken_back_cause(part.id, returned + 1, kind), "correction", account, "escrow", amount, ("sub_order", part.id))
        for account, kind, amount in _shares(part)
    ]


def _shares(part: Part) -> list[tuple[str, str, Money]]:
    net, commission = rules.release_split(part.total, part.refunded_total, part.commission_bps)
    shares = ((f"merchant:{part.merchant_id}", "release", net), ("commission", "commission", commission))
    return [share for share in shares if share[2]]


def _taken_back_cause(sub_order_id: int, time: int, kind: str) -> str:
    return f"sub_order:{sub_order_id}:taken_back:{time}:{kind}"


def _times_taken_back(session: Session, sub_order_ids: Sequence[int]) -> dict[int, int]:
    """How often each was taken back, as the ledger has it."""
    causes = ledger.corrections(session, "sub_order", sub_order_ids)
    times = {part_id: {cause.rpartition(":")[0] for cause in told if ":taken_back:" in cause} for part_id, told in causes.items()}
    return {part_id: len(times.get(part_id, ())) for part_id in sub_order_ids}


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
