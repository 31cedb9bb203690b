"""Goods of a shop by API: what is listed, new ones as drafts, changes, pictures, putting on sale. Prices have a call of their own."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from shop.catalog.permissions import CatalogPermission
from shop.catalog.pictures import MAX_BYTES, DrawingRefused, PictureTooLarge, UnreadablePicture
from shop.kernel import ids
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound, ShopError
from shop.listings import fields, operations, queries
from shop.listings.errors import (
    AlreadyPublished,
    ChangedMeanwhile,
    ListingIncomplete,
    MomentNotUnderstood,
    NothingToSell,
    ShopNotInBusiness,
    TooManyDrafts,
    TooManyPictures,
)
from shop.listings.fields import Reader
from shop.merchants.queries import by_code
from shop.models.catalog import Product, ProductState, Variant
from shop.models.listings import PictureState
from shop.platform.access import permitted
from shop.platform.actor import Actor
from shop.platform.api.core import Schema, decode_cursor, encode_cursor, route
from shop.platform.api.fields import READABLE, READABLE_LINES, Cursor, Moment

TAG = "merchant"
MOST_WRITTEN = 6 * 1024 * 1024
"""Of one picture, base64, within what a request may carry."""

CODE = Field(max_length=64, pattern=r"^[a-z0-9-]+$")
Name = Annotated[str, Field(max_length=fields.LONGEST_NAME), READABLE]
Unit = Annotated[str, Field(max_length=fields.LONGEST_UNIT), READABLE]
Place = Annotated[str, Field(max_length=fields.LONGEST_PLACE), READABLE]
Description = Annotated[str, Field(max_length=fields.LONGEST_DESCRIPTION), READABLE_LINES]
Month = Annotated[int, Field(ge=1, le=12)]


class Said(Schema):
    """What is said of a product."""

    name_zh: Name
    name_en: Name = Field(default="", description="Left out, the Chinese name stands there.")
    category: Annotated[str, CODE]
    origin_zh: Place
    origin_en: Place = ""
    storage: Literal["ambient", "chilled", "frozen"] | None = Field(default=None, description="Left out: as usual in the category.")
    shelf_life_days: int | None = Field(default=None, ge=1, le=fields.MOST_DAYS)
    season_from: Month | None = None
    season_to: Month | None = None
    is_agricultural: bool | None = None
    is_returnable: bool | None = None
    allergens: Annotated[list[Literal["egg", "fish", "milk", "peanut", "sesame", "soy", "wheat"]], Field(max_length=7)] = []
    description_zh: Description = ""
    description_en: Description = ""


class NewProductIn(Said):
    merchant: Annotated[str, CODE]
    selling: Literal["pack", "piece", "weight", "weighed_piece"] | None = None
    unit_zh: Unit = ""
    unit_en: Unit = ""
    price_minor: int = Field(ge=1, le=999_999_999)
    grams: int | None = Field(default=None, ge=1, le=fields.MOST_GRAMS, description="Of one unit; left out for goods sold by the jin.")
    stock: int = Field(default=0, ge=0, le=fields.MOST_STOCK)
    minimum: int = Field(default=1, ge=1, le=fields.MOST_ORDER)
    multiple: int = Field(default=1, ge=1, le=fields.MOST_ORDER)


class ProductChangeIn(Said):
    version: Annotated[str, Field(max_length=20, pattern=r"^[0-9a-f]*$")] = Field(description="Of the answer that was read before.")
    state: Literal["on_sale", "off_sale"] | None = Field(default=None, description="Of what was put on sale before.")


class PublishIn(Schema):
    at: Moment | None = Field(default=None, description="When it goes on sale by itself; null: now.")


class PictureIn(Schema):
    content: str = Field(max_length=MOST_WRITTEN, pattern=r"^[A-Za-z0-9+/=]*$", description="JPEG, PNG or WebP, base64.")


class PictureOut(Schema):
    id: int
    url: str
    alt_zh: str
    alt_en: str


class PicturesOut(Schema):
    items: list[PictureOut]
    waiting: int = Field(description="Photos that a job is still making pictures of.")
    refused: list[str] = Field(description="Codes of what was wrong with photos.")


class SizeOut(Schema):
    variant: str
    unit_zh: str
    unit_en: str
    price_minor: int
    grams: int
    minimum: int
    multiple: int
    on_sale: bool


class ListingOut(Schema):
    product: str
    name_zh: str
    name_en: str
    state: ProductState
    publish_at: AwareDatetime | None
    version: str
    sizes: list[SizeOut]


class ProductRow(Schema):
    product: str
    name_zh: str
    state: ProductState
    sizes: int


class ListingList(Schema):
    items: list[ProductRow]
    next_cursor: str | None


class ProductsQuery(Schema):
    merchant: Annotated[str, CODE]
    state: Literal["draft", "on_sale", "off_sale"] | None = None
    cursor: Cursor | None = None
    limit: int = Field(default=50, ge=1, le=100)


def own(actor: Actor, code: str) -> Product:
    return queries.get_product(reading(), actor.merchants(CatalogPermission.GOODS_WRITE), code)


def shop_id(actor: Actor, code: str) -> int:
    """The shop named. Raises `NotFound` for another's."""
    found = by_code(reading(), code)
    if found is None or found.id not in actor.merchants(CatalogPermission.GOODS_WRITE):
        raise NotFound()
    return found.id


