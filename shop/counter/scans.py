"""What happened at the counter: every scan, what left with it, what stayed and why, and what can still be taken back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.counter.rules import can_be_taken_back
from shop.kernel import clock
from shop.kernel.rows import all_as
from shop.models.accounts import User
from shop.models.pickup import Collectable, CollectableState, Handover, HandoverKept, HandoverOutcome, Pass
from shop.platform.features import registry


@dataclass(frozen=True, slots=True)
class DeskEvent:
    """One scan at the counter."""

    id: int
    at: datetime
    outcome: HandoverOutcome
    reason: str | None
    holder_name: str | None
    pass_ref: str | None
    handed: int
    client_id: str

    @property
    def can_be_taken_back(self) -> bool:
        return can_be_taken_back(self.handed, self.at, clock.now())


def desk_events(
    session: Session, point_id: int, limit: int = 50, *, outcome: str = "", day: date | None = None, number: str = "",
    before: int | None = None,
) -> list[DeskEvent]:  # fmt: skip
    """The newest scans of a point, refused ones with their reason; those of one outcome, of one day, or of one order when that is wanted.

    `number` is a whole order's, a part's, or the short code of either: what left, stayed or came back with a scan.
    """
    handed = sa.select(sa.func.count()).where(Collectable.handover_id == Handover.id).scalar_subquery()
    found = (
        sa.select(
            Handover.id, Handover.received_at.label("at"), Handover.outcome, Handover.reason, User.display_name.label("holder_name"),
            Pass.ref.label("pass_ref"), handed.label("handed"), Handover.client_id,
        )
        .outerjoin(Pass, Pass.id == Handover.pass_id)
        .outerjoin(User, User.id == Pass.user_id)
        .where(Handover.pickup_point_id == point_id)
    )
    if outcome in set(HandoverOutcome):
        found = found.where(Handover.outcome == HandoverOutcome(outcome))
    if day is not None:
        began = clock.at(day, time(0))
        found = found.where(Handover.received_at >= began, Handover.received_at < began + timedelta(days=1))
    if number:
        meant = sa.select(Collectable.id).where(_named(number))
        gone_with = sa.select(Collectable.handover_id).where(_named(number), Collectable.handover_id.is_not(None))
        stayed_with = sa.select(HandoverKept.handover_id).where(HandoverKept.collectable_id.in_(meant))
        found = found.where(Handover.id.in_(gone_with.union(stayed_with)))
    if before is not None:
        found = found.where(Handover.id < before)
    rows = session.execute(found.order_by(Handover.id.desc()).limit(limit))
    return all_as(DeskEvent, rows)


def _named(number: str) -> sa.ColumnElement[bool]:
    """Things that are meant by a number, as each kind reads it."""
    kinds = registry.collectables().values()
    return sa.or_(*(sa.and_(Collectable.kind == kind.name, Collectable.subject_id.in_(kind.named(number))) for kind in kinds))


@dataclass(frozen=True, slots=True)
class Told:
    """A hand-over as its result page shows it: the numbers that are gone with it, and those that stayed or came back, with the reason.

    `can_be_taken_back` while the slip is fresh.
    """

    outcome: HandoverOutcome
    reason: str | None
    holder_name: str | None
    handed: tuple[str, ...]
    kept: tuple[tuple[str, str], ...]
    still_waiting: int
    client_id: str
    at: datetime
    can_be_taken_back: bool


def told(session: Session, point_ids: Sequence[int], client_id: str) -> Told | None:
    """What came of an event at one of these points; None for others."""
    row = session.execute(
        sa.select(Handover.id, Handover.outcome, Handover.reason, Handover.pass_id, Handover.received_at, User.display_name)
        .outerjoin(Pass, Pass.id == Handover.pass_id)
        .outerjoin(User, User.id == Pass.user_id)
        .where(Handover.client_id == client_id, Handover.pickup_point_id.in_(point_ids))
    ).one_or_none()
    if row is None:
        return None
    gone = sa.select(Collectable.number).where(Collectable.handover_id == row.id).order_by(Collectable.id)
    back = sa.select(Collectable.number, HandoverKept.reason).join(HandoverKept, HandoverKept.collectable_id == Collectable.id)
    waiting = sa.select(sa.func.count()).where(Collectable.pass_id == row.pass_id, Collectable.state == CollectableState.WAITING)
    still = (session.scalar(waiting) or 0) if row.pass_id is not None else 0
    handed = tuple(session.scalars(gone))
    back = back.where(HandoverKept.handover_id == row.id).order_by(Collectable.id)
    kept = tuple((one.number, one.reason) for one in session.execute(back))
    fresh = can_be_taken_back(len(handed), row.received_at, clock.now())
    return Told(row.outcome, row.reason, row.display_name, handed, kept, still, client_id, row.received_at, fresh)


@dataclass(frozen=True, slots=True)
class Earlier:
    """A hand-over with which orders left that are asked for once more: when, by whom, and whether it can be taken back."""

    client_id: str
    at: datetime
    keeper_name: str
    numbers: tuple[str, ...]

    @property
    def can_be_taken_back(self) -> bool:
        return can_be_taken_back(len(self.numbers), self.at, clock.now())


def earlier(session: Session, point_ids: Sequence[int], numbers: Collection[str]) -> list[Earlier]:
    """With which hand-overs of these points these things left, the newest first."""
    rows = session.execute(
        sa.select(Handover.id, Handover.client_id, Handover.received_at, User.display_name, Collectable.number)
        .join(Collectable, Collectable.handover_id == Handover.id)
        .join(User, User.id == Handover.keeper_id)
        .where(Collectable.number.in_(numbers), Handover.pickup_point_id.in_(point_ids))
        .order_by(Handover.id.desc(), Collectable.id)
    ).all()
    found: dict[int, list[str]] = {}
    for row in rows:
        found.setdefault(row.id, []).append(row.number)
    first = {row.id: row for row in reversed(rows)}
    return [
        Earlier(first[one].client_id, first[one].received_at, first[one].display_name, tuple(gone)) for one, gone in found.items()
    ]
