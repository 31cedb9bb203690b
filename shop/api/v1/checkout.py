"""Offers: exactly what ordering the cart would cost."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import AwareDatetime, Field

from shop.cart.rules import MOST_UNITS
from shop.checkout import operations
from shop.checkout.errors import PointMissing, UnknownCoupon
from shop.checkout.operations import Directly
from shop.checkout.queries import QuoteFacts
from shop.communities.queries import directory
from shop.kernel.db import perform, reading
from shop.orders.terms import LineTerms, SubOrderTerms
from shop.platform.access import signed_in
from shop.platform.actor import Actor
from shop.platform.api.core import Schema, route
from shop.platform.api.fields import READABLE
from shop.platform.language import name_of


class DirectIn(Schema):
    variant: Annotated[str, Field(max_length=80), READABLE]
    quantity: int = Field(ge=1, le=MOST_UNITS)


class QuoteIn(Schema):
    pickup_point: Annotated[str, Field(max_length=80), READABLE] = Field(
        description="Slug of the point where it is collected.", examples=["tianchenghu"]
    )
    buy: DirectIn | None = Field(default=None, description="Only this, whatever lies in the cart, which stays as it is.")
    coupons: list[Annotated[str, Field(max_length=80), READABLE]] = Field(default=[], max_length=10)


class QuotedLine(Schema):
    variant: str
    product: str
    name: str
    unit: str
    quantity: int
    unit_price_minor: int
    line_total_minor: int = Field(description="At list prices.")
    discount_minor: int = Field(description="What offers take off it.")
    paid_minor: int = Field(description="What is charged. Sold by weight, the most it can cost; what it weighs less is given back.")
    priced_by_weight: bool
    seven_day_return: bool


class QuotedSubOrder(Schema):
    merchant: str
    merchant_name: str
    arrives_on: date
    arrives_at: AwareDatetime
    cut_off_at: AwareDatetime
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
    expires_at: AwareDatetime
    offers: list[str] = Field(description="The offers that take something off, by name.")
    sub_orders: list[QuotedSubOrder]


def line_out(line: LineTerms) -> dict[str, Any]:
    return {
        "variant": line.code, "product": line.slug, "name": name_of(line), "unit": name_of(line, "unit"), "quantity": line.quantity,
        "unit_price_minor": line.unit_price.fen, "line_total_minor": line.line_total.fen,
        "discount_minor": line.discount.fen, "paid_minor": line.paid_total.fen, "priced_by_weight": line.is_by_weight,
        "seven_day_return": line.is_returnable_within_7_days,
    }  # fmt: skip


def sub_order_out(part: SubOrderTerms) -> dict[str, Any]:
    return {
        "merchant": part.merchant_code, "merchant_name": name_of(part, "merchant_name"), "arrives_on": part.arrives_on,
        "arrives_at": part.arrives_at, "cut_off_at": part.cut_off_at, "goods_minor": part.goods_total.fen,
        "fee_minor": part.fee.fen, "discount_minor": part.discount.fen, "total_minor": part.total.fen,
        "lines": [line_out(line) for line in part.lines],
    }  # fmt: skip


def quote_out(quote: QuoteFacts, pickup_point: str) -> dict[str, Any]:
    return {
        "quote_id": quote.ref, "pickup_point": pickup_point, "total_minor": quote.total.fen, "currency": "CNY",
        "expires_at": quote.expires_at, "offers": [name_of(offer) for offer in quote.terms.offers],
        "sub_orders": [sub_order_out(part) for part in quote.terms.sub_orders],
    }  # fmt: skip


@route(
    "POST", "/checkout/quotes", signed_in, tag="Orders", body=QuoteIn, answers={201: QuoteOut},
    summary="What ordering what is ticked in my cart, or something directly, would cost; good for ten minutes",
)  # fmt: skip
def post_quote(actor: Actor, body: QuoteIn) -> Any:
    point = directory(reading()).points_by_slug.get(body.pickup_point)
    if point is None or not point.is_open:
        raise PointMissing()
    if body.coupons:
        raise UnknownCoupon()
    directly = Directly(body.buy.variant, body.buy.quantity) if body.buy else None
    return quote_out(perform(operations.quote, actor, point.id, directly), point.slug), 201
