"""Reading the bulletin: what residents see, and what lies on the desk of those who write and publish."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from shop.bulletin.rules import Standing, standing
from shop.communities.queries import directory
from shop.kernel import clock
from shop.kernel.columns import CITY
from shop.kernel.errors import NotFound
from shop.models.accounts import User
from shop.models.bulletin import BulletinKind, BulletinNotice, BulletinReader, BulletinVersion, VersionState
from shop.platform.actor import Actor
from shop.platform.permissions import Permission

PAGE = 20
MOST_VERSIONS = 50

V = BulletinVersion
Places = frozenset[int] | None
"""Communities; None is all of them, and the city itself."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A notice as residents see it today."""

    notice_id: int
    community_id: int
    number: int
    kind: BulletinKind
    title_zh: str
    title_en: str
    text_zh: str
    text_en: str
    building: str
    starts_on: date
    ends_on: date
    is_pinned: bool
    published_at: datetime


@dataclass(frozen=True, slots=True)
class OnDesk:
    """One text of a notice with all that happened to it."""

    id: int
    notice_id: int
    community_id: int
    number: int
    state: VersionState
    kind: BulletinKind
    title_zh: str
    title_en: str
    text_zh: str
    text_en: str
    building: str
    starts_on: date
    ends_on: date
    is_pinned: bool
    written_by_id: int
    written_at: datetime
    published_by_id: int | None
    published_at: datetime | None
    closed_at: datetime | None
    reason: str
    writer: str
    publisher: str | None
    closer: str | None
    readers: int

    @property
    def standing(self) -> Standing:
        return standing(self.state, self.starts_on, self.ends_on, clock.today())


def places(session: Session, actor: Actor, permission: Permission) -> Places:
    """Where somebody holds a permission: in the whole city, or in the communities of the points where they work."""
    if actor.everywhere(permission):
        return None
    points = directory(session).points_by_id
    return frozenset(points[point_id].community_id for point_id in actor.points(permission) if point_id in points)


def covers(places: Places, community_id: int) -> bool:
    return places is None or community_id in places


def within(places: Places) -> list[sa.ColumnElement[bool]]:
    return [] if places is None else [V.community_id.in_(sorted(places))]


SHOWN = (
    V.notice_id, V.community_id, V.number, V.kind, V.title_zh, V.title_en, V.text_zh, V.text_en, V.building, V.starts_on, V.ends_on,
    V.is_pinned, V.published_at,
)  # fmt: skip


def is_shown() -> sa.ColumnElement[bool]:
    """Published, and today is one of its days: what is over goes by itself."""
    today = clock.today()
    return sa.and_(V.state == VersionState.PUBLISHED, V.starts_on <= today, V.ends_on >= today)


def read_in(community_id: int | None) -> list[int]:
    """The communities whose notices somebody there reads: one's own, and those of the city."""
    return [CITY] if community_id is None else [CITY, community_id]


def list_shown(
    session: Session, communities: Collection[int], before: int | None = None, limit: int = PAGE
) -> tuple[list[Shown], int | None]:
    """What stands there, pinned first and then the newest; and where the next page starts (give it back as `before`)."""
    found = sa.select(*SHOWN).where(is_shown(), V.community_id.in_(communities))
    if before is not None:
        was_pinned = bool(session.scalar(sa.select(V.is_pinned).where(V.notice_id == before, V.state == VersionState.PUBLISHED)))
        later = V.notice_id < before
        found = found.where(sa.or_(~V.is_pinned, later) if was_pinned else sa.and_(~V.is_pinned, later))
    rows = session.execute(found.order_by(V.is_pinned.desc(), V.notice_id.desc()).limit(limit + 1)).all()
    shown = [Shown(**row._mapping) for row in rows[:limit]]
    return shown, shown[-1].notice_id if len(rows) > limit else None


def shown(session: Session, notice_id: int) -> Shown:
    """One notice that stands there today, of whichever community: an address may be passed on. Raises `NotFound`."""
    row = session.execute(sa.select(*SHOWN).where(is_shown(), V.notice_id == notice_id)).one_or_none()
    if row is None:
        raise NotFound()
    return Shown(**row._mapping)


def shown_version(session: Session, version_id: int) -> Shown | None:
    """A text, if it is the one that stands there today."""
    row = session.execute(sa.select(*SHOWN).where(is_shown(), V.id == version_id)).one_or_none()
    return Shown(**row._mapping) if row else None


def readers(session: Session, notice_id: int) -> int:
    """How many people have opened a notice, each counted once."""
    return session.scalar(sa.select(BulletinNotice.readers).where(BulletinNotice.id == notice_id)) or 0


def has_read(session: Session, actor: Actor, notice_id: int) -> bool:
    """Whether the person who asks has opened a notice before."""
    mine = sa.select(BulletinReader.id).where(BulletinReader.notice_id == notice_id, BulletinReader.user_id == actor.signed_in_id())
    return session.scalar(mine) is not None


def on_desk() -> sa.Select[*tuple[object, ...]]:
    writer, publisher, closer = aliased(User), aliased(User), aliased(User)
    return (
        sa.select(
            V.id, *SHOWN[:-1], V.state, V.written_by_id, V.written_at, V.published_by_id, V.published_at, V.closed_at, V.reason,
            writer.display_name.label("writer"), publisher.display_name.label("publisher"), closer.display_name.label("closer"),
            BulletinNotice.readers,
        )
        .join(BulletinNotice, BulletinNotice.id == V.notice_id)
        .join(writer, writer.id == V.written_by_id)
        .outerjoin(publisher, publisher.id == V.published_by_id)
        .outerjoin(closer, closer.id == V.closed_by_id)
    )  # fmt: skip


TABS: dict[str, tuple[VersionState, ...]] = {
    "open": (VersionState.DRAFT, VersionState.WAITING),
    "published": (VersionState.PUBLISHED,),
    "gone": (VersionState.REFUSED, VersionState.WITHDRAWN, VersionState.REPLACED),
}


def list_on_desk(
    session: Session, places: Places, tab: str, before: int | None = None, limit: int = PAGE
) -> tuple[list[OnDesk], int | None]:
    """The texts of some communities under one of `TABS`, newest first; and where the next page starts."""
    found = on_desk().where(V.state.in_(TABS[tab]), *within(places))
    if before is not None:
        found = found.where(V.id < before)
    rows = session.execute(found.order_by(V.id.desc()).limit(limit + 1)).all()
    listed = [OnDesk(**row._mapping) for row in rows[:limit]]
    return listed, listed[-1].id if len(rows) > limit else None


def one_on_desk(session: Session, places: Places, version_id: int) -> OnDesk:
    """A text of these communities. Raises `NotFound`."""
    row = session.execute(on_desk().where(V.id == version_id, *within(places))).one_or_none()
    if row is None:
        raise NotFound()
    return OnDesk(**row._mapping)


def history(session: Session, notice_id: int) -> list[OnDesk]:
    """The texts a notice has had, the newest first."""
    rows = session.execute(on_desk().where(V.notice_id == notice_id).order_by(V.number.desc()).limit(MOST_VERSIONS)).all()
    return [OnDesk(**row._mapping) for row in rows]


def is_over_and_done() -> sa.ColumnElement[bool]:
    """Whether no text of a notice is being written, waits, or stands there on any day to come."""
    to_come = sa.and_(V.state == VersionState.PUBLISHED, V.ends_on >= clock.today())
    is_open = V.state.in_((VersionState.DRAFT, VersionState.WAITING))
    return ~sa.select(V.id).where(V.notice_id == BulletinNotice.id, sa.or_(to_come, is_open)).exists()
