"""Many shelves counted at once, as a sheet tells them: the same reckoning as one count (`counting`), in a few statements."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.db import operation
from shop.kernel.errors import NotFound
from shop.kernel.statements import insert_or_ignore, table
from shop.models.catalog import Product, Variant
from shop.models.stock import MovementKind, StockItem, StockMovement
from shop.platform import audit
from shop.platform.actor import Actor
from shop.stock import queries, rules
from shop.stock.counting import MOST
from shop.stock.errors import QuantityOutOfRange
from shop.stock.permissions import StockPermission
from shop.stock.rules import Lying
from shop.stock.tags import Done

ITEMS, MOVEMENTS = table(StockItem), table(StockMovement)


@dataclass(frozen=True, slots=True)
class Counted:
    """So many were counted of a size; `expected` should have been lying there. `is_sure`: a likely slip was looked at and is right."""

    variant_id: int
    quantity: int
    expected: int
    cause: str
    is_sure: bool = False


@operation
def count_each(
    session: Session, actor: Actor, merchant_id: int, wanted: Sequence[Counted], *, refuse: Callable[[list[Counted]], None]
) -> None:
    """Write down what was counted of sizes of one's own shop, once per `cause` for good.

    `refuse` is called, before anything is written, with those where something else lies than was expected, where it is likely a slip
    and nobody was sure, or where a size is told a second time: it raises. Raises `NotFound` for another's goods, `QuantityOutOfRange`.
    """
    if merchant_id not in actor.merchants(StockPermission.COUNT_WRITE):
        raise NotFound()
    if any(not 0 <= one.quantity <= MOST for one in wanted):
        raise QuantityOutOfRange(least=0, most=MOST)
    if not wanted:
        return
    told = set(session.scalars(sa.select(MOVEMENTS.c.cause).where(MOVEMENTS.c.cause.in_([one.cause for one in wanted]))))
    left = sorted((one for one in wanted if one.cause not in told), key=lambda one: one.variant_id)
    lying = _locked(session, merchant_id, [one.variant_id for one in left])
    again = {second.cause for first, second in pairwise(left) if first.variant_id == second.variant_id}
    if doubtful := [one for one in left if one.cause in again or _is_doubtful(lying[one.variant_id], one)]:
        refuse(doubtful)
        raise AssertionError("refuse() refuses")
    if left:
        _write(session, actor, merchant_id, left, lying)


def _locked(session: Session, merchant_id: int, variant_ids: Sequence[int]) -> Mapping[int, Lying]:
    """What lies there of each, rows locked by id (and opened where there are none); what waits is read after that."""
    sold_by = sa.select(Variant.id, Product.merchant_id).join(Product, Product.id == Variant.product_id).where(Variant.id.in_(variant_ids))
    own = {row[0] for row in session.execute(sold_by) if row[1] == merchant_id}  # told apart here: all of a shop's goods are many
    if len(own) < len(set(variant_ids)):
        raise NotFound()
    rows = sa.select(ITEMS).where(ITEMS.c.variant_id.in_(variant_ids)).order_by(ITEMS.c.variant_id).with_for_update(key_share=True)
    there = {row.variant_id: row for row in session.execute(rows)}
    if missing := [variant_id for variant_id in variant_ids if variant_id not in there]:
        empty = [{"variant_id": variant_id, "on_hand": 0, "reserved": 0, "missing": 0} for variant_id in missing]
        session.execute(insert_or_ignore(ITEMS, ITEMS.c.variant_id).of(session), empty)
        there = {row.variant_id: row for row in session.execute(rows)}
    waiting = queries.waiting(session, [merchant_id], variant_ids)
    return {
        variant_id: Lying(row.on_hand, row.reserved, row.missing, waiting.get(variant_id, 0)) for variant_id, row in there.items()
    }  # fmt: skip


def _is_doubtful(lying: Lying, one: Counted) -> bool:
    if lying.on_shelf == one.quantity:
        return False  # it is so already, whatever was expected
    if lying.on_shelf != one.expected:
        return True
    is_slip = rules.is_count_far_off(lying.on_shelf, one.quantity) or lying.lacking(one.quantity) > lying.lacking(lying.on_shelf)
    return is_slip and not one.is_sure


def _write(session: Session, actor: Actor, merchant_id: int, wanted: Sequence[Counted], lying: Mapping[int, Lying]) -> None:
    moment = clock.now()
    movements: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for one in wanted:
        change = rules.counted(lying[one.variant_id], one.quantity)
        movements.append(
            {
                "merchant_id": merchant_id, "variant_id": one.variant_id, "quantity": change.quantity, "missing_by": change.missing_by,
                "told": one.quantity, "kind": MovementKind.CORRECTION, "cause": one.cause, "actor_id": actor.user_id, "at": moment,
            }
        )  # fmt: skip
        if change.quantity or change.missing_by:
            changed.append({"of": one.variant_id, "more": change.quantity, "lacking": change.missing_by})
    connection = session.connection()
    connection.execute(sa.insert(MOVEMENTS), movements)
    if changed:
        by = sa.bindparam("more", type_=sa.BigInteger()), sa.bindparam("lacking", type_=sa.BigInteger())
        moved = {"on_hand": ITEMS.c.on_hand + by[0], "missing": ITEMS.c.missing + by[1]}
        connection.execute(sa.update(ITEMS).where(ITEMS.c.variant_id == sa.bindparam("of")).values(moved), changed)
    ids = [one["of"] for one in changed]
    audit.record_all(
        session, actor, Done.STOCK_ADJUSTED, "variant", ids, kind=[MovementKind.CORRECTION.value] * len(ids),
        quantity=[one["more"] for one in changed], missing=[lying[one["of"]].missing + one["lacking"] for one in changed],
    )  # fmt: skip
