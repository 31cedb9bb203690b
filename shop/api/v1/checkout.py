"""Offers: exactly what ordering the cart would cost."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from shop.api.v1.core import Schema, route
from shop.checkout import operations
from shop.checkout.errors import PointMissing, UnknownCoupon
from shop.checkout.queries import QuoteFacts
from shop.communities.queries import directory
from shop.kernel.db import perform, reading
from shop.orders.terms import LineTerms, SubOrderTerms
from shop.platform.access import signed_in
from shop.platform.actor import Actor
from shop.platform.language import name_of


class QuoteIn(Schema):
    pickup_point: str = Field(max_length=80, description="Slug of the point where it is collected.", examples=["tianchenghu"])
    coupons: list[str] = Field(default=[], max_length=10)


class QuotedLine(Schema):
    variant: str
    product: str
    name: str
    unit: str
    quantity: int
    unit_price_minor: int
    line_total_minor: int = Field(description="Sold by weight, the most it can cost; what it weighs less is given back.")
    priced_by_weight: bool
    seven_day_return: bool


class QuotedSubOrder(Schema):
    merchant: str
    merchant_name: str
    arrives_on: str
    arrives_at: str
    cut_off_at: str
    goods_minor: int
    fee_minor: int
    discount_minor: int
    total_minor: int
    lines: list[QuotedLine]


class QuoteOut(Schema):
    quote_id: str
    pickup_point: str
    total_minor: int
    currency: str
    expires_at: str
    sub_orders: list[QuotedSubOrder]


def line_out(line: LineTerms) -> dict[str, Any]:
    return {
        "variant": line.code, "product": line.slug, "name": name_of(line), "unit": name_of(line, "unit"), "quantity": line.quantity,
        "unit_price_minor": line.unit_price.fen, "line_total_minor": line.line_total.fen, "priced_by_weight": line.is_by_weight,
        "seven_day_return": line.is_returnable_within_7_days,
    }  # fmt: skip


def sub_order_out(part: SubOrderTerms) -> dict[str, Any]:
    return {
        "merchant": part.merchant_code, "merchant_name": name_of(part, "merchant_name"), "arrives_on": part.arrives_on.isoformat(),
        "arrives_at": part.arrives_at.isoformat(), "cut_off_at": part.cut_off_at.isoformat(), "goods_minor": part.goods_total.fen,
        "fee_minor": part.fee.fen, "discount_minor": part.discount.fen, "total_minor": part.total.fen,
        "lines": [line_out(line) for line in part.lines],
    }  # fmt: skip


def quote_out(quote: QuoteFacts, pickup_point: str) -> dict[str, Any]:
    return {
        "quote_id": quote.ref, "pickup_point": pickup_point, "total_minor": quote.total.fen, "currency": "CNY",
        "expires_at": quote.expires_at.isoformat(), "sub_orders": [sub_order_out(part) for part in quote.terms.sub_orders],
    }  # fmt: skip


@route(
    "POST", "/checkout/quotes", signed_in, summary="What ordering my cart would cost, good for ten minutes", tag="Orders", body=QuoteIn,
    answers={201: QuoteOut},
)  # fmt: skip
def post_quote(actor: Actor, body: QuoteIn) -> Any:
    point = directory(reading()).points_by_slug.get(body.pickup_point)
    if point is None or not point.is_open:
        raise PointMissing()
    if body.coupons:
        raise UnknownCoupon()
    return quote_out(perform(operations.quote, actor, point.id), point.slug), 201
