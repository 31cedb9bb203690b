"""What a merchant writes down about the shelf: goods that came, were counted, spoiled, or sold across the counter; and taking it back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.db import insert_once, operation
from shop.kernel.errors import NotFound
from shop.kernel.statements import insert_or_ignore, table
from shop.models.stock import LossReason, MovementKind, StockItem, StockLoss, StockMovement
from shop.platform import audit
from shop.platform.actor import Actor
from shop.platform.belonging import sold_by
from shop.stock import queries, rules, shelves
from shop.stock.errors import (
    CountedSince,
    CountFarOff,
    Doubtful,
    GoodsGone,
    LossReasonMissing,
    LossWordsMissing,
    MoreThanThere,
    MuchMore,
    NotByHand,
    PromisedGoods,
    QuantityOutOfRange,
    ShelfMoved,
    TakenBackBefore,
    ToldDifferently,
    TooLateToTakeBack,
    VeryMany,
)
from shop.stock.permissions import StockPermission
from shop.stock.rules import Change, Lying
from shop.stock.shelves import Shelf
from shop.stock.tags import Done

ITEMS = table(StockItem)
MOVEMENTS = table(StockMovement)
MOST = 1_000_000
MOST_ORDERS_NAMED = 3

ADDS = (MovementKind.RECEIVED,)
TAKES = (MovementKind.SPOILAGE, MovementKind.OFFLINE_SALE)
COUNTS = (MovementKind.CORRECTION,)


@dataclass(frozen=True, slots=True)
class Why:
    """Why goods are written off, and what somebody said of it."""

    reason: LossReason
    words: str = ""


@operation
def adjust(
    session: Session, actor: Actor, variant_code: str, kind: MovementKind, quantity: int, cause: str, *, expected: int | None = None,
    sure: Callable[[Doubtful], bool] = lambda _doubt: False, why: Why | None = None,
) -> bool:
    """Write down what happened to a shelf, once per `cause` for good; False when it was told before or changes nothing.

    RECEIVED adds `quantity`, SPOILAGE and OFFLINE_SALE take it away, CORRECTION says that so many were counted: of what is free, what
    is held and what is sold but not packed, all of which lies there (`Lying.on_shelf`). `expected` is what should have been lying there
    when somebody went to count. What is likely a slip, or leaves promised goods missing, is refused as `Doubtful` unless `sure` says
    yes to these very doubts. `why` goods are written off (SPOILAGE) is kept with the movement.
    Raises also `NotFound` for other merchants' goods, `QuantityOutOfRange`, `MoreThanThere`, `LossWordsMissing`, and `ToldDifferently`
    for a cause that came with other figures before.
    """
    shelf = shelves.get_shelf(session, actor.merchants(StockPermission.COUNT_WRITE), variant_code)
    least = 0 if kind in COUNTS else 1
    if not least <= quantity <= MOST or kind not in rules.BY_HAND:
        raise QuantityOutOfRange(least=least, most=MOST)
    if why is not None and kind is not MovementKind.SPOILAGE:
        raise LossReasonMissing()
    if why is not None and why.reason in rules.NEED_WORDS and not why.words:
        raise LossWordsMissing()
    lying = locked(session, shelf)
    if _was_told(session, shelf.variant_id, kind, quantity, cause, why):
        return False
    if kind in TAKES and quantity > lying.on_shelf:
        raise MoreThanThere(on_shelf=lying.on_shelf)
    change = change_of(lying, kind, quantity)
    if doubts := _doubts(session, shelf, lying, kind, quantity, expected):
        doubts[0].others = tuple(doubts[1:])
        if not sure(doubts[0]):
            raise doubts[0]
    movement_id = _write(session, actor, shelf.variant_id, change, kind, cause, told=quantity)
    if not change.quantity and not change.missing_by:
        return False
    missing = lying.missing + change.missing_by
    if kind is MovementKind.SPOILAGE:
        _keep_why(session, actor, shelf, movement_id, change, missing, why or Why(LossReason.SPOILED))
        return True
    audit.record(
        session, actor, Done.STOCK_ADJUSTED, "variant", shelf.variant_id, kind=kind.value, quantity=change.quantity, missing=missing
    )
    return True


def _keep_why(session: Session, actor: Actor, shelf: Shelf, movement_id: int, change: Change, missing: int, why: Why) -> None:
    """Why goods are gone, beside the movement that took them away, and on record."""
    session.add(
        StockLoss(
            merchant_id=shelf.merchant_id, variant_id=shelf.variant_id, movement_id=movement_id, reason=why.reason, words=why.words,
            at=clock.now(),
        )
    )
    audit.record(
        session, actor, Done.STOCK_WRITTEN_OFF, "variant", shelf.variant_id, loss=why.reason.value, quantity=change.quantity,
        missing=missing,
    )


@operation
def take_back(session: Session, actor: Actor, variant_code: str, movement_id: int) -> None:
    """Undo a movement somebody wrote down, by one that says the opposite. Once.

    Raises `NotFound`, `NotByHand` for what follows an order, `TakenBackBefore`, `TooLateToTakeBack`, `CountedSince` when a count put it
    right after it was written down, and `GoodsGone` when what it brought can no longer be sold.
    """
    shelf = shelves.get_shelf(session, actor.merchants(StockPermission.COUNT_TAKE_BACK), variant_code)
    lying = locked(session, shelf)
    movement = session.execute(
        sa.select(MOVEMENTS).where(MOVEMENTS.c.id == movement_id, MOVEMENTS.c.variant_id == shelf.variant_id)
    ).one_or_none()
    if movement is None:
        raise NotFound()
    if movement.kind not in rules.BY_HAND or not (movement.quantity or movement.missing_by):
        raise NotByHand()
    if session.scalar(sa.select(MOVEMENTS.c.id).where(MOVEMENTS.c.takes_back_id == movement_id)) is not None:
        raise TakenBackBefore()
    last = rules.last_moment_to_take_back(movement.kind, movement.at)
    if last is not None and clock.now() > last:
        raise TooLateToTakeBack(days=rules.WRITTEN_OFF_FOR.days)
    if queries.counted_since(session, shelf.variant_id, movement_id):
        raise CountedSince()
    change = Change(-movement.quantity, max(-movement.missing_by, -lying.missing))
    if change.quantity < 0 and lying.available < -change.quantity:
        raise GoodsGone(available=lying.available)
    _write(
        session, actor, shelf.variant_id, change, MovementKind.TAKEN_BACK, f"movement:{movement_id}:taken_back", takes_back_id=movement_id
    )
    audit.record(session, actor, Done.STOCK_TAKEN_BACK, "variant", shelf.variant_id, kind=movement.kind.value, quantity=change.quantity)


def locked(session: Session, shelf: Shelf) -> Lying:
    """What lies there, with the variant's row locked (and opened when it has none).

    What waits is read after the lock is held, in a statement of its own: every sale, cancelling and release writes this row in the
    transaction that moves its order, so it is either seen with its order or waits behind the lock without it. Packing and declining
    do not write the row; either side of the count is a moment at which all figures were true.
    """
    row = sa.select(ITEMS.c.on_hand, ITEMS.c.reserved, ITEMS.c.missing).where(ITEMS.c.variant_id == shelf.variant_id)
    there = session.execute(row.with_for_update(key_share=True)).one_or_none()
    if there is None:
        empty = {"variant_id": shelf.variant_id, "on_hand": 0, "reserved": 0, "missing": 0}
        session.execute(insert_or_ignore(ITEMS, ITEMS.c.variant_id).of(session), empty)
        there = session.execute(row.with_for_update(key_share=True)).one()
    waiting = queries.waiting(session, [shelf.merchant_id], [shelf.variant_id]).get(shelf.variant_id, 0)
    return Lying(there.on_hand, there.reserved, there.missing, waiting)


def change_of(lying: Lying, kind: MovementKind, quantity: int) -> Change:
    """What a telling changes."""
    if kind in ADDS:
        return Change(quantity)
    return rules.taken(lying, quantity) if kind in TAKES else rules.counted(lying, quantity)


def _was_told(session: Session, variant_id: int, kind: MovementKind, quantity: int, cause: str, why: Why | None) -> bool:
    """Whether this very thing was told before; the lock keeps a second telling of it waiting. Raises `ToldDifferently`.

    Of what was told before figures were kept only the kind is known.
    """
    before = session.execute(
        sa.select(MOVEMENTS.c.id, MOVEMENTS.c.variant_id, MOVEMENTS.c.kind, MOVEMENTS.c.told).where(MOVEMENTS.c.cause == cause)
    ).one_or_none()
    if before is None:
        return False
    if (before.variant_id, before.kind) != (variant_id, kind) or before.told not in (None, quantity):
        raise ToldDifferently()
    if why is not None and session.scalar(sa.select(StockLoss.reason).where(StockLoss.movement_id == before.id)) is not why.reason:
        raise ToldDifferently()
    return True


def _doubts(
    session: Session, shelf: Shelf, lying: Lying, kind: MovementKind, quantity: int, expected: int | None
) -> list[Doubtful]:
    """What speaks against writing it down without asking, the gravest first."""
    doubts: list[Doubtful] = []
    left = quantity if kind in COUNTS else lying.on_shelf - quantity
    if kind not in ADDS and lying.lacking(left) > lying.lacking(lying.on_shelf):
        doubts.append(_promised(session, shelf, lying, left))
    if kind in COUNTS:
        if expected is not None and expected != lying.on_shelf:
            doubts.append(ShelfMoved(now=lying.on_shelf, expected=expected))
        if rules.is_count_far_off(lying.on_shelf, quantity):
            doubts.append(CountFarOff(quantity=quantity, expected=lying.on_shelf))
        return doubts
    most = _most_before(session, shelf.variant_id)
    if rules.is_very_many(quantity, most):
        doubts.append(MuchMore(quantity=quantity, most=most) if most else VeryMany(quantity=quantity))
    return doubts


def _promised(session: Session, shelf: Shelf, lying: Lying, left: int) -> PromisedGoods:
    """Which orders go short of what is left if the oldest are served first."""
    found: list[dict[str, object]] = []
    short = lacking = lying.lacking(left)
    for promise in queries.promises(session, shelf.merchant_id, shelf.variant_id):
        if lacking <= 0:
            break
        found.append({"number": promise.number, "quantity": promise.quantity, "is_paid": promise.is_paid})
        lacking -= promise.quantity
    named = ", ".join(str(order["number"]) for order in found[:MOST_ORDERS_NAMED])
    return PromisedGoods(
        promised=lying.promised, waiting=lying.waiting, held=lying.reserved, left=left, short=short, orders=found,
        named=named + (" …" if len(found) > MOST_ORDERS_NAMED else ""),
    )  # fmt: skip


def _most_before(session: Session, variant_id: int) -> int:
    """The largest quantity that ever came or went by hand."""
    largest = sa.func.max(sa.func.abs(MOVEMENTS.c.quantity))
    return int(session.scalar(sa.select(largest).where(*queries.by_hand(variant_id))) or 0)


def _write(
    session: Session, actor: Actor, variant_id: int, change: Change, kind: MovementKind, cause: str, *, told: int | None = None,
    takes_back_id: int | None = None,
) -> int:  # fmt: skip
    """One movement and what it changes; its id. The row is locked, and the CHECK stands behind it."""
    recorded = insert_once(
        session, StockMovement, merchant_id=sold_by(variant_id), variant_id=variant_id, quantity=change.quantity,
        missing_by=change.missing_by, told=told, kind=kind, cause=cause, order_line_id=None, takes_back_id=takes_back_id,
        actor_id=actor.user_id, at=clock.now(),
    )
    if recorded is None:
        raise ToldDifferently()
    session.execute(
        sa.update(ITEMS)
        .where(ITEMS.c.variant_id == variant_id)
        .values(on_hand=ITEMS.c.on_hand + change.quantity, missing=ITEMS.c.missing + change.missing_by)
    )
    return recorded
