"""A shop's figures by the API: the same as on its page."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from shop.kernel import clock
from shop.kernel.db import reading
from shop.kernel.errors import NotFound
from shop.merchants import queries as merchants
from shop.platform.access import permitted
from shop.platform.actor import Actor
from shop.platform.api.core import Schema, route
from shop.platform.api.fields import Day
from shop.platform.language import name_of
from shop.statistics import queries, rules
from shop.statistics.permissions import StatisticsPermission
from shop.statistics.queries import Figures, Totals
from shop.statistics.rules import Kind, OfProduct

CODE = Field(max_length=64, pattern=r"^[a-z0-9-]+$")
MOST_PRODUCTS = 200


class FiguresQuery(Schema):
    merchant: Annotated[str, CODE] | None = Field(default=None, description="One of your shops; left out, the first of them.")
    span: Literal["today", "week", "30days", "month", "year"] = Field(
        default="week", description="Up to today; not read where days are named."
    )
    first: Day | None = Field(default=None, description="With `last`: these days, at most 366.")
    last: Day | None = None


class SalesOut(Schema):
    orders: int = Field(description="Orders whose money became the shop's: collected, or not collected in time.")
    units: int = Field(description="Selling units in them.")
    gross_minor: int = Field(description="What buyers paid when they ordered.")
    refunded_minor: int = Field(description="What was given back of it.")


class DaySalesOut(SalesOut):
    day: Day


class ProductSalesOut(Schema):
    slug: str
    name: str
    orders: int
    units: int
    paid_minor: int = Field(description="What was paid for what was there, before anything was given back later.")
    spoiled_units: int
    spoiled_minor: int = Field(description="At the price of today.")
    short_units: int = Field(description="Ordered and not there.")
    short_minor: int = Field(description="At the price it was ordered at.")
    left_units: int | None = Field(description="Not sold yet; null for days that end before today.")
    sell_through_permille: int | None = Field(
        description="Units sold, of those sold, spoiled and left, in thousandths; null where that is not known."
    )


class FiguresOut(Schema):
    merchant: str
    first: Day
    last: Day
    before_first: Day
    before_last: Day
    currency: str = "CNY"
    sales: SalesOut
    before: SalesOut = Field(description="Of the days these are compared with.")
    days: list[DaySalesOut]
    products: list[ProductSalesOut] = Field(description="The 200 that brought the most, then those of which nothing was sold.")
    spoiled_units: int
    spoiled_minor: int
    short_units: int
    short_minor: int
    undelivered_orders: int = Field(description="Paid orders of which nothing could be delivered.")
    undelivered_minor: int
    repeat_permille: int | None = Field(
        description="Of the people who bought, those who paid for more than one order, in thousandths; null where fewer than 5 bought. "
        "Counted among the newest 3,000 orders."
    )
    orders_by_weekday: list[int] = Field(description="From Monday, by when they were placed.")
    orders_by_hour: list[int] = Field(description="From 0:00 to 24:00 on the city's clock.")


def own_shop(actor: Actor, code: str | None) -> tuple[int, str]:
    """The shop meant, and its code. Raises `NotFound`."""
    own = actor.merchants(StatisticsPermission.SHOP_READ)
    if code is not None:
        named = merchants.by_code(reading(), code)
        own = tuple(one for one in own if named is not None and one == named.id)
    if not own:
        raise NotFound()
    return own[0], merchants.by_ids(reading(), own[:1])[own[0]].code


def sales(totals: Totals) -> dict[str, Any]:
    return {
        "orders": totals.orders, "units": totals.units, "gross_minor": totals.gross.fen, "refunded_minor": totals.refunded.fen,
    }  # fmt: skip


def product_out(one: OfProduct) -> dict[str, Any]:
    return {
        "slug": one.slug, "name": name_of(one), "orders": one.orders, "units": one.units, "paid_minor": one.money.fen,
        "spoiled_units": one.spoiled, "spoiled_minor": one.spoiled_money.fen, "short_units": one.short_units,
        "short_minor": one.short_money.fen, "left_units": one.left, "sell_through_permille": one.sell_through,
    }  # fmt: skip


def figures_out(code: str, found: Figures) -> dict[str, Any]:
    by_money = sorted(found.goods, key=lambda one: (-one.money.fen, -one.units, one.product_id))
    waste, span = found.waste, found.span
    return {
        "merchant": code, "first": span.first, "last": span.last, "before_first": span.before_first, "before_last": span.before_last,
        "currency": "CNY", "sales": sales(found.totals), "before": sales(found.before),
        "days": [{"day": day.day, **sales(queries.total([day]))} for day in found.days],
        "products": [product_out(one) for one in by_money[:MOST_PRODUCTS]],
        "spoiled_units": waste.spoiled, "spoiled_minor": waste.spoiled_money.fen, "short_units": waste.short_units,
        "short_minor": waste.short_money.fen, "undelivered_orders": waste.undelivered,
        "undelivered_minor": waste.undelivered_money.fen, "repeat_permille": found.buyers.repeat_share,
        "orders_by_weekday": rules.by_weekday(found.hours), "orders_by_hour": rules.by_hour(found.hours),
    }  # fmt: skip


@route(
    "GET", "/merchant/figures", permitted(StatisticsPermission.SHOP_READ),
    summary="What a shop sold in a span of days, how well, what went to waste and who comes again", tag="merchant", query=FiguresQuery,
    answers={200: FiguresOut},
)  # fmt: skip
def merchant_figures(actor: Actor, query: FiguresQuery) -> Any:
    shop_id, code = own_shop(actor, query.merchant)
    today = clock.today()
    span = rules.chosen(query.first, query.last, today) or rules.span_of(Kind(query.span), today)
    return figures_out(code, queries.figures(reading(), shop_id, span))
