"""Orders of the person who asks."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field
from sqlalchemy.orm import Session

from shop.api.v1.cart import CartOut, cart_out
from shop.api.v1.money_back import MoneyBack, money_back
from shop.cart import queries as carts
from shop.cart.rules import CartOwner, CartView
from shop.checkout import door
from shop.checkout.operations import PlaceOrder
from shop.checkout.queries import Placed
from shop.communities.queries import directory
from shop.kernel.db import perform, reading
from shop.kernel.money import Money
from shop.models.orders import Channel, PaymentMethod, PurchaseState, SubOrderState
from shop.models.payments import PaymentState
from shop.orders import operations, paying, queries
from shop.orders.queries import Again, LineFacts, PaymentFacts, PurchaseFacts, SubOrderFacts, Tab
from shop.orders.rules import Missing
from shop.orders.steps import reason_words
from shop.orders.terms import SubOrderTerms
from shop.platform.access import signed_in
from shop.platform.actor import Actor
from shop.platform.api.core import Schema, decode_cursor, encode_cursor, route
from shop.platform.api.fields import READABLE, Amount, Cursor
from shop.platform.language import name_of
from shop.wallet.errors import PAYING

WHERE_TO_PAY = (
    "Where to pay by card, Alipay or WeChat Pay. None while that page is being opened, usually for less than a second: ask for the order "
    "(or its payment) again until it is there. None as well when there is nothing to pay any more, as `state` says."
)


class PaymentIn(Schema):
    method: Literal["wallet", "stripe", "cash"]
    pin: Annotated[str, Field(max_length=20), READABLE] | None = Field(default=None, description="Six digits, for the wallet.")
    code: Annotated[str, Field(max_length=20), READABLE] | None = Field(
        default=None, description="From a text message, when step_up_required was answered."
    )


class OrderIn(Schema):
    quote_id: str = Field(max_length=40, pattern=r"^[A-Za-z0-9-]+$")
    seen_total_minor: Amount = Field(description="The total that was shown; another one is refused.")
    payment: PaymentIn


class PaymentOut(Schema):
    ref: str
    method: PaymentMethod
    state: PaymentState
    amount_minor: int
    url: str | None = Field(description=WHERE_TO_PAY)


class LineOut(Schema):
    variant: str
    product: str
    name: str
    unit: str
    quantity: int
    unit_price_minor: int
    line_total_minor: int = Field(description="At list prices.")
    discount_minor: int = Field(description="What offers took off it.")
    paid_minor: int = Field(description="What was charged. Sold by weight, the most it could cost.")
    priced_by_weight: bool
    final_grams: int | None
    final_total_minor: int | None
    missing: int = Field(description="How many of them are not there; the money for these went back.")
    missing_reason: str | None = Field(description="Why, in the shop's words.")
    image: str


class PlacedPart(Schema):
    number: str
    state: SubOrderState
    merchant: str
    merchant_name: str
    arrives_on: date
    total_minor: int


class PlacedOut(Schema):
    number: str
    state: PurchaseState
    total_minor: int
    currency: str
    expires_at: AwareDatetime | None = Field(description="Until when it must be paid.")
    sub_orders: list[PlacedPart]
    payment: PaymentOut


class SubOrderOut(PlacedPart):
    arrives_at: AwareDatetime
    cut_off_at: AwareDatetime
    goods_minor: int
    fee_minor: int
    discount_minor: int
    refunded_minor: int
    declined_reason: str | None = Field(description="Why the shop could not deliver this part, in its own words.")
    money_back: MoneyBack
    lines: list[LineOut]


class OrderOut(Schema):
    number: str
    state: PurchaseState
    pickup_point: str
    total_minor: int
    refunded_minor: int
    money_back: MoneyBack
    currency: str
    placed_at: AwareDatetime
    expires_at: AwareDatetime | None
    paid_at: AwareDatetime | None
    sub_orders: list[SubOrderOut]
    payment: PaymentOut | None


class OrderItem(Schema):
    number: str
    state: PurchaseState
    total_minor: int
    refunded_minor: int
    money_back: MoneyBack
    currency: str
    placed_at: AwareDatetime
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
    missing: Missing | None = Field(description="None when some can be had.")
    unit_price_then_minor: int
    unit_price_minor: int


class RepeatedOut(Schema):
    lines: list[AgainOut]
    cart: CartOut


class OrderQuery(Schema):
    tab: Tab = Tab.ALL
    cursor: Cursor | None = None
    limit: int = Field(default=20, ge=1, le=100)


def placed_out(placed: Placed, url: str | None) -> dict[str, Any]:
    return {
        "number": placed.number, "state": placed.state, "total_minor": placed.total.fen, "currency": "CNY",
        "expires_at": placed.expires_at if placed.state == "awaiting_payment" else None,
        "sub_orders": [
            {**placed_part(terms), "number": part.number, "state": state_of(placed), "total_minor": part.total.fen}
            for part, terms in zip(placed.sub_orders, placed.terms.sub_orders, strict=True)
        ],
        "payment": {
            "ref": placed.payment_ref, "method": placed.method, "state": placed.payment_state, "amount_minor": placed.total.fen,
            "url": url,
        },
    }  # fmt: skip


def state_of(placed: Placed) -> str:
    return "cancelled" if placed.state in {"expired", "cancelled"} else "placed"


def placed_part(terms: SubOrderTerms) -> dict[str, Any]:
    return {"merchant": terms.merchant_code, "merchant_name": name_of(terms, "merchant_name"), "arrives_on": terms.arrives_on}


def part_out(part: SubOrderFacts) -> dict[str, Any]:
    return {
        "number": part.number, "state": part.state, "merchant": part.merchant_code, "merchant_name": name_of(part, "merchant_name"),
        "arrives_on": part.arrives_on, "total_minor": part.total.fen,
    }  # fmt: skip


def sub_order_out(part: SubOrderFacts) -> dict[str, Any]:
    return {
        **part_out(part), "arrives_at": part.arrives_at, "cut_off_at": part.cut_off_at,
        "goods_minor": part.goods_total.fen, "fee_minor": part.fee_total.fen,
        "discount_minor": part.discount_total.fen, "refunded_minor": part.refunded_total.fen,
        "declined_reason": reason_words(part.declined_reason) or None,
        "money_back": money_back(part.back), "lines": [line_out(line) for line in part.lines],
    }  # fmt: skip


def line_out(line: LineFacts) -> dict[str, Any]:
    return {
        "variant": line.variant_code, "product": line.slug, "name": name_of(line), "unit": name_of(line, "unit"), "quantity": line.quantity,
        "unit_price_minor": line.unit_price.fen, "line_total_minor": line.line_total.fen,
        "discount_minor": line.discount_total.fen, "paid_minor": line.paid_total.fen, "priced_by_weight": line.is_by_weight,
        "final_grams": line.final_grams, "final_total_minor": line.final_total.fen if line.final_total is not None else None,
        "missing": line.short_quantity, "missing_reason": line.short_reason, "image": line.image,
    }  # fmt: skip


def payment_out(payment: PaymentFacts) -> dict[str, Any]:
    return {
        "ref": payment.ref, "method": payment.method, "state": payment.state, "amount_minor": payment.amount.fen, "url": payment.url,
    }  # fmt: skip


def order_out(order: PurchaseFacts, payment: PaymentFacts | None) -> dict[str, Any]:
    return {
        "number": order.number, "state": order.state, "pickup_point": directory(reading()).points_by_id[order.pickup_point_id].slug,
        "total_minor": order.total.fen, "refunded_minor": order.refunded_total.fen, "money_back": money_back(order.back),
        "currency": "CNY", "placed_at": order.placed_at, "expires_at": order.expires_at if order.state == "awaiting_payment" else None,
        "paid_at": order.paid_at, "sub_orders": [sub_order_out(part) for part in order.sub_orders],
        "payment": payment_out(payment) if payment else None,
    }  # fmt: skip


def item_out(order: PurchaseFacts) -> dict[str, Any]:
    return {
        "number": order.number, "state": order.state, "total_minor": order.total.fen, "refunded_minor": order.refunded_total.fen,
        "money_back": money_back(order.back), "currency": "CNY", "placed_at": order.placed_at,
        "sub_orders": [part_out(part) for part in order.sub_orders],
    }  # fmt: skip


@route(
    "POST", "/orders", signed_in, summary="Order what a quote says; the same quote is the same order", tag="Orders", body=OrderIn,
    answers={201: PlacedOut}, refuses=PAYING,
)  # fmt: skip
def post_order(actor: Actor, body: OrderIn) -> Any:
    wish = PlaceOrder(body.quote_id, Money(body.seen_total_minor), PaymentMethod(body.payment.method), Channel.API)
    placed, url = door.place(actor, wish, body.payment.pin or "", body.payment.code)
    return placed_out(placed, url), 201


@route("GET", "/orders", signed_in, summary="My orders, newest first", tag="Orders", query=OrderQuery, answers={200: OrderPage})
def list_orders(actor: Actor, query: OrderQuery) -> Any:
    place = decode_cursor(query.cursor, int)
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
    door.payment_page(perform(operations.payment_to_continue, actor, number))
    return present(actor, number)


@route(
    "POST", "/orders/<number>/payment", signed_in, tag="Orders", body=PaymentIn, answers={200: OrderOut}, refuses=PAYING,
    summary="Pay an order that awaits its payment: from the wallet at once, or by card at the address that is answered",
)  # fmt: skip
def post_order_payment(actor: Actor, number: str, body: PaymentIn) -> Any:
    paying.pay(actor, number, PaymentMethod(body.method), body.pin or "", body.code)
    return present(actor, number)


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
        "quantity": again.quantity, "missing": again.missing,
        "unit_price_then_minor": line.unit_price.fen, "unit_price_minor": again.price.fen,
    }  # fmt: skip


def present(actor: Actor, number: str) -> dict[str, Any]:
    order = queries.mine(reading(), actor.signed_in_id(), number)
    return order_out(order, queries.latest_payment(reading(), order.id))
