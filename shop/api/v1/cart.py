"""The cart of the person who asks, for their pick-up point."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import AwareDatetime, Field
from sqlalchemy.orm import Session

from shop.cart import operations, queries
from shop.cart.rules import MOST_UNITS, CartBlock, CartItem, CartOwner, CartView, LineProblem
from shop.catalog.views import picture_url
from shop.kernel.db import perform, reading
from shop.platform.access import signed_in
from shop.platform.actor import Actor
from shop.platform.api.core import Schema, route
from shop.platform.language import name_of


class CartLineOut(Schema):
    variant: str
    product: str = Field(description="Slug of the product.")
    name: str
    unit: str
    quantity: int
    price_minor: int
    seen_price_minor: int = Field(description="The price when it was put in.")
    line_total_minor: int = Field(description="At list prices. Sold by weight, the most it can cost.")
    priced_by_weight: bool
    available: int
    problem: LineProblem | None = Field(description="None when it can be ordered.")
    image: str
    chosen: bool = Field(description="Ticked: only such lines are quoted and ordered, the others stay in the cart.")


class CartBlockOut(Schema):
    merchant: str
    merchant_name: str
    arrives_on: date | None
    arrives_at: AwareDatetime | None
    cut_off_at: AwareDatetime | None
    goods_minor: int
    fee_minor: int
    missing_to_minimum_minor: int
    lines: list[CartLineOut]


class NearestOffer(Schema):
    name: str
    missing_minor: int = Field(description="Goods for so much more, and it applies.")
    off_minor: int


class CartOut(Schema):
    count: int
    goods_minor: int = Field(description="What can be ordered as it stands, at list prices.")
    fee_minor: int
    discount_minor: int = Field(description="What offers take off it.")
    total_minor: int
    currency: str
    can_be_ordered: bool = Field(description="What is ticked can be ordered as it stands.")
    offers: list[str] = Field(description="The offers that take something off, by name.")
    nearest: list[NearestOffer] = Field(description="Offers that a little more would bring.")
    blocks: list[CartBlockOut]


class QuantityIn(Schema):
    quantity: int = Field(ge=0, le=MOST_UNITS, description="How many should lie in the cart; 0 takes it out.")
    chosen: bool | None = Field(default=None, description="Tick the line, or untick it. Left out, its tick stays; a new line is ticked.")
    seen_quantity: int | None = Field(
        default=None, ge=0, le=MOST_UNITS,
        description="How many you saw there. If others lie there by now, and not `quantity` either, nothing changes: `cart_moved_on`.",
    )


def cart_out(cart: CartView) -> dict[str, Any]:
    return {
        "count": cart.count, "goods_minor": cart.goods_total.fen, "fee_minor": cart.fee_total.fen, "discount_minor": cart.discount.fen,
        "total_minor": cart.total.fen, "currency": "CNY", "can_be_ordered": cart.can_be_ordered,
        "offers": [name_of(offer) for offer in cart.terms.applied],
        "nearest": [
            {"name": name_of(near.offer), "missing_minor": near.missing.fen, "off_minor": near.offer.off.fen} for near in cart.terms.nearest
        ],
        "blocks": [block_out(block) for block in cart.blocks],
    }  # fmt: skip


def block_out(block: CartBlock) -> dict[str, Any]:
    facts = block.merchant
    return {
        "merchant": facts.merchant_code, "merchant_name": name_of(facts, "merchant_name"),
        "arrives_on": facts.arrives_on,
        "arrives_at": facts.arrives_at,
        "cut_off_at": facts.cut_off_at,
        "goods_minor": block.goods_total.fen, "fee_minor": block.fee.fen, "missing_to_minimum_minor": block.missing_to_minimum.fen,
        "lines": [line_out(item) for item in block.items],
    }  # fmt: skip


def line_out(item: CartItem) -> dict[str, Any]:
    return {
        "variant": item.code, "product": item.slug, "name": name_of(item), "unit": name_of(item, "label"), "quantity": item.quantity,
        "price_minor": item.price.fen, "seen_price_minor": item.seen_price.fen, "line_total_minor": item.line_total.fen,
        "priced_by_weight": item.is_by_weight, "available": item.orderable, "problem": item.problem,
        "image": picture_url(item.image or "", item.category_id), "chosen": item.is_chosen,
    }  # fmt: skip


@route("GET", "/cart", signed_in, summary="My cart by shop and delivery, for my pick-up point", tag="Cart", answers={200: CartOut})
def get_cart(actor: Actor) -> Any:
    return cart_out(queries.view(reading(), CartOwner(user_id=actor.signed_in_id()), actor.pickup_point_id))


def set_and_look(
    session: Session, actor: Actor, variant_code: str, quantity: int, chosen: bool | None = None, seen: int | None = None
) -> CartView:
    """Change a line and read the cart in the same transaction: one connection, and exactly what the change has made of it."""
    owner = CartOwner(user_id=actor.signed_in_id())
    operations.set_line(session, owner, variant_code, quantity, chosen=chosen, seen=seen)
    return queries.view(session, owner, actor.pickup_point_id)


@route(
    "PUT", "/cart/lines/<variant_code>", signed_in, summary="How many of a variant lie in my cart", tag="Cart", body=QuantityIn,
    answers={200: CartOut},
)  # fmt: skip
def put_cart_line(actor: Actor, variant_code: str, body: QuantityIn) -> Any:
    return cart_out(perform(set_and_look, actor, variant_code, body.quantity, body.chosen, body.seen_quantity))


@route("DELETE", "/cart/lines/<variant_code>", signed_in, summary="Take a variant out of my cart", tag="Cart", answers={200: CartOut})
def delete_cart_line(actor: Actor, variant_code: str) -> Any:
    return cart_out(perform(set_and_look, actor, variant_code, 0))
