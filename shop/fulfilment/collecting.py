"""Orders as things that lie at a counter: what their being collected, or not, means for them and their money."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.accounts.queries import staff_of_merchants
from shop.fulfilment import overdue
from shop.fulfilment.endings import Wait, goes_back
from shop.fulfilment.overdue import Waiting
from shop.fulfilment.queries import orders_named
from shop.fulfilment.rules import whole_orders, why_it_stays
from shop.kernel.errors import NotFound, sentence
from shop.kernel.money import Money
from shop.kernel.rows import filler
from shop.models.catalog import Product
from shop.models.merchants import Merchant
from shop.models.orders import OrderLine, SubOrder
from shop.models.pickup import Pass
from shop.orders import operations as orders
from shop.orders.operations.step import Step, open_steps_of
from shop.orders.permissions import OrderPermission
from shop.platform import notices
from shop.platform.actor import Actor
from shop.platform.collecting import Contents, Kind, Line, Move, Opened

SUB_ORDER = "sub_order"


def lock(session: Session, sub_order_ids: Sequence[int]) -> Opened:
    """Orders with the steps on them; those that are not paid, or all of whose money went back, stay."""
    steps, parts = open_steps_of(session, sub_order_ids)
    reasons = {part.id: why_it_stays(steps[part.purchase_id].state, part.total, part.refunded_total) for part in parts}
    return Opened({part_id: reason for part_id, reason in reasons.items() if reason is not None}, steps)


def contents(session: Session, sub_order_ids: Sequence[int]) -> Mapping[int, Contents]:
    """What came of each order: without what its shop could not find. One query."""
    there: Any = OrderLine.quantity - OrderLine.short_quantity
    lines = (
        OrderLine.name_zh, OrderLine.name_en, OrderLine.unit_zh, OrderLine.unit_en, OrderLine.image, Product.category_id,
        there.label("quantity"), OrderLine.priced_by, OrderLine.final_grams,
    )  # fmt: skip
    rows = session.execute(
        sa.select(SubOrder.id, Merchant.code, Merchant.name_zh.label("sender_zh"), Merchant.name_en.label("sender_en"), *lines)
        .join(Merchant, Merchant.id == SubOrder.merchant_id)
        .outerjoin(OrderLine, sa.and_(OrderLine.sub_order_id == SubOrder.id, there > 0))
        .outerjoin(Product, Product.id == OrderLine.product_id)
        .where(SubOrder.id.in_(sub_order_ids))
        .order_by(SubOrder.id, OrderLine.id)
    )
    senders: dict[int, tuple[str, str, str]] = {}
    found: dict[int, list[Line]] = defaultdict(list)
    fill = filler(Line, tuple(rows.keys()), ("id", "code", "sender_zh", "sender_en"))
    for row in rows:
        senders[row.id] = row.code, row.sender_zh, row.sender_en
        if row.quantity is not None:
            found[row.id].append(fill(row))
    return {part_id: Contents(code, zh, en, tuple(found[part_id])) for part_id, (code, zh, en) in senders.items()}


def named(number: str) -> sa.Select[Any]:
    return sa.select(SubOrder.id).where(orders_named(number))


def due(session: Session, after: int) -> list[int]:
    return overdue.due(session, Wait.TO_COLLECT, after)


def ends_at(session: Session, sub_order_id: int) -> datetime | None:
    found = overdue.find(session, sub_order_id)
    return found.ends_at if found is not None and found.wait is Wait.TO_COLLECT else None


def collected(session: Session, actor: Actor, opened: Opened, sub_order_ids: Sequence[int], move: Move) -> None:
    """The merchants are owed their money, and the buyer is told."""
    steps: Mapping[int, Step] = opened.read
    orders.mark_collected(session, actor, sub_order_ids, steps)
    numbers = [part.number for step in steps.values() for part in step.parts if part.id in sub_order_ids]
    notices.post(
        session, move.user_id, "fulfilment.handed_over", dedupe_key=f"handover:{move.handover_id}", link="/orders",
        orders=whole_orders(numbers),
    )


def taken_back(session: Session, actor: Actor, sub_order_ids: Sequence[int], move: Move) -> None:
    """The merchants post their money back, and the buyer is told. Raises `CannotTakeBack` when something was built on it since."""
    orders.take_back(session, actor, sub_order_ids, move.pass_id)
    numbers = session.scalars(sa.select(SubOrder.number).where(SubOrder.id.in_(sub_order_ids))).all()
    ref = session.execute(sa.select(Pass.ref).where(Pass.id == move.pass_id)).scalar_one()
    notices.post(
        session, move.user_id, "fulfilment.taken_back", dedupe_key=f"handover:{move.handover_id}:taken_back:{move.time}",
        link=f"/pickup/{ref}", orders=whole_orders(numbers),
    )  # fmt: skip


def not_collected(session: Session, actor: Actor, opened: Opened, sub_order_id: int, reason: str) -> Money:
    """What keeps goes back to its shop and its money to the buyer; of what is fresh the shop is paid. What goes back to the buyer."""
    found = overdue.find(session, sub_order_id)
    if found is None:
        raise NotFound()
    step: Step = opened.read[found.purchase_id]
    part = step.part(sub_order_id)
    back = goes_back(part.left, overdue.lines_not_collected(session, sub_order_id))
    orders.not_collected(session, actor, step, part, back, reason)
    tell_shop(session, found, "fulfilment.shop_comes_back" if back else "fulfilment.shop_not_collected", back)
    return back


def tell_shop(session: Session, found: Waiting, kind: str, back: Money) -> None:
    """Tell everybody who works for a shop what became of its order."""
    for user_id in staff_of_merchants(session, [found.merchant_id], OrderPermission.SHOP_READ).get(found.merchant_id, ()):
        notices.post(
            session, user_id, kind, dedupe_key=f"sub_order:{found.id}:{kind}:{user_id}", link=f"/merchant/orders/{found.number}",
            number=found.number, amount=str(back), point={"zh": found.point_name_zh, "en": found.point_name_en},
        )


ORDERS_TO_COLLECT = Kind(
    name=SUB_ORDER, called=sentence("Order"), open=lock, contents=contents, named=named, due=due, ends_at=ends_at,
    on_collected=collected, on_taken_back=taken_back, on_not_collected=not_collected,
)  # fmt: skip
