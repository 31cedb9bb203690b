"""What runs, what failed, who did what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.models.orders import Purchase, PurchaseState, SubOrder, SubOrderState
from shop.models.platform import AuditEntry, Job, JobState
from shop.platform.outbox import PERIODIC

PAGE = 50


@dataclass(frozen=True, slots=True)
class Figures:
    """The state of the shop in a few counts."""

    orders_today: int
    being_prepared: int
    waiting: int
    jobs_late: int
    jobs_dead: int


def figures(session: Session) -> Figures:
    """Five counts in one query; a job is late five minutes after it was due."""
    now = clock.now()
    preparing = (SubOrderState.PLACED, SubOrderState.ACCEPTED, SubOrderState.PACKED, SubOrderState.IN_TRANSIT)
    paid = sa.exists().where(Purchase.id == SubOrder.purchase_id, Purchase.state == PurchaseState.PAID)
    row = session.execute(
        sa.select(
            sa.select(sa.func.count()).where(Purchase.paid_at >= now - timedelta(hours=24)).scalar_subquery(),
            sa.select(sa.func.count()).where(SubOrder.state.in_(preparing), paid).scalar_subquery(),
            sa.select(sa.func.count()).where(SubOrder.state == SubOrderState.READY).scalar_subquery(),
            sa.select(sa.func.count()).where(Job.state == JobState.QUEUED, Job.run_at < now - timedelta(minutes=5)).scalar_subquery(),
            sa.select(sa.func.count()).where(Job.state == JobState.DEAD).scalar_subquery(),
        )
    ).one()
    return Figures(*row)


def jobs(session: Session, state: str, before: int | None, limit: int = PAGE) -> tuple[Sequence[Any], int | None]:
    """The newest jobs of a state, without the ones that come round by themselves; and where the next page begins. Never their arguments."""
    columns = (Job.id, Job.kind, Job.state, Job.run_at, Job.attempts, Job.last_error, Job.finished_at)
    found = sa.select(*columns).where(sa.or_(Job.kind.not_in(list(PERIODIC)), Job.state == JobState.DEAD))
    if state in set(JobState):
        found = found.where(Job.state == JobState(state))
    if before is not None:
        found = found.where(Job.id < before)
    rows = session.execute(found.order_by(Job.id.desc()).limit(limit + 1)).all()
    return rows[:limit], rows[limit - 1].id if len(rows) > limit else None


@dataclass(frozen=True, slots=True)
class Deed:
    """One line of the audit trail."""

    id: int
    at: datetime
    actor_kind: str
    actor_id: int | None
    action: str
    subject_type: str
    subject_id: int
    facts: dict[str, Any]


def audit(session: Session, action: str, before: int | None, limit: int = PAGE) -> tuple[list[Deed], int | None]:
    """The newest deeds, of one kind when `action` says so; and where the next page begins."""
    found = sa.select(*(getattr(AuditEntry, name) for name in Deed.__slots__))
    if action:
        found = found.where(AuditEntry.action.startswith(action, autoescape=True))
    if before is not None:
        found = found.where(AuditEntry.id < before)
    rows = [Deed(*row) for row in session.execute(found.order_by(AuditEntry.id.desc()).limit(limit + 1))]
    return rows[:limit], rows[limit - 1].id if len(rows) > limit else None