def words(value: Any) -> str:
    """A value as the fields of a form say it."""
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, bool) else str(value)


def typed_of(body: Said) -> dict[str, str]:
    named = {name: words(getattr(body, name)) for name in fields.OF_PRODUCT if name not in ("shelf_life", "allergens")}
    return named | {"shelf_life": words(body.shelf_life_days), "allergens": "|".join(body.allergens)}


def size_out(size: Variant) -> dict[str, Any]:
    return {
        "variant": size.code, "unit_zh": size.label_zh, "unit_en": size.label_en, "price_minor": size.price.fen,
        "grams": size.net_weight_grams, "minimum": size.minimum_quantity, "multiple": size.multiple, "on_sale": size.is_on_sale,
    }  # fmt: skip


def detail(actor: Actor, code: str) -> dict[str, Any]:
    product = own(actor, code)
    sizes = queries.sizes_of_product(reading(), product.id)
    return {
        "product": product.code, "name_zh": product.name_zh, "name_en": product.name_en, "state": product.state,
        "publish_at": product.publish_at, "version": operations.version_of(product, sizes), "sizes": [size_out(one) for one in sizes],
    }  # fmt: skip


def first_of(refusal: ListingIncomplete) -> ShopError:
    """The first field that is wrong, as the refusal of the call."""
    field, error = next(iter(refusal.refused.items()))
    error.field = field
    return error


@route(
    "GET", "/merchant/products", permitted(CatalogPermission.GOODS_WRITE), summary="Goods of a shop, drafts among them", tag=TAG,
    query=ProductsQuery, answers={200: ListingList},
)  # fmt: skip
def list_own_products(actor: Actor, query: ProductsQuery) -> Any:
    place = decode_cursor(query.cursor, int)
    state = ProductState(query.state) if query.state else None
    rows, after = queries.list_products(reading(), shop_id(actor, query.merchant), state, "", place[0] if place else None, query.limit)
    items = [{"product": row.code, "name_zh": row.name_zh, "state": row.state, "sizes": row.sizes} for row in rows]
    return {"items": items, "next_cursor": encode_cursor(after) if after is not None else None}


@route(
    "POST", "/merchant/products", permitted(CatalogPermission.GOODS_WRITE), summary="A new product as a draft, with its first size",
    tag=TAG, body=NewProductIn, answers={201: ListingOut}, refuses=(ListingIncomplete, TooManyDrafts),
)  # fmt: skip
def post_product(actor: Actor, body: NewProductIn) -> Any:
    of_size = {name: words(getattr(body, name)) for name in ("selling", "unit_zh", "unit_en", "stock", "minimum", "multiple")}
    price = f"{body.price_minor // 100}.{body.price_minor % 100:02d}"
    typed = typed_of(body) | of_size | {"price": price, "grams": words(body.grams)}
    try:
        code = perform(operations.new_draft, actor, shop_id(actor, body.merchant), typed, ids.secret())
    except ListingIncomplete as refusal:
        raise first_of(refusal) from None
    return detail(actor, code), 201


