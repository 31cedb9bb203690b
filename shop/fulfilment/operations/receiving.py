"""At the point: batches arrive, their orders become ready, everybody is told once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.counter import operations as counter
from shop.counter.operations import Arrived
from shop.fulfilment.collecting import SUB_ORDER
from shop.fulfilment.errors import NothingArrived, NothingCounted
from shop.fulfilment.operations.packing import open_batch
from shop.fulfilment.rules import PAID, whole_orders
from shop.fulfilment.tags import Done
from shop.kernel import clock
from shop.kernel.db import operation
from shop.kernel.errors import NotFound
from shop.kernel.statements import table
from shop.models.merchants import Merchant
from shop.models.orders import Purchase, SubOrder, SubOrderState
from shop.models.pickup import Batch, BatchState, Cycle
from shop.orders import operations as orders
from shop.orders.operations.step import open_steps
from shop.orders.permissions import OrderPermission
from shop.pickup import passes
from shop.platform import audit, notices, outbox
from shop.platform.actor import JOB, Actor
from shop.platform.language import group_code

SUB_ORDERS = table(SubOrder)
BATCHES = table(Batch)

BEFORE_ARRIVAL = (BatchState.PLANNED, BatchState.PACKING, BatchState.SEALED, BatchState.IN_TRANSIT)
COMING = (SubOrderState.PLACED, SubOrderState.ACCEPTED, SubOrderState.PACKED, SubOrderState.IN_TRANSIT)


@dataclass(frozen=True, slots=True)
class Arrival:
    """What came: sub-orders that are ready now, people who were told, sub-orders of the same deliveries that are still missing."""

    ready: int
    people: int
    missing: int


@operation
def receive(
    session: Session, actor: Actor, cycle_ids: Collection[int], *, missing: Collection[str] = (), counted: Collection[str] | None = None
) -> Arrival:  # fmt: skip
    """The batches of these deliveries are here: everything packed but `missing` (numbers) is ready, and each person is told once for all.

    Whoever counted names what lay before them in `counted`, and only that is ready: what was packed since nobody has seen.
    All deliveries must come to one point of the keeper (`NotFound`). Told again, only what was missing before moves.
    Raises `NothingArrived` for a delivery of which nothing was packed, `NothingCounted` when all of it is missing.
    """
    point_id, wanted = _one_point(session, actor, cycle_ids)
    moment = clock.now()
    batches = [_arrive(session, actor, cycle_id, moment) for cycle_id in wanted]
    rows = _coming(session, point_id, wanted)
    packed = [row for row in rows if row.state in (SubOrderState.PACKED, SubOrderState.IN_TRANSIT)]
    here = [row for row in packed if row.number not in missing and (counted is None or row.number in counted)]
    for cycle_id, batch_id, is_new in batches:
        came, expected = (sum(row.cycle_id == cycle_id for row in some) for some in (here, rows))
        if is_new and not came:
            raise NothingCounted() if any(row.cycle_id == cycle_id for row in packed) else NothingArrived()
        if came:
            audit.record(session, actor, Done.BATCH_ARRIVED, "batch", batch_id, ready=came, missing=expected - came)
    not_sent = [row.id for row in here if row.state is SubOrderState.PACKED]
    if not_sent:  # the goods are here, so they left the merchant, whether or not anybody said so
        orders.mark_in_transit(session, JOB, not_sent)
    by_person: dict[int, dict[int, str]] = defaultdict(dict)
    shops: dict[int, set[int]] = defaultdict(set)
    codes = {row.id: row.merchant_code for row in here}
    for row in here:
        by_person[row.user_id][row.id] = row.number
        shops[row.user_id].add(row.merchant_id)
    for user_id, parts in sorted(by_person.items()):
        issued = passes.issue(session, user_id, point_id)
        orders.mark_ready(session, actor, list(parts), issued.id)
        came = [Arrived(part_id, number, codes[part_id]) for part_id, number in parts.items()]
        counter.put_down(session, SUB_ORDER, came, issued.id)
        _tell(session, user_id, issued, parts, len(shops[user_id]))
    return Arrival(len(here), len(by_person), len(rows) - len(here))


def _coming(session: Session, point_id: int, cycle_ids: Sequence[int]) -> Sequence[Any]:
    """What is paid of these deliveries and not here yet, locked: its people's passes, then its orders, as at the counter."""
    paid = (SUB_ORDERS.c.cycle_id.in_(cycle_ids), SUB_ORDERS.c.state.in_(COMING), Purchase.state.in_(PAID))
    columns = tuple(SUB_ORDERS.c[name] for name in ("id", "number", "cycle_id", "user_id", "merchant_id", "state", "purchase_id"))
    coming = sa.select(*columns, Merchant.code.label("merchant_code")).join(Purchase, Purchase.id == SUB_ORDERS.c.purchase_id)
    coming = coming.join(Merchant, Merchant.id == SUB_ORDERS.c.merchant_id).where(*paid).order_by(SUB_ORDERS.c.id)
    seen = session.execute(coming).all()
    known = {row.id for row in seen}
    passes.hold(session, {row.user_id for row in seen}, point_id)
    open_steps(session, {row.purchase_id for row in seen})
    return [row for row in session.execute(coming) if row.id in known]


def _one_point(session: Session, actor: Actor, cycle_ids: Collection[int]) -> tuple[int, list[int]]:
    """The one point these deliveries come to, if the keeper works there."""
    rows = session.execute(sa.select(Cycle.id, Cycle.pickup_point_id).where(Cycle.id.in_(list(cycle_ids))).order_by(Cycle.id)).all()
    points = {row.pickup_point_id for row in rows}
    if len(rows) != len(set(cycle_ids)) or len(points) != 1 or not points.issubset(actor.points(OrderPermission.ARRIVAL_RECEIVE)):
        raise NotFound()
    return points.pop(), [row.id for row in rows]


def _arrive(session: Session, actor: Actor, cycle_id: int, moment: datetime) -> tuple[int, int, bool]:
    """Mark a delivery's batch as arrived: the delivery, the batch, and whether it had not arrived before."""
    arrived = (
        sa.update(BATCHES)
        .where(BATCHES.c.cycle_id == cycle_id, BATCHES.c.state.in_(BEFORE_ARRIVAL))
        .values(state=BatchState.ARRIVED, arrived_at=moment, arrived_by_id=actor.user_id)
        .returning(BATCHES.c.id)
    )
    batch = sa.select(BATCHES.c.id).where(BATCHES.c.cycle_id == cycle_id)
    if session.scalar(batch) is None:
        open_batch(session, cycle_id)
    batch_id = session.execute(arrived).scalar_one_or_none()
    return cycle_id, batch_id or session.execute(batch).scalar_one(), batch_id is not None


def _tell(session: Session, user_id: int, issued: passes.Issued, parts: Mapping[int, str], shops: int) -> None:
    """One notice and one SMS about sub-orders, by id with their numbers. A sub-order becomes ready once, so its id names the occasion."""
    occasion, whole = f"arrived:{min(parts)}", whole_orders(parts.values())
    notices.post(
        session, user_id, "fulfilment.arrived", dedupe_key=occasion, link=f"/pickup/{issued.ref}", orders=whole, shops=shops,
        code=group_code(issued.code), until=issued.valid_until.isoformat(),
    )
    outbox.enqueue(
        session, "fulfilment.tell_arrived", dedupe_key=f"fulfilment.tell_{occasion}", about=("pass", issued.id), pass_id=issued.id,
        orders=whole,
        shops=shops, occasion=occasion,
    )
