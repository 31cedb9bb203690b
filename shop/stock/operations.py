"""Taking, holding and giving back goods.

Every decision is one conditional UPDATE over all variants of a basket, whose rows are locked by variant id, so that two
baskets with the same goods in another order never wait for each other in a circle. The CHECK on the table stands behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.db import insert_once, operation
from shop.kernel.rows import all_as
from shop.kernel.statements import table
from shop.models.stock import MovementKind, Reservation, ReservationState, StockItem, StockMovement
from shop.platform import figures
from shop.platform.actor import Actor
from shop.platform.belonging import merchant_of, sold_by
from shop.stock.errors import QuantityNotPositive, StockShortage
from shop.stock.queries import shortages
from shop.stock.rules import Wanted, totals

__all__ = ["Wanted", "consume", "not_there", "receive", "release", "reserve", "reserve_again", "return_to_stock", "sell"]

ITEMS = table(StockItem)
MOVEMENTS = table(StockMovement)
RESERVATIONS = table(Reservation)


def _insert(into: sa.Table, *names: str) -> sa.Insert:
    """A row of these columns; its merchant is who sells the variant."""
    values: dict[str, Any] = {name: sa.bindparam(name, type_=into.c[name].type) for name in names}
    return sa.insert(into).values({**values, "merchant_id": merchant_of(sa.bindparam("variant_id"))})


INSERT_MOVEMENTS = _insert(MOVEMENTS, "variant_id", "quantity", "kind", "at", "cause", "order_line_id", "actor_id")
INSERT_RESERVATIONS = _insert(RESERVATIONS, "variant_id", "order_line_id", "quantity", "state", "created_at", "expires_at")


@operation
def reserve(session: Session, lines: Sequence[Wanted], expires_at: datetime) -> None:
    """Hold goods for unpaid order lines until `expires_at`. All or nothing: raises `StockShortage`. One hold per order line, ever."""
    _take(session, totals(lines), held=True)
    moment = clock.now()
    session.connection().execute(
        INSERT_RESERVATIONS,
        [
            {
                "variant_id": line.variant_id, "order_line_id": line.order_line_id, "quantity": line.quantity,
                "state": ReservationState.ACTIVE, "created_at": moment, "expires_at": expires_at,
            }
            for line in lines
        ],
    )


@operation
def reserve_again(session: Session, order_line_ids: Sequence[int], expires_at: datetime) -> None:
    """Hold the goods of lines whose hold was released (money that came late). All or nothing: raises `StockShortage`."""
    lines = _move_reservations(session, order_line_ids, ReservationState.RELEASED, ReservationState.ACTIVE, expires_at=expires_at)
    _take(session, totals(lines), held=True)


@operation
def consume(session: Session, order_line_ids: Sequence[int]) -> None:
    """The goods held for these lines are sold: they leave `on_hand` and `reserved`, with one sale movement per line.

    Lines without an active hold are passed over, so telling it twice changes nothing.
    """
    lines = _move_reservations(session, order_line_ids, ReservationState.ACTIVE, ReservationState.CONSUMED)
    _put(session, totals(lines), on_hand=-1, reserved=-1)
    _record_sales(session, lines)


@operation
def sell(session: Session, lines: Sequence[Wanted]) -> None:
    """Sell goods that are paid at this moment, without a hold in between. All or nothing: raises `StockShortage`."""
    _take(session, totals(lines), held=False)
    _record_sales(session, lines)


@operation
def release(session: Session, order_line_ids: Sequence[int]) -> None:
    """Give up the holds of these lines; lines without an active hold are passed over."""
    lines = _move_reservations(session, order_line_ids, ReservationState.ACTIVE, ReservationState.RELEASED)
    _put(session, totals(lines), reserved=-1)


@operation
def return_to_stock(session: Session, actor: Actor, lines: Sequence[Wanted]) -> None:
    """Sold goods of cancelled lines can be sold again: one movement per line, however often it is told."""
    moment = clock.now()
    new = [
        line
        for line in lines
        if insert_once(
            session, StockMovement, merchant_id=sold_by(line.variant_id), variant_id=line.variant_id, quantity=line.quantity,
            kind=MovementKind.CANCELLATION, cause=f"line:{line.order_line_id}:cancelled", order_line_id=line.order_line_id,
            actor_id=actor.user_id, at=moment,
        ) is not None
    ]
    _put(session, totals(new), on_hand=1)


@operation
def not_there(session: Session, actor: Actor, lines: Sequence[Wanted], occasion: str = "short") -> None:
    """Goods of unpacked, paid lines that were declined, or are short, are not delivered and not sold again: as many fewer are missing.

    One movement per line and occasion of which something was missing, however often it is told. What is not missing is left to the
    next count.
    """
    wanted = totals(lines)
    rows = session.execute(
        sa.select(ITEMS.c.variant_id, ITEMS.c.missing)
        .where(ITEMS.c.variant_id.in_(list(wanted)), ITEMS.c.missing > 0)
        .order_by(ITEMS.c.variant_id)
        .with_for_update(key_share=True)
    )
    missing: dict[int, int] = {row.variant_id: row.missing for row in rows}
    for line in lines:
        fewer = min(missing.get(line.variant_id, 0), line.quantity)
        if not fewer:
            continue
        recorded = insert_once(
            session, StockMovement, merchant_id=sold_by(line.variant_id), variant_id=line.variant_id, quantity=0, missing_by=-fewer,
            kind=MovementKind.SHORT, cause=f"line:{line.order_line_id}:{occasion}", order_line_id=line.order_line_id,
            actor_id=actor.user_id, at=clock.now(),
        )
        if recorded is not None:
            missing[line.variant_id] -= fewer
            session.execute(sa.update(ITEMS).where(ITEMS.c.variant_id == line.variant_id).values(missing=ITEMS.c.missing - fewer))


@operation
def receive(session: Session, actor: Actor, variant_id: int, quantity: int, cause: str) -> bool:
    """Goods came in. Once per `cause`: False when it was told before. Opens the variant's stock row when it has none."""
    if quantity <= 0:
        raise QuantityNotPositive()
    recorded = insert_once(
        session, StockMovement, merchant_id=sold_by(variant_id), variant_id=variant_id, quantity=quantity,
        kind=MovementKind.RECEIVED, cause=cause, order_line_id=None, actor_id=actor.user_id, at=clock.now(),
    )
    if recorded is None:
        return False
    outcome: Any = session.execute(
        sa.update(ITEMS).where(ITEMS.c.variant_id == variant_id).values(on_hand=ITEMS.c.on_hand + quantity)
    )
    if not outcome.rowcount:
        session.execute(sa.insert(ITEMS).values(variant_id=variant_id, on_hand=quantity, reserved=0))
    return True


