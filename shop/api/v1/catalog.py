"""Products and categories."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from shop.catalog import queries, search
from shop.catalog.errors import CategoryNotFound
from shop.catalog.views import picture_url
from shop.communities import queries as communities
from shop.kernel.db import reading
from shop.kernel.errors import NotFound
from shop.merchants import queries as merchants
from shop.models.catalog import Storage
from shop.platform.access import open_to_everyone
from shop.platform.actor import Actor
from shop.platform.api.core import Schema, decode_cursor, encode_cursor, route
from shop.platform.api.fields import READABLE, Cursor
from shop.platform.language import name_of, reader_locale

CODE = Field(max_length=64, pattern=r"^[a-z0-9-]+$")


class CategoryOut(Schema):
    slug: str
    name: str


class CategoryList(Schema):
    items: list[CategoryOut]


class PlaceQuery(Schema):
    community: Annotated[str, CODE] | None = None
    pickup_point: Annotated[str, CODE] | None = None


class ProductQuery(PlaceQuery):
    q: Annotated[str, Field(max_length=search.LIMIT_CHARACTERS), READABLE] | None = None
    category: Annotated[str, CODE] | None = None
    merchant: Annotated[str, CODE] | None = None
    in_season: bool = False
    sort: Literal["rank", "price", "price_down"] = "rank"
    cursor: Cursor | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 24


class ProductItem(Schema):
    code: str
    slug: str
    name: str
    merchant: str
    category: str
    price_minor: int
    currency: str = "CNY"
    unit: str
    price_per_jin_minor: int
    price_per_kilogram_minor: int
    priced_by_weight: bool
    available: int
    arrives_on: date | None
    image: str


class ProductList(Schema):
    items: list[ProductItem]
    next_cursor: str | None


class VariantOut(Schema):
    code: str
    label: str
    price_minor: int
    net_weight_grams: int
    available: int
    minimum_quantity: int
    multiple: int


class ProductOut(Schema):
    code: str
    slug: str
    name: str
    description: str
    merchant: str
    category: str
    priced_by_weight: bool
    storage: Storage
    origin: str
    shelf_life_days: int
    season_months: str | None
    seven_day_return: bool
    allergens: list[str]
    images: list[str]
    arrives_on: date | None
    cut_off_at: AwareDatetime | None
    currency: str = "CNY"
    variants: list[VariantOut]


@route("GET", "/categories", open_to_everyone, summary="All categories in their order", tag="catalogue", answers={200: CategoryList})
def list_categories(actor: Actor) -> CategoryList:
    return CategoryList(items=[CategoryOut(slug=found.slug, name=name_of(found)) for found in queries.categories(reading())])


@route(
    "GET", "/products", open_to_everyone, summary="Products that come to a point, or all of them", tag="catalogue",
    query=ProductQuery, answers={200: ProductList},
)  # fmt: skip
def list_products(actor: Actor, query: ProductQuery) -> ProductList:
    session = reading()
    arriving = queries.arrivals(session, point_of(actor, query))
    slugs = {found.id: found.slug for found in queries.categories(session)}
    if query.q:
        page = (decode_cursor(query.cursor, int) or (0,))[0]
        found = search.find(
            session, query.q, arriving, page=min(max(page, 0), 1_000), limit=query.limit,
            wanted=queries.Wanted(
                category_id=queries.get_category(session, query.category).id if query.category else None, in_season=query.in_season,
                order=query.sort,
            ),
            shop_id=merchants.get_merchant(session, query.merchant).id if query.merchant else None,
        )  # fmt: skip
        return ProductList(items=items(found.cards, slugs), next_cursor=encode_cursor(page + 1) if found.has_more else None)
    merchant = merchants.get_merchant(session, query.merchant) if query.merchant else None
    after = decode_cursor(query.cursor, int, int)
    wanted = queries.Wanted(
        category_id=queries.get_category(session, query.category).id if query.category else None,
        merchant_id=merchant.id if merchant else None, in_season=query.in_season, order=query.sort,
        after=(after[0], after[1]) if after else None, limit=query.limit,
    )  # fmt: skip
    listed = queries.list_cards(session, wanted, arriving)
    return ProductList(items=items(listed.cards, slugs), next_cursor=encode_cursor(*listed.next_after) if listed.next_after else None)


def point_of(actor: Actor, query: PlaceQuery) -> int | None:
    """The point meant: named, the community's first, or the person's own."""
    directory = communities.directory(reading())
    if query.pickup_point:
        point = directory.points_by_slug.get(query.pickup_point)
    elif query.community:
        point = next((point for found in directory.communities if found.slug == query.community for point in found.points), None)
    else:
        return actor.pickup_point_id
    if point is None:
        raise NotFound("pickup_point" if query.pickup_point else "community")
    return point.id


def items(cards: list[queries.Card], slugs: dict[int, str]) -> list[ProductItem]:
    chinese = reader_locale() == "zh"
    return [
        ProductItem(
            code=card.code, slug=card.slug, name=card.name_zh if chinese else card.name_en, merchant=card.merchant_code,
            category=slugs.get(card.category_id, ""), price_minor=card.price.fen, unit=card.unit_zh if chinese else card.unit_en,
            price_per_jin_minor=card.price_per_jin.fen, price_per_kilogram_minor=card.price_per_kilogram.fen,
            priced_by_weight=card.is_by_weight, available=max(card.available, 0),
            arrives_on=card.arrives_on, image=picture_url(card.image, card.category_id),
        )
        for card in cards
    ]  # fmt: skip


@route("GET", "/products/<slug>", open_to_everyone, summary="One product with its variants", tag="catalogue", answers={200: ProductOut})
def get_product(actor: Actor, slug: str) -> ProductOut:
    session = reading()
    page = queries.get_product(session, slug, actor.pickup_point_id)
    product = page.product
    category = next((found.slug for found in queries.categories(session) if found.id == product.category_id), None)
    if category is None:
        raise CategoryNotFound()
    return ProductOut(
        code=product.code, slug=product.slug, name=name_of(product), description=name_of(product, "description"),
        merchant=page.merchant.code, category=category, priced_by_weight=product.priced_by.value == "weight",
        storage=product.storage, origin=name_of(product, "origin"), shelf_life_days=product.shelf_life_days,
        season_months=product.season_months or None, seven_day_return=product.is_returnable_within_7_days,
        allergens=[code for code in product.allergens.split("|") if code],
        images=[picture_url(image, product.category_id, "large") for image in page.images],
        arrives_on=page.arrival.arrives_on if page.arrival else None,
        cut_off_at=page.arrival.cut_off_at if page.arrival else None,
        variants=[
            VariantOut(
                code=variant.code, label=name_of(variant, "label"), price_minor=variant.price.fen,
                net_weight_grams=variant.net_weight_grams, available=max(variant.available, 0),
                minimum_quantity=variant.minimum_quantity, multiple=variant.multiple,
            )
            for variant in page.variants
        ],
    )  # fmt: skip
