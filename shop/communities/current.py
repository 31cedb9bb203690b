"""Where the reader of this request is, for views: `current_point(actor)`."""

from __future__ import annotations

from flask import g, request

from shop.communities import queries
from shop.communities.queries import Point
from shop.platform.actor import Actor

COOKIE = "point"


def current_point(actor: Actor) -> Point | None:
    """The reader's pick-up point, looked up once per request; None when none was chosen."""
    mine = g._get_current_object()
    if "current_point" not in mine:
        mine.current_point = queries.here(actor, request.cookies.get(COOKIE))
    point: Point | None = mine.current_point
    return point