@route(
    "GET", "/merchant/products/<code>", permitted(CatalogPermission.GOODS_WRITE), summary="One product with its sizes and version",
    tag=TAG, answers={200: ListingOut},
)  # fmt: skip
def get_own_product(actor: Actor, code: str) -> Any:
    return detail(actor, code)


@route(
    "PUT", "/merchant/products/<code>", permitted(CatalogPermission.GOODS_WRITE), summary="Say anew what is said of a product", tag=TAG,
    body=ProductChangeIn, answers={200: ListingOut}, refuses=(ListingIncomplete, ChangedMeanwhile, NothingToSell, ShopNotInBusiness),
)  # fmt: skip
def put_product(actor: Actor, code: str, body: ProductChangeIn) -> Any:
    product = own(actor, code)
    reader = Reader(typed_of(body))
    values = fields.product_of(reader, queries.category_ids(reading()))
    if reader.refused:
        raise first_of(ListingIncomplete(reader.refused))
    if body.state and product.state is not ProductState.DRAFT:
        values["state"] = ProductState(body.state)
    perform(operations.change_listing, actor, code, body.version, values, {})
    return detail(actor, code)


@route(
    "POST", "/merchant/products/<code>/publish", permitted(CatalogPermission.GOODS_WRITE), summary="Put a draft on sale, now or later",
    tag=TAG, body=PublishIn, answers={200: ListingOut},
    refuses=(ListingIncomplete, NothingToSell, ShopNotInBusiness, AlreadyPublished, MomentNotUnderstood),
)  # fmt: skip
def publish_product(actor: Actor, code: str, body: PublishIn) -> Any:
    own(actor, code)
    try:
        if body.at is None:
            for error in perform(operations.publish, actor, [code]).refused.values():
                raise error
        else:
            perform(operations.schedule, actor, code, body.at)
    except ListingIncomplete as refusal:
        raise first_of(refusal) from None
    return detail(actor, code)


def pictures_out(actor: Actor, code: str) -> dict[str, Any]:
    found = queries.pictures_of(reading(), own(actor, code).id)
    made = [{"id": one.id, "url": f"/media/{one.file}", "alt_zh": one.alt_zh, "alt_en": one.alt_en} for one in found.made]
    refused = [one.refusal or "" for one in found.sent if one.state is PictureState.REFUSED]
    return {"items": made, "waiting": found.waiting, "refused": refused}


@route(
    "GET", "/merchant/products/<code>/pictures", permitted(CatalogPermission.GOODS_WRITE), summary="Pictures of a product", tag=TAG,
    answers={200: PicturesOut},
)  # fmt: skip
def list_pictures(actor: Actor, code: str) -> Any:
    return pictures_out(actor, code)


@route(
    "POST", "/merchant/products/<code>/pictures", permitted(CatalogPermission.GOODS_WRITE),
    summary="Send a photo; a job makes pictures of it", tag=TAG, body=PictureIn, answers={202: PicturesOut},
    refuses=(UnreadablePicture, DrawingRefused, PictureTooLarge, TooManyPictures), most_bytes=min(MOST_WRITTEN, MAX_BYTES) + 4_096,
)  # fmt: skip
def send_picture(actor: Actor, code: str, body: PictureIn) -> Any:
    own(actor, code)
    try:
        content = base64.b64decode(body.content, validate=True)
    except binascii.Error:
        raise UnreadablePicture("content") from None
    perform(operations.bring_pictures, actor, code, [("api", content)], ids.secret())
    return pictures_out(actor, code), 202


@route(
    "DELETE", "/merchant/products/<code>/pictures/<id:picture_id>", permitted(CatalogPermission.GOODS_WRITE),
    summary="Take a picture off a product", tag=TAG, answers={200: PicturesOut},
)  # fmt: skip
def delete_picture(actor: Actor, code: str, picture_id: int) -> Any:
    perform(operations.remove_picture, actor, code, picture_id)
    return pictures_out(actor, code)
