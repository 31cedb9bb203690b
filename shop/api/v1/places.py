"""Communities and pick-up points."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from shop.communities.queries import CommunityWithPoints, Point, directory
from shop.kernel.db import reading
from shop.kernel.errors import NotFound
from shop.platform.access import open_to_everyone
from shop.platform.actor import Actor
from shop.platform.api.core import Schema, route
from shop.platform.api.fields import READABLE
from shop.platform.language import name_of


class PointOut(Schema):
    slug: str
    name: str = Field(description="In the language asked for.")
    name_zh: str
    name_en: str
    community: str
    location: str = Field(description="In the language asked for.")
    opens: str = Field(examples=["08:30"])
    closes: str = Field(examples=["20:30"])
    phone: str
    latitude: float = Field(description="WGS-84.")
    longitude: float


class CommunityOut(Schema):
    slug: str
    name: str = Field(description="In the language asked for.")
    name_zh: str
    name_en: str
    district: str
    pickup_points: list[str]


class CommunityPage(Schema):
    items: list[CommunityOut]
    next_cursor: str | None


class PointPage(Schema):
    items: list[PointOut]
    next_cursor: str | None


class PointFilter(Schema):
    community: Annotated[str, Field(max_length=80), READABLE] | None = Field(default=None, description="Slug of a community.")


def community_out(community: CommunityWithPoints) -> CommunityOut:
    return CommunityOut(
        slug=community.slug, name=name_of(community), name_zh=community.name_zh, name_en=community.name_en,
        district=name_of(community, "district"),
        pickup_points=[point.slug for point in community.points],
    )  # fmt: skip


def point_out(point: Point) -> PointOut:
    return PointOut(
        slug=point.slug, name=name_of(point), name_zh=point.name_zh, name_en=point.name_en, community=point.community_slug,
        location=name_of(point, "location"), opens=f"{point.opens:%H:%M}", closes=f"{point.closes:%H:%M}", phone=point.phone,
        latitude=point.latitude_e6 / 1_000_000, longitude=point.longitude_e6 / 1_000_000,
    )  # fmt: skip


@route("GET", "/communities", open_to_everyone, summary="All communities", tag="Places", answers={200: CommunityPage})
def list_communities(actor: Actor) -> Any:
    return CommunityPage(items=[community_out(community) for community in directory(reading()).communities], next_cursor=None)


@route(
    "GET", "/pickup-points", open_to_everyone, summary="Pick-up points that are open, of one community or all", tag="Places",
    query=PointFilter, answers={200: PointPage},
)
def list_pickup_points(actor: Actor, query: PointFilter) -> Any:
    communities = directory(reading()).communities
    if query.community is not None:
        communities = tuple(community for community in communities if community.slug == query.community)
        if not communities:
            raise NotFound("community")
    return PointPage(items=[point_out(point) for community in communities for point in community.points], next_cursor=None)