def _locked() -> sa.Select[tuple[int]]:
    """The rows of `variant_ids`, locked by id where the engine has row locks (SQLite lets only one writer in anyway).

    `key_share`: rows that only point here (foreign keys being inserted) do not wait, or they would wait in a circle.
    """
    named = ITEMS.c.variant_id.in_(sa.bindparam("variant_ids", expanding=True))
    rows = sa.select(ITEMS.c.variant_id).where(named).order_by(ITEMS.c.variant_id)
    return sa.select(rows.with_for_update(key_share=True).cte("locked").c.variant_id)


@lru_cache(maxsize=300)
def _statement(variants: int, on_hand: int, reserved: int, conditional: bool) -> Any:
    """Change both counters of so many variants by so many times each one's quantity; if `conditional`, only where that much is left.

    Made once per number of variants: building statements costs more than running them.
    """
    amounts = [
        (ITEMS.c.variant_id == sa.bindparam(f"variant_{place}"), sa.bindparam(f"quantity_{place}", type_=sa.BigInteger()))
        for place in range(variants)
    ]
    amount = sa.case(*amounts)
    signs = {"on_hand": on_hand, "reserved": reserved}
    change = {name: ITEMS.c[name] + sign * amount for name, sign in signs.items() if sign}
    enough = [ITEMS.c.on_hand - ITEMS.c.reserved - ITEMS.c.missing >= amount] if conditional else []
    return sa.update(ITEMS).where(ITEMS.c.variant_id.in_(_locked()), *enough).values(change).returning(ITEMS.c.variant_id)


def _changed(session: Session, amounts: dict[int, int], *, on_hand: int = 0, reserved: int = 0, conditional: bool = False) -> set[int]:
    """Run that statement; the variants it changed."""
    facts: dict[str, Any] = {"variant_ids": list(amounts)}
    for place, (variant_id, quantity) in enumerate(amounts.items()):
        facts |= {f"variant_{place}": variant_id, f"quantity_{place}": quantity}
    return set(session.connection().execute(_statement(len(amounts), on_hand, reserved, conditional), facts).scalars())


def _take(session: Session, wanted: dict[int, int], *, held: bool) -> None:
    """Every variant's quantity out of what can be sold (held, or gone at once) if all of it is there; else `StockShortage`."""
    taken = _changed(session, wanted, on_hand=0 if held else -1, reserved=1 if held else 0, conditional=True)
    if len(taken) < len(wanted):
        figures.REFUSALS.labels("hold" if held else "sale").inc()
        missed = {variant_id: quantity for variant_id, quantity in wanted.items() if variant_id not in taken}
        raise StockShortage(details=shortages(session, missed))


def _put(session: Session, amounts: dict[int, int], *, on_hand: int = 0, reserved: int = 0) -> None:
    """Change both counters by so many times each variant's quantity."""
    if amounts:
        _changed(session, amounts, on_hand=on_hand, reserved=reserved)


def _move_reservations(
    session: Session, order_line_ids: Sequence[int], old: ReservationState, new: ReservationState, **values: Any
) -> list[Wanted]:
    """Compare-and-set the holds of these lines; those that moved."""
    moved = session.execute(
        sa.update(RESERVATIONS)
        .where(RESERVATIONS.c.order_line_id.in_(list(order_line_ids)), RESERVATIONS.c.state == old)
        .values(state=new, **values)
        .returning(RESERVATIONS.c.variant_id, RESERVATIONS.c.order_line_id, RESERVATIONS.c.quantity)
    )
    return all_as(Wanted, moved)


def _record_sales(session: Session, lines: Sequence[Wanted]) -> None:
    if not lines:
        return
    moment = clock.now()
    session.connection().execute(
        INSERT_MOVEMENTS,
        [
            {
                "variant_id": line.variant_id, "quantity": -line.quantity, "kind": MovementKind.SALE, "at": moment,
                "cause": f"line:{line.order_line_id}:sale", "order_line_id": line.order_line_id, "actor_id": None,
            }
            for line in lines
        ],
    )
