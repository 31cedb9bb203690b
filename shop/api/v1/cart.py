"""The cart of the person who asks, for their pick-up point."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from sqlalchemy.orm import Session

from shop.api.v1.core import Schema, route
from shop.cart import operations, queries
from shop.cart.rules import CartBlock, CartItem, CartOwner, CartView
from shop.catalog.views import picture_url
from shop.kernel.db import perform, reading
from shop.platform.access import signed_in
from shop.platform.actor import Actor
from shop.platform.language import name_of


class CartLineOut(Schema):
    variant: str
    product: str = Field(description="Slug of the product.")
    name: str
    unit: str
    quantity: int
    price_minor: int
    seen_price_minor: int = Field(description="The price when it was put in.")
    line_total_minor: int = Field(description="Sold by weight, the most it can cost.")
    priced_by_weight: bool
    available: int
    problem: str | None = Field(description="off_sale, sold_out, too_many, not_delivered; none when it can be ordered.")
    image: str


class CartBlockOut(Schema):
    merchant: str
    merchant_name: str
    arrives_on: str | None
    arrives_at: str | None
    cut_off_at: str | None
    goods_minor: int
    fee_minor: int
    missing_to_minimum_minor: int
    lines: list[CartLineOut]


class CartOut(Schema):
    count: int
    total_minor: int
    currency: str
    can_be_ordered: bool
    blocks: list[CartBlockOut]


class QuantityIn(Schema):
    quantity: int = Field(ge=0, le=9999, description="How many should lie in the cart; 0 takes it out.")


def cart_out(cart: CartView) -> dict[str, Any]:
    return {
        "count": cart.count, "total_minor": cart.total.fen, "currency": "CNY", "can_be_ordered": cart.can_be_ordered,
        "blocks": [block_out(block) for block in cart.blocks],
    }  # fmt: skip


def block_out(block: CartBlock) -> dict[str, Any]:
    facts = block.merchant
    return {
        "merchant": facts.merchant_code, "merchant_name": name_of(facts, "merchant_name"),
        "arrives_on": facts.arrives_on.isoformat() if facts.arrives_on else None,
        "arrives_at": facts.arrives_at.isoformat() if facts.arrives_at else None,
        "cut_off_at": facts.cut_off_at.isoformat() if facts.cut_off_at else None,
        "goods_minor": block.goods_total.fen, "fee_minor": block.fee.fen, "missing_to_minimum_minor": block.missing_to_minimum.fen,
        "lines": [line_out(item) for item in block.items],
    }  # fmt: skip


def line_out(item: CartItem) -> dict[str, Any]:
    return {
        "variant": item.code, "product": item.slug, "name": name_of(item), "unit": name_of(item, "label"), "quantity": item.quantity,
        "price_minor": item.price.fen, "seen_price_minor": item.seen_price.fen, "line_total_minor": item.line_total.fen,
        "priced_by_weight": item.is_by_weight, "available": item.orderable, "problem": item.problem.value if item.problem else None,
        "image": picture_url(item.image or "", item.category_id),
    }  # fmt: skip


@route("GET", "/cart", signed_in, summary="My cart by shop and delivery, for my pick-up point", tag="Cart", answers={200: CartOut})
def get_cart(actor: Actor) -> Any:
    return cart_out(queries.view(reading(), CartOwner(user_id=actor.signed_in_id()), actor.pickup_point_id))


def set_and_look(session: Session, actor: Actor, variant_code: str, quantity: int) -> CartView:
    """Change a line and read the cart in the same transaction: one connection, and exactly what the change has made of it."""
    owner = CartOwner(user_id=actor.signed_in_id())
    operations.set_line(session, owner, variant_code, quantity)
    return queries.view(session, owner, actor.pickup_point_id)


@route(
    "PUT", "/cart/lines/<variant_code>", signed_in, summary="How many of a variant lie in my cart", tag="Cart", body=QuantityIn,
    answers={200: CartOut},
)  # fmt: skip
def put_cart_line(actor: Actor, variant_code: str, body: QuantityIn) -> Any:
    return cart_out(perform(set_and_look, actor, variant_code, body.quantity))


@route("DELETE", "/cart/lines/<variant_code>", signed_in, summary="Take a variant out of my cart", tag="Cart", answers={200: CartOut})
def delete_cart_line(actor: Actor, variant_code: str) -> Any:
    return cart_out(perform(set_and_look, actor, variant_code, 0))
