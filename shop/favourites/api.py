"""What the person who asks likes."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime, Field

from shop.catalog.errors import ProductNotFound
from shop.catalog.queries import arrivals
from shop.favourites import operations, queries
from shop.favourites.errors import TooManyFavourites
from shop.kernel.db import perform, reading
from shop.platform.access import signed_in
from shop.platform.actor import Actor
from shop.platform.api.core import Schema, decode_cursor, encode_cursor, route
from shop.platform.api.fields import Cursor
from shop.platform.language import name_of

TAG = "favourites"


class FavouriteOut(Schema):
    product: str = Field(description="Slug of the product.")
    favourite: bool
    since: AwareDatetime | None = Field(description="Since when it is a favourite; null when it is none.")


class FavouriteItem(Schema):
    product: str = Field(description="Slug of the product.")
    name: str
    since: AwareDatetime
    on_sale: bool
    available: int = Field(description="What can be bought of the size its card prices; 0 when sold out or not on sale.")
    arrives_at_my_point: bool


class FavouritesQuery(Schema):
    cursor: Cursor | None = None
    limit: int = Field(default=24, ge=1, le=100)


class FavouritePage(Schema):
    items: list[FavouriteItem]
    next_cursor: str | None


def favourite_out(actor: Actor, product: str) -> dict[str, Any]:
    session = reading()
    since = queries.kept_since(session, actor.signed_in_id(), queries.product_id_of(session, product))
    return {"product": product, "favourite": since is not None, "since": since}


@route(
    "GET", "/favourites", signed_in, summary="My favourites, newest first", tag=TAG, query=FavouritesQuery, answers={200: FavouritePage},
)  # fmt: skip
def list_favourites(actor: Actor, query: FavouritesQuery) -> Any:
    session = reading()
    place = decode_cursor(query.cursor, int)
    kept, after = queries.list_mine(session, actor, arrivals(session, actor.pickup_point_id), place[0] if place else None, query.limit)
    return {
        "items": [item(each) for each in kept],
        "next_cursor": encode_cursor(after) if after is not None else None,
    }


def item(kept: queries.Kept) -> dict[str, Any]:
    card = kept.card
    return {
        "product": kept.slug, "name": name_of(kept), "since": kept.since, "on_sale": card is not None,
        "available": card.available if card else 0, "arrives_at_my_point": card is not None and card.arrives_on is not None,
    }  # fmt: skip


@route(
    "GET", "/favourites/<product>", signed_in, summary="Whether a product is one of my favourites", tag=TAG, answers={200: FavouriteOut},
    refuses=(ProductNotFound,),
)  # fmt: skip
def get_favourite(actor: Actor, product: str) -> Any:
    return favourite_out(actor, product)


@route(
    "PUT", "/favourites/<product>", signed_in, summary="Make a product one of my favourites", tag=TAG, answers={200: FavouriteOut},
    refuses=(ProductNotFound, TooManyFavourites),
)  # fmt: skip
def put_favourite(actor: Actor, product: str) -> Any:
    perform(operations.keep, actor, product)
    return favourite_out(actor, product)


@route(
    "DELETE", "/favourites/<product>", signed_in, summary="Make a product no favourite of mine any more", tag=TAG,
    answers={200: FavouriteOut}, refuses=(ProductNotFound,),
)  # fmt: skip
def delete_favourite(actor: Actor, product: str) -> Any:
    perform(operations.drop, actor, product)
    return favourite_out(actor, product)
