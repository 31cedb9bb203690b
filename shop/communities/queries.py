"""The directory of communities and points, kept in memory for half a minute, and where somebody is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel.db import reading
from shop.kernel.memory import remember
from shop.models.communities import Community
from shop.models.pickup import PickupPoint
from shop.platform.actor import Actor


@dataclass(frozen=True, slots=True)
class Point:
    """A pick-up point with the names of its community. Plain data."""

    id: int
    slug: str
    name_zh: str
    name_en: str
    location_zh: str
    location_en: str
    opens: time
    closes: time
    phone: str
    latitude_e6: int
    longitude_e6: int
    is_open: bool
    community_id: int
    community_slug: str
    community_name_zh: str
    community_name_en: str


@dataclass(frozen=True, slots=True)
class CommunityWithPoints:
    """A community and where it collects, open points only."""

    id: int
    slug: str
    name_zh: str
    name_en: str
    district_zh: str
    district_en: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Directory:
    """All communities and points. Closed points are found by id and slug, but not listed."""

    communities: tuple[CommunityWithPoints, ...]
    points_by_id: dict[int, Point]
    points_by_slug: dict[str, Point]


@remember(seconds=30)
def directory(session: Session) -> Directory:
    """Everything about places, in the order of the programme."""
    points: dict[int, list[Point]] = {}
    communities = session.execute(
        sa.select(Community.id, Community.slug, Community.name_zh, Community.name_en, Community.district_zh, Community.district_en)
        .order_by(Community.id)
    ).all()
    by_id = {row.id: row for row in communities}
    for row in session.scalars(sa.select(PickupPoint).order_by(PickupPoint.id)):
        home = by_id[row.community_id]
        points.setdefault(home.id, []).append(
            Point(
                row.id, row.slug, row.name_zh, row.name_en, row.location_zh, row.location_en, row.opens, row.closes, row.phone,
                row.latitude_e6, row.longitude_e6, row.is_open, home.id, home.slug, home.name_zh, home.name_en,
            )
        )
    every = [point for of_one in points.values() for point in of_one]
    return Directory(
        communities=tuple(
            CommunityWithPoints(
                row.id, row.slug, row.name_zh, row.name_en, row.district_zh, row.district_en,
                tuple(point for point in points.get(row.id, ()) if point.is_open),
            )
            for row in communities
        ),
        points_by_id={point.id: point for point in every},
        points_by_slug={point.slug: point for point in every},
    )


def here(actor: Actor, cookie_slug: str | None) -> Point | None:
    """The point of the person who asks: the account's, or signed out the cookie's; None when none was chosen or it has closed."""
    places = directory(reading())
    if actor.pickup_point_id is not None:
        point = places.points_by_id.get(actor.pickup_point_id)
    else:
        point = places.points_by_slug.get(cookie_slug or "")
    return point if point is not None and point.is_open else None


def matching(places: Directory, wanted: str) -> tuple[CommunityWithPoints, ...]:
    """The communities whose name, district, point or place contains what was typed; all when nothing was."""
    words = wanted.casefold()
    if not words:
        return places.communities
    return tuple(community for community in places.communities if words in _spoken(community))


def _spoken(community: CommunityWithPoints) -> str:
    texts = [community.name_zh, community.name_en, community.district_zh, community.district_en]
    for point in community.points:
        texts += [point.name_zh, point.name_en, point.location_zh, point.location_en]
    return "\n".join(texts).casefold()
