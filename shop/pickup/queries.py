"""Which deliveries can be ordered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.rows import all_as
from shop.models.pickup import Cycle


@dataclass(frozen=True, slots=True)
class CycleFacts:
    """A delivery as pages need it."""

    id: int
    merchant_id: int
    pickup_point_id: int
    arrives_on: date
    cut_off_at: datetime
    arrives_at: datetime
    slots_left: int


FACTS = (
    Cycle.id, Cycle.merchant_id, Cycle.pickup_point_id, Cycle.arrives_on, Cycle.cut_off_at, Cycle.arrives_at,
    (Cycle.capacity - Cycle.booked).label("slots_left"),
)


def next_cycles(session: Session, point_id: int, merchant_ids: Iterable[int] | None = None) -> dict[int, CycleFacts]:
    """Each merchant's next delivery to a point that is before its cut-off, has a slot and has not been sent off early; all merchants
    when none are named.
    """
    can_be_joined = (Cycle.cut_off_at > clock.now(), Cycle.booked < Cycle.capacity, Cycle.closed_at.is_(None))
    wanted = sa.select(*FACTS).where(Cycle.pickup_point_id == point_id, *can_be_joined)
    if merchant_ids is not None:
        wanted = wanted.where(Cycle.merchant_id.in_(list(merchant_ids)))
    found: dict[int, CycleFacts] = {}
    for cycle in all_as(CycleFacts, session.execute(wanted.order_by(Cycle.cut_off_at, Cycle.id))):
        found.setdefault(cycle.merchant_id, cycle)
    return found
