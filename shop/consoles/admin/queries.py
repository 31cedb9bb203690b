"""What runs, what failed, who did what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.models.accounts import RoleGrant, User
from shop.models.bills import Biller
from shop.models.orders import Purchase, PurchaseState, SubOrder, SubOrderState
from shop.models.platform import AuditEntry, Job, JobState
from shop.platform.outbox import PERIODIC

PAGE = 50
SIZES = (50, 100, 200)


@dataclass(frozen=True, slots=True)
class Figures:
    """The state of the shop in a few counts."""

    orders_today: int
    being_prepared: int
    waiting: int


def figures(session: Session) -> Figures:
    """Three counts in one query."""
    now = clock.now()
    preparing = (SubOrderState.PLACED, SubOrderState.ACCEPTED, SubOrderState.PACKED, SubOrderState.IN_TRANSIT)
    paid = sa.exists().where(Purchase.id == SubOrder.purchase_id, Purchase.state == PurchaseState.PAID)
    row = session.execute(
        sa.select(
            sa.select(sa.func.count()).where(Purchase.paid_at >= now - timedelta(hours=24)).scalar_subquery(),
            sa.select(sa.func.count()).where(SubOrder.state.in_(preparing), paid).scalar_subquery(),
            sa.select(sa.func.count()).where(SubOrder.state == SubOrderState.READY).scalar_subquery(),
        )
    ).one()
    return Figures(*row)


def jobs(
    session: Session, state: str, before: int | None, limit: int = PAGE, kind: str = ""
) -> tuple[Sequence[Any], int | None]:
    """The newest jobs of a state and kind, without the ones that come round by themselves; and where the next page begins.

    Never their arguments: they may name people.
    """
    columns = (Job.id, Job.kind, Job.state, Job.run_at, Job.attempts, Job.last_error, Job.finished_at)
    found = sa.select(*columns).where(sa.or_(Job.kind.not_in(list(PERIODIC)), Job.state == JobState.DEAD))
    if state in set(JobState):
        found = found.where(Job.state == JobState(state))
    if kind:
        found = found.where(Job.kind.startswith(kind, autoescape=True))
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


@dataclass(frozen=True, slots=True)
class Trail:
    """What of the audit trail is wanted, as it stands in the address. Empty means all."""

    action: str = ""
    actor_kind: str = ""
    actor_id: int | None = None
    subject_type: str = ""
    subject_id: int | None = None
    since: date | None = None
    until: date | None = None


def audit(session: Session, wanted: Trail, before: int | None, limit: int = PAGE) -> tuple[list[Deed], int | None]:
    """The newest deeds that are wanted, and where the next page begins. `action` is a beginning; both days are counted in."""
    found = sa.select(*(getattr(AuditEntry, name) for name in Deed.__slots__))
    if wanted.action:
        found = found.where(AuditEntry.action.startswith(wanted.action, autoescape=True))
    for column, value in (
        (AuditEntry.actor_kind, wanted.actor_kind), (AuditEntry.actor_id, wanted.actor_id),
        (AuditEntry.subject_type, wanted.subject_type), (AuditEntry.subject_id, wanted.subject_id),
    ):  # fmt: skip
        if value not in ("", None):
            found = found.where(column == value)
    if wanted.since:
        found = found.where(AuditEntry.at >= clock.at(wanted.since, time(0)))
    if wanted.until:
        found = found.where(AuditEntry.at < clock.at(wanted.until + timedelta(days=1), time(0)))
    if before is not None:
        found = found.where(AuditEntry.id < before)
    rows = [Deed(*row) for row in session.execute(found.order_by(AuditEntry.id.desc()).limit(limit + 1))]
    return rows[:limit], rows[limit - 1].id if len(rows) > limit else None


@dataclass(frozen=True, slots=True)
class Somebody:
    """Whom a number means: their name, and what they are here."""

    display_name: str
    roles: tuple[str, ...]


def people_of(session: Session, deeds: Sequence[Deed]) -> dict[int, Somebody]:
    """The people who did these deeds, or to whom they were done, by number. One query, none when there are none."""
    ids = {deed.actor_id for deed in deeds if deed.actor_id} | {deed.subject_id for deed in deeds if deed.subject_type == "user"}
    if not ids:
        return {}
    rows = session.execute(
        sa.select(User.id, User.display_name, RoleGrant.role)
        .outerjoin(RoleGrant, sa.and_(RoleGrant.user_id == User.id, RoleGrant.revoked_at.is_(None)))
        .where(User.id.in_(ids))
        .order_by(User.id, RoleGrant.id)
    ).all()
    roles = {user_id: tuple(dict.fromkeys(row.role.value for row in rows if row.id == user_id and row.role)) for user_id in ids}
    return {row.id: Somebody(row.display_name, roles[row.id]) for row in rows}


def billers_of(session: Session, deeds: Iterable[Deed]) -> dict[str, Any]:
    """The billers that stand in the facts of these deeds, with their names, by code. One query, none when there are none."""
    codes = {code for deed in deeds if isinstance(code := deed.facts.get("biller"), str)}
    if not codes:
        return {}
    return {row.code: row for row in session.execute(sa.select(Biller.code, Biller.name_zh, Biller.name_en).where(Biller.code.in_(codes)))}
