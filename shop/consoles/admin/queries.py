"""What runs, what failed, who did what."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.rows import all_as, one_as
from shop.models.accounts import RoleGrant, User
from shop.models.bills import Biller
from shop.models.orders import UNFINISHED_PARTS, Purchase, PurchaseState, SubOrder, SubOrderState
from shop.models.platform import ASKED_FOR, RARELY, AuditEntry, Job, JobState

PAGE = 50
SIZES = (50, 100, 200)
OPEN_PARTS = sa.text(f"sub_orders.{UNFINISHED_PARTS.text}")
LATE_COMMIT = timedelta(hours=1)
"""By how much later than its time a deed may have got its number: numbers and times run together but for that."""


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
            sa.select(sa.func.count()).where(Purchase.paid_at >= now - timedelta(hours=24)).label("orders_today"),
            sa.select(sa.func.count()).where(OPEN_PARTS, SubOrder.state.in_(preparing), paid).label("being_prepared"),
            sa.select(sa.func.count()).where(OPEN_PARTS, SubOrder.state == SubOrderState.READY).label("waiting"),
        )
    ).one()
    return one_as(Figures, row)


def jobs(
    session: Session, state: str, before: int | None, limit: int = PAGE, kind: str = ""
) -> tuple[Sequence[Any], int | None]:
    """The newest jobs of a state and kind, without the ones that come round by themselves; and where the next page begins.

    Never their arguments: they may name people.
    """
    wanted = [] if state not in set(JobState) else [Job.state == JobState(state)]
    legs = [_newest_jobs(before, limit + 1, ASKED_FOR, *wanted, *of_kind) for of_kind in _kinds(session, kind)]
    if state in ("", JobState.DEAD):  # rounds that gave up are told; they are few
        gave_up = (sa.text("is_round"), Job.state == JobState.DEAD)
        legs.append(_newest_jobs(before, limit + 1, *gave_up, *([Job.kind.startswith(kind, autoescape=True)] if kind else [])))
    if not legs:
        return [], None
    both = sa.union_all(*(sa.select(leg.subquery()) for leg in legs)).subquery()
    rows = session.execute(sa.select(both).order_by(both.c.id.desc()).limit(limit + 1)).all()
    return rows[:limit], rows[limit - 1].id if len(rows) > limit else None


def _kinds(session: Session, beginning: str) -> list[list[sa.ColumnElement[bool]]]:
    """The kinds of jobs there are that begin so, one by one: each is a walk along its index."""
    return [[Job.kind == kind] for kind in _leaps(session, Job.kind, ASKED_FOR) if kind.startswith(beginning)] if beginning else [[]]


def _leaps(session: Session, column: Any, *conditions: Any) -> list[str]:
    """The values of an indexed column, in one statement that leaps from one to the next."""
    first = sa.select(sa.func.min(column).label("value")).where(*conditions).cte("leaps", recursive=True)
    after = sa.select(sa.func.min(column)).where(column > first.c.value, *conditions).scalar_subquery()
    known = first.union_all(sa.select(after).where(first.c.value.is_not(None)))
    return list(session.scalars(sa.select(known.c.value).where(known.c.value.is_not(None))))


def _newest_jobs(before: int | None, limit: int, *conditions: Any) -> sa.Select[Any]:
    columns: tuple[Any, ...] = (Job.id, Job.kind, Job.state, Job.run_at, Job.attempts, Job.last_error, Job.finished_at)
    found: sa.Select[Any] = sa.select(*columns).where(*conditions).order_by(Job.id.desc()).limit(limit)
    return found if before is None else found.where(Job.id < before)


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


def audit(
    session: Session, wanted: Trail, before: int | None, limit: int = PAGE, named: Mapping[str, Collection[int]] | None = None
) -> tuple[list[Deed], int | None]:  # fmt: skip
    """The newest deeds that are wanted, and where the next page begins. `action` is a beginning; both days are counted in.

    `named` are the only things that are meant: ids by their kind.
    """
    found = sa.select(*(getattr(AuditEntry, name) for name in Deed.__slots__))
    if wanted.actor_kind not in ("", "user", "job"):
        found = found.where(RARELY)
    for column, value in (
        (AuditEntry.actor_kind, wanted.actor_kind), (AuditEntry.actor_id, wanted.actor_id),
        (AuditEntry.subject_type, wanted.subject_type), (AuditEntry.subject_id, wanted.subject_id),
    ):  # fmt: skip
        if value not in ("", None):
            found = found.where(column == value)
    if named is not None:
        things = [sa.and_(AuditEntry.subject_type == kind, AuditEntry.subject_id.in_(list(ids))) for kind, ids in named.items() if ids]
        found = found.where(sa.or_(sa.false(), *things))
    if wanted.since:
        since = clock.at(wanted.since, time(0))
        first = session.scalar(_first_deed(since - LATE_COMMIT))
        found = found.where(AuditEntry.at >= since, AuditEntry.id >= first if first is not None else sa.false())
    if wanted.until:
        until = clock.at(wanted.until + timedelta(days=1), time(0))
        behind = session.scalar(_first_deed(until + LATE_COMMIT))
        found = found.where(AuditEntry.at < until, *([AuditEntry.id < behind] if behind is not None else []))
    if before is not None:
        found = found.where(AuditEntry.id < before)
    legs = [found.where(*of_action).order_by(AuditEntry.id.desc()).limit(limit + 1) for of_action in _actions(session, wanted.action)]
    if not legs:
        return [], None
    rows = sorted((deed for leg in legs for deed in all_as(Deed, session.execute(leg))), key=lambda deed: -deed.id)
    return rows[:limit], rows[limit - 1].id if len(rows) > limit else None


def _first_deed(moment: datetime) -> sa.Select[Any]:
    """The number of the first deed from a moment on."""
    return sa.select(AuditEntry.id).where(AuditEntry.at >= moment).order_by(AuditEntry.at, AuditEntry.id).limit(1)


def _actions(session: Session, beginning: str) -> list[list[sa.ColumnElement[bool]]]:
    """The actions on record that begin so, one by one: each is a walk along its index."""
    return [[AuditEntry.action == one] for one in _leaps(session, AuditEntry.action) if one.startswith(beginning)] if beginning else [[]]


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
