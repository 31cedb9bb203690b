"""What waits at a point, for whom, and what happened there today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.accounts.queries import phone_ends_in
from shop.kernel import clock
from shop.kernel.rows import all_as, one_as
from shop.models.accounts import User
from shop.models.pickup import WAITING_COLLECTABLES, Collectable, Handover, HandoverOutcome, Pass, PassState

WAITS = sa.text(f"collectables.{WAITING_COLLECTABLES.text}")
"""In the very words of the index of what waits."""


def _waiting_at(point_id: int) -> tuple[Any, ...]:
    return Collectable.pickup_point_id == point_id, WAITS


@dataclass(frozen=True, slots=True)
class PointFigures:
    """Today at a point, in things; `overdue` are people whose pass has run out with goods still here."""

    waiting: int
    people_waiting: int
    overdue: int
    collected_today: int
    refused_today: int


def point_figures(session: Session, point_id: int) -> PointFigures:
    """Five counts in one query."""
    day_began = clock.at(clock.today(), time(0))
    ready = _waiting_at(point_id)
    events = sa.select(sa.func.count()).select_from(Handover)
    here_today = (Handover.pickup_point_id == point_id, Handover.received_at >= day_began)
    bad = Handover.outcome.in_((HandoverOutcome.REFUSED, HandoverOutcome.CONFLICT))
    row = session.execute(
        sa.select(
            sa.select(sa.func.count()).where(*ready).label("waiting"),
            sa.select(sa.func.count(sa.distinct(Collectable.user_id))).where(*ready).label("people_waiting"),
            sa.select(sa.func.count(sa.distinct(Pass.id))).join(Collectable, Collectable.pass_id == Pass.id)
            .where(*ready, Pass.state == PassState.LIVE, Pass.valid_until < clock.now()).label("overdue"),
            sa.select(sa.func.count()).select_from(Collectable).join(Handover, Handover.id == Collectable.handover_id)
            .where(*here_today).label("collected_today"),
            events.where(*here_today, bad).label("refused_today"),
        )
    ).one()  # fmt: skip
    return one_as(PointFigures, row)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody with goods at a point: how much, since when, until when. `pass_id` says where a list goes on."""

    pass_id: int
    ref: str
    holder_name: str
    holder_phone: str
    issued_at: datetime
    valid_until: datetime
    orders: int
    shops: int


WAITING_SORTS: dict[str, Any] = {"until": Pass.valid_until, "since": Pass.issued_at}


def waiting_at(
    session: Session, point_id: int, *, tail: str = "", only_overdue: bool = False, sort: str = "until", after: int | None = None,
    limit: int = 50,
) -> tuple[list[Waiting], int | None]:  # fmt: skip
    """Who has goods to collect at a point, and where the next page begins. `tail` are the last figures of a phone number."""
    column, downwards = WAITING_SORTS.get(sort.removeprefix("-"), Pass.valid_until), sort.startswith("-")
    grouped = (
        Pass.id.label("pass_id"), Pass.ref, User.display_name.label("holder_name"), User.phone.label("holder_phone"), Pass.issued_at,
        Pass.valid_until,
    )  # fmt: skip
    found = (
        sa.select(*grouped, sa.func.count().label("orders"), sa.func.count(sa.distinct(Collectable.source)).label("shops"))
        .select_from(Collectable)
        .join(Pass, Pass.id == Collectable.pass_id)
        .join(User, User.id == Pass.user_id)
        .where(*_waiting_at(point_id))
        .group_by(*grouped)
    )
    if tail:
        here = sa.select(Collectable.user_id).where(*_waiting_at(point_id))
        found = found.where(phone_ends_in(session, tail, here))
    if only_overdue:
        found = found.where(Pass.valid_until < clock.now())
    if after is not None:
        place = sa.select(column).where(Pass.id == after).correlate(None).scalar_subquery()
        beyond = column < place if downwards else column > place
        found = found.where(sa.or_(beyond, sa.and_(column == place, Pass.id < after if downwards else Pass.id > after)))
    found = found.order_by(column.desc(), Pass.id.desc()) if downwards else found.order_by(column, Pass.id)
    rows = all_as(Waiting, session.execute(found.limit(limit + 1)))
    return rows[:limit], rows[limit - 1].pass_id if len(rows) > limit else None
