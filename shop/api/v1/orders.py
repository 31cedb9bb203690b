"""Orders of the person who asks."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from sqlalchemy.orm import Session

from shop.api.v1.cart import CartOut, cart_out
from shop.api.v1.core import BadCursor, Schema, decode_cursor, encode_cursor, route
from shop.cart import queries as carts
from shop.cart.rules import CartOwner, CartView
from shop.checkout import door
from shop.checkout.operations import PlaceOrder
from shop.checkout.queries import Placed
from shop.communities.queries import directory
from shop.kernel.db import perform, reading
from shop.kernel.money import Money
from shop.models.orders import Channel, PaymentMethod
from shop.orders import operations, queries
from shop.orders.queries import Again, LineFacts, PaymentFacts, PurchaseFacts, SubOrderFacts, Tab
from shop.orders.terms import SubOrderTerms
from shop.platform.access import signed_in
from shop.platform.actor import Actor
from shop.platform.language import name_of


class PaymentIn(Schema):
    method: Literal["wallet", "stripe", "cash"]
    pin: str | None = Field(default=None, max_length=20, description="Six digits, for the wallet.")
    code: str | None = Field(default=None, max_length=20, description="From a text message, when step_up_required was answered.")


class OrderIn(Schema):
    quote_id: str = Field(max_length=40, pattern=r"^[A-Za-z0-9-]+$")
    seen_total_minor: int = Field(description="The total that was shown; another one is refused.")
    payment: PaymentIn


class PaymentOut(Schema):
    ref: str
    method: str
    state: str
    amount_minor: int
    url: str | None = Field(description="Where to pay by card, Alipay or WeChat Pay; none when there is nothing to do there now.")


class LineOut(Schema):
    variant: str
    product: str
    name: str
    unit: str
    quantity: int
    unit_price_minor: int
    line_total_minor: int = Field(description="Sold by weight, the most it could cost.")
    priced_by_weight: bool
    final_grams: int | None
    final_total_minor: int | None
    image: str


class PlacedPart(Schema):
    number: str
    state: str
    merchant: str
    merchant_name: str
    arrives_on: str
    total_minor: int


class PlacedOut(Schema):
    number: str
    state: str
    total_minor: int
    currency: str
    expires_at: str | None = Field(description="Until when it must be paid.")
    sub_orders: list[PlacedPart]
    payment: PaymentOut


class SubOrderOut(PlacedPart):
    arrives_at: str
    cut_off_at: str
    goods_minor: int
    fee_minor: int
    refunded_minor: int
    lines: list[LineOut]


class OrderOut(Schema):
    number: str
    state: str
    pickup_point: str
    total_minor: int
    refunded_minor: int
    currency: str
    placed_at: str
    expires_at: str | None
    paid_at: str | None
    sub_orders: list[SubOrderOut]
    payment: PaymentOut | None


class OrderItem(Schema):
    number: str
    state: str
    total_minor: int
    refunded_minor: int
    currency: str
    placed_at: str
    sub_orders: list[PlacedPart]


class OrderPage(Schema):
    items: list[OrderItem]
    next_cursor: str | None


class AgainOut(Schema):
    variant: str
    name: str
    unit: str
    ordered: int = Field(description="How many were ordered then.")
    quantity: int = Field(description="How many of them can be had today.")
    missing: str | None = Field(description="off_sale, out_of_season, sold_out, not_delivered; none when some can be had.")
    unit_price_then_minor: int
    unit_price_minor: int


class RepeatedOut(Schema):
    lines: list[AgainOut]
    cart: CartOut


class OrderQuery(Schema):
    tab: Tab = Tab.ALL
    cursor: str | None = None
    limit: int = Field(default=20, ge=1, le=100)


def placed_out(placed: Placed, url: str | None) -> dict[str, Any]:
    return {
        "number": placed.number, "state": placed.state.value, "total_minor": placed.total.fen, "currency": "CNY",
        "expires_at": placed.expires_at.isoformat() if placed.state == "awaiting_payment" else None,
        "sub_orders": [
            {**placed_part(terms), "number": part.number, "state": state_of(placed), "total_minor": part.total.fen}
            for part, terms in zip(placed.sub_orders, placed.terms.sub_orders, strict=True)
        ],
        "payment": {
            "ref": placed.payment_ref, "method": placed.method.value, "state": placed.payment_state.value, "amount_minor": placed.total.fen,
            "url": url,
        },
    }  # fmt: skip


def state_of(placed: Placed) -> str:
    return "cancelled" if placed.state in {"expired", "cancelled"} else "placed"


def placed_part(terms: SubOrderTerms) -> dict[str, Any]:
    return {"merchant": terms.merchant_code, "merchant_name": name_of(terms, "merchant_name"), "arrives_on": terms.arrives_on.isoformat()}


def part_out(part: SubOrderFacts) -> dict[str, Any]:
    return {
        "number": part.number, "state": part.state.value, "merchant": part.merchant_code, "merchant_name": name_of(part, "merchant_name"),
        "arrives_on": part.arrives_on.isoformat(), "total_minor": part.total.fen,
    }  # fmt: skip


def sub_order_out(part: SubOrderFacts) -> dict[str, Any]:
    return {
        **part_out(part), "arrives_at": part.arrives_at.isoformat(), "cut_off_at": part.cut_off_at.isoformat(),
        "goods_minor": part.goods_total.fen, "fee_minor": part.fee_total.fen, "refunded_minor": part.refunded_total.fen,
        "lines": [line_out(line) for line in part.lines],
    }  # fmt: skip


def line_out(line: LineFacts) -> dict[str, Any]:
    return {
        "variant": line.variant_code, "product": line.slug, "name": name_of(line), "unit": name_of(line, "unit"), "quantity": line.quantity,
        "unit_price_minor": line.unit_price.fen, "line_total_minor": line.line_total.fen, "priced_by_weight": line.is_by_weight,
        "final_grams": line.final_grams, "final_total_minor": line.final_total.fen if line.final_total is not None else None,
        "image": line.image,
    }  # fmt: skip


def payment_out(payment: PaymentFacts, url: str | None = None) -> dict[str, Any]:
    return {
        "ref": payment.ref, "method": payment.method.value, "state": payment.state.value, "amount_minor": payment.amount.fen, "url": url,
    }  # fmt: skip


def order_out(order: PurchaseFacts, payment: PaymentFacts | None, url: str | None = None) -> dict[str, Any]:
    return {
        "number": order.number, "state": order.state.value, "pickup_point": directory(reading()).points_by_id[order.pickup_point_id].slug,
        "total_minor": order.total.fen, "refunded_minor": order.refunded_total.fen, "currency": "CNY",
        "placed_at": order.placed_at.isoformat(), "expires_at": order.expires_at.isoformat() if order.state == "awaiting_payment" else None,
        "paid_at": order.paid_at.isoformat() if order.paid_at else None, "sub_orders": [sub_order_out(part) for part in order.sub_orders],
        "payment": payment_out(payment, url) if payment else None,
    }  # fmt: skip


def item_out(order: PurchaseFacts) -> dict[str, Any]:
    return {
        "number": order.number, "state": order.state.value, "total_minor": order.total.fen, "refunded_minor": order.refunded_total.fen,
        "currency": "CNY", "placed_at": order.placed_at.isoformat(), "sub_orders": [part_out(part) for part in order.sub_orders],
    }  # fmt: skip


@route(
    "POST", "/orders", signed_in, summary="Order what a quote says; the same quote is the same order", tag="Orders", body=OrderIn,
    answers={201: PlacedOut},
)  # fmt: skip
def post_order(actor: Actor, body: OrderIn) -> Any:
    wish = PlaceOrder(body.quote_id, Money(body.seen_total_minor), PaymentMethod(body.payment.method), Channel.API)
    placed, url = door.place(actor, wish, body.payment.pin or "", body.payment.code)
    return placed_out(placed, url), 201


@route("GET", "/orders", signed_in, summary="My orders, newest first", tag="Orders", query=OrderQuery, answers={200: OrderPage})
def list_orders(actor: Actor, query: OrderQuery) -> Any:
    place = decode_cursor(query.cursor, int)
    if place and not 0 < place[0] < 2**62:
        raise BadCursor()
    found, following = queries.list_mine(reading(), actor.signed_in_id(), query.tab, place[0] if place else None, query.limit)
    return {"items": [item_out(order) for order in found], "next_cursor": encode_cursor(following) if following else None}


@route("GET", "/orders/<number>", signed_in, summary="One of my orders", tag="Orders", answers={200: OrderOut})
def get_order(actor: Actor, number: str) -> Any:
    return present(actor, number)


@route(
    "POST", "/orders/<number>/cancel", signed_in, summary="Cancel an order, or one shop's part of it, before it is prepared", tag="Orders",
    answers={200: OrderOut},
)  # fmt: skip
def cancel_order(actor: Actor, number: str) -> Any:
    return present(actor, perform(operations.cancel, actor, number))


@route(
    "POST", "/orders/<number>/pay", signed_in, summary="Where to pay an order that awaits its card payment", tag="Orders",
    answers={200: OrderOut},
)  # fmt: skip
def pay_order(actor: Actor, number: str) -> Any:
    payment_id = perform(operations.payment_to_continue, actor, number)
    return present(actor, number, door.payment_page(payment_id))


def repeat_and_look(session: Session, actor: Actor, number: str) -> tuple[list[Again], CartView]:
    """Fill the cart and read it in the same transaction: exactly what this call has made of it."""
    lines = operations.repeat(session, actor, number, actor.pickup_point_id)
    return lines, carts.view(session, CartOwner(user_id=actor.user_id), actor.pickup_point_id)


@route(
    "POST", "/orders/<number>/repeat", signed_in, tag="Orders", answers={200: RepeatedOut},
    summary="Put what can be had today of an earlier order into my cart, and say what cannot and what costs something else now",
)  # fmt: skip
def repeat_order(actor: Actor, number: str) -> Any:
    lines, cart = perform(repeat_and_look, actor, number)
    return {"lines": [again_out(line) for line in lines], "cart": cart_out(cart)}


def again_out(again: Again) -> dict[str, Any]:
    line = again.line
    return {
        "variant": line.variant_code, "name": name_of(line), "unit": name_of(line, "unit"), "ordered": line.quantity,
        "quantity": again.quantity, "missing": again.missing.value if again.missing else None,
        "unit_price_then_minor": line.unit_price.fen, "unit_price_minor": again.price.fen,
    }  # fmt: skip


def present(actor: Actor, number: str, url: str | None = None) -> dict[str, Any]:
    order = queries.mine(reading(), actor.signed_in_id(), number)
    return order_out(order, queries.latest_payment(reading(), order.id), url)
