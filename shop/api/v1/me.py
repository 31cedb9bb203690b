"""The person who asks."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from shop.accounts import operations
from shop.communities.queries import Directory, directory
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound
from shop.merchants import queries as merchants
from shop.models.accounts import Role
from shop.platform.access import signed_in
from shop.platform.actor import Actor
from shop.platform.api.core import Schema, route
from shop.platform.api.fields import READABLE


class HeldRole(Schema):
    role: Role
    merchant: str | None
    pickup_point: str | None


class Me(Schema):
    phone: str
    display_name: str
    verification_level: int = Field(description="0 phone only, 1 to 3 as verified.")
    pickup_point: str | None
    locale: str | None = Field(examples=["zh", "en"])
    roles: list[HeldRole]
    second_factor: bool = Field(description="Whether this sign-in was confirmed with an authenticator.")


class PointChoice(Schema):
    pickup_point: Annotated[str, Field(max_length=80), READABLE] = Field(examples=["tianchenghu"])


def me_of(actor: Actor, places: Directory) -> Me:
    sellers = merchants.by_ids(reading(), actor.workplaces()) if actor.workplaces() else {}
    point = places.points_by_id.get(actor.pickup_point_id or 0)
    return Me(
        phone=actor.phone,
        display_name=actor.display_name,
        verification_level=actor.verification_level,
        pickup_point=point.slug if point else None,
        locale=actor.locale,
        roles=[
            HeldRole(
                role=Role(grant.role),
                merchant=sellers[grant.merchant_id].code if grant.merchant_id is not None else None,
                pickup_point=places.points_by_id[grant.pickup_point_id].slug if grant.pickup_point_id is not None else None,
            )
            for grant in actor.grants
        ],
        second_factor=actor.has_second_factor,
    )


@route("GET", "/me", signed_in, summary="Who I am", tag="Me", answers={200: Me})
def get_me(actor: Actor) -> Any:
    return me_of(actor, directory(reading()))


@route(
    "PUT", "/me/pickup-point", signed_in, summary="Choose my pick-up point", tag="Me", body=PointChoice, answers={200: PointChoice}
)
def put_my_point(actor: Actor, body: PointChoice) -> Any:
    point = directory(reading()).points_by_slug.get(body.pickup_point)
    if point is None:
        raise NotFound("pickup_point")
    perform(operations.choose_point, actor, point.id)
    return PointChoice(pickup_point=point.slug)
