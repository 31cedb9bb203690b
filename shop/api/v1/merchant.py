"""For merchants: orders to pack, statements. Other merchants' things are not found. Stock and prices are in `shelf`."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import AwareDatetime, Field

from shop.fulfilment import earnings, operations, orders_to_pack
from shop.fulfilment.orders_to_pack import LineToPack, OrderRow, Wanted
from shop.kernel import gate
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound
from shop.kernel.text import mask_person
from shop.merchants import queries as merchants
from shop.models.orders import SubOrderState
from shop.orders.permissions import OrderPermission
from shop.platform.access import permitted
from shop.platform.actor import Actor
from shop.platform.api.core import Schema, decode_cursor, encode_cursor, route
from shop.platform.api.fields import READABLE, Cursor, Grams
from shop.platform.language import name_of
from shop.platform.permissions import Permission
from shop.settlement.permissions import SettlementPermission
from shop.wallet import queries as wallet

CODE = Field(max_length=64, pattern=r"^[a-z0-9-]+$")
LineNumber = Annotated[str, Field(max_length=40), READABLE]


class OrdersQuery(Schema):
    merchant: Annotated[str, CODE] | None = Field(default=None, description="One of your shops; left out, all of them.")
    state: SubOrderState | None = None
    point: Annotated[str, CODE] | None = Field(
        default=None, description="Looked for among the newest 2,000 orders of the state, or of all; narrow by state to reach further back."
    )
    cursor: Cursor | None = None
    limit: int = Field(default=30, ge=1, le=100)


class MerchantLine(Schema):
    line: int
    name: str
    unit: str
    quantity: int
    unit_price_minor: int
    line_total_minor: int = Field(description="At list prices. Priced by weight, `ceiling_minor` is the most it can cost.")
    discount_minor: int = Field(description="What offers took off it.")
    ceiling_minor: int = Field(description="What was paid for what is there.")
    priced_by_weight: bool
    nominal_grams: int
    missing: int = Field(description="How many of them were said not to be there.")
    missing_reason: str | None
    final_grams: int | None
    final_total_minor: int | None
    weighed_at: AwareDatetime | None
    weighed_by: str | None = Field(description="Who weighed it, masked.")


class MerchantOrderItem(Schema):
    number: str
    state: SubOrderState
    placed_at: AwareDatetime
    pickup_point: str
    arrives_on: date
    total_minor: int
    refunded_minor: int
    support_minor: int = Field(description="What the platform adds for its own offers on your goods, as far as they are kept.")
    net_minor: int = Field(description="Yours after commission, once it is collected.")
    currency: str = "CNY"


class MerchantOrder(MerchantOrderItem):
    lines: list[MerchantLine]


class MerchantOrderPage(Schema):
    items: list[MerchantOrder]
    next_cursor: str | None


class PackIn(Schema):
    weights: dict[LineNumber, Grams] = Field(default_factory=dict, max_length=200, description="Real weight in grams by the line's number.")
    sure: dict[LineNumber, Grams] = Field(
        default_factory=dict, max_length=200,
        description="Weights far from what was ordered (`weight_far_off`), told again to say that they are right.",
    )
    instead: dict[LineNumber, Grams] = Field(
        default_factory=dict, max_length=200,
        description="For a line that was weighed already (`already_weighed`): the weight that is written down, to correct it.",
    )


class MissingIn(Schema):
    there: int = Field(ge=0, le=1_000_000, description="How many are there. When nothing is left of the order, it is declined.")
    reason: Annotated[str, Field(min_length=1, max_length=200), READABLE] = Field(description="The buyer reads it.")
    keep_selling: bool = Field(default=False, description="There is more on the shelf. Otherwise it is no longer sold.")


class DeclineIn(Schema):
    reason: Annotated[str, Field(min_length=1, max_length=200), READABLE] = Field(description="The buyer reads it.")


class PackOut(Schema):
    number: str
    state: SubOrderState
    refunded_minor: int = Field(description="What went back to the buyer by this call; below 0, what was taken from their wallet again.")
    currency: str = "CNY"
    batch: str


class StatementQuery(Schema):
    merchant: Annotated[str, CODE] | None = None
    cursor: Cursor | None = None
    limit: int = Field(default=30, ge=1, le=100)


class StatementOut(Schema):
    merchant: str
    payable_minor: int
    in_escrow_minor: int
    currency: str = "CNY"
    items: list[MerchantOrderItem]
    next_cursor: str | None


def own_shops(actor: Actor, code: str | None, permission: Permission) -> list[int]:
    """The shops meant: the one named if the permission is held there, else all such. Raises `NotFound`."""
    own = list(actor.merchants(permission))
    if code is None and own:
        return own
    named = merchants.by_code(reading(), code or "")
    if named is None or named.id not in own:
        raise NotFound()
    return [named.id]


def item_facts(order: OrderRow) -> dict[str, Any]:
    return {
        "number": order.number, "state": order.state, "placed_at": order.placed_at, "pickup_point": order.point_slug,
        "arrives_on": order.arrives_on, "total_minor": order.total.fen, "refunded_minor": order.refunded_total.fen,
        "support_minor": order.support.fen, "net_minor": order.net.fen,
    }  # fmt: skip


def line_out(line: LineToPack) -> MerchantLine:
    return MerchantLine(
        line=line.id, name=name_of(line), unit=name_of(line, "unit"), quantity=line.quantity, unit_price_minor=line.unit_price.fen,
        line_total_minor=line.line_total.fen, discount_minor=line.discount_total.fen, ceiling_minor=line.ceiling.fen,
        priced_by_weight=line.is_by_weight, nominal_grams=line.nominal_grams,
        missing=line.short_quantity, missing_reason=line.short_reason, weighed_at=line.weighed_at,
        weighed_by=mask_person(line.weighed_by) if line.weighed_by else None, final_grams=line.final_grams,
        final_total_minor=None if line.final_total is None else line.final_total.fen,
    )


def order_out(order: OrderRow, lines: list[LineToPack]) -> MerchantOrder:
    return MerchantOrder.model_validate({**item_facts(order), "lines": [line_out(line) for line in lines]})


@route(
    "GET", "/merchant/orders", permitted(OrderPermission.SHOP_READ),
    summary="Paid orders of your shops, newest first", tag="merchant", query=OrdersQuery,
    answers={200: MerchantOrderPage},
)  # fmt: skip
def merchant_orders(actor: Actor, query: OrdersQuery) -> MerchantOrderPage:
    session = reading()
    after = decode_cursor(query.cursor, int)
    wanted = Wanted(
        states=(query.state,) if query.state else (), point_slug=query.point or "", after=after[0] if after else None, limit=query.limit
    )
    found = orders_to_pack.list_orders(session, own_shops(actor, query.merchant, OrderPermission.SHOP_READ), wanted)
    lines = orders_to_pack.lines_of(session, [order.id for order in found.orders])
    return MerchantOrderPage(
        items=[order_out(order, lines[order.id]) for order in found.orders],
        next_cursor=encode_cursor(found.next_after) if found.next_after else None,
    )


@route(
    "GET", "/merchant/orders/<number>", permitted(OrderPermission.SHOP_READ),
    summary="One order with its lines", tag="merchant", answers={200: MerchantOrder},
)  # fmt: skip
def merchant_order(actor: Actor, number: str) -> MerchantOrder:
    return order_of(actor, number)


def order_of(actor: Actor, number: str) -> MerchantOrder:
    """One of the actor's own orders as it is now. Raises `NotFound`."""
    session = reading()
    order = orders_to_pack.get_order(session, own_shops(actor, None, OrderPermission.SHOP_READ), number)
    return order_out(order, orders_to_pack.lines_of(session, [order.id])[order.id])


@route(
    "POST", "/merchant/orders/<number>/pack", permitted(OrderPermission.SHOP_PACK),
    summary="Weigh and pack; what weighs less is given back at once", tag="merchant",
    body=PackIn, answers={200: PackOut},
)  # fmt: skip
def pack_order(actor: Actor, number: str, body: PackIn) -> PackOut:
    order = orders_to_pack.get_order(reading(), own_shops(actor, None, OrderPermission.SHOP_PACK), number)
    packed = perform(operations.pack, actor, order.id, by_line(body.weights), by_line(body.sure), by_line(body.instead))
    return PackOut(number=number, state=SubOrderState.PACKED, refunded_minor=packed.refunded.fen, batch=packed.batch_code)


@route(
    "POST", "/merchant/orders/<number>/unpack", permitted(OrderPermission.SHOP_PACK),
    summary="Take back that an order is packed, until it is sent", tag="merchant",
    answers={200: MerchantOrder},
)  # fmt: skip
def unpack_order(actor: Actor, number: str) -> MerchantOrder:
    order = orders_to_pack.get_order(reading(), own_shops(actor, None, OrderPermission.SHOP_PACK), number)
    perform(operations.unpack, actor, [order.id])
    return order_of(actor, number)


@route(
    "POST", "/merchant/orders/<number>/lines/<id:line>/missing", permitted(OrderPermission.SHOP_DECLINE),
    tag="merchant", body=MissingIn, answers={200: MerchantOrder},
    summary="Say how many of a line are there; the others are given back at once, and the rest of the order comes",
)  # fmt: skip
def line_missing(actor: Actor, number: str, line: int, body: MissingIn) -> MerchantOrder:
    perform(operations.short_line, actor, number, line, body.there, body.reason, keep_selling=body.keep_selling)
    return order_of(actor, number)


@route(
    "POST", "/merchant/orders/<number>/decline", permitted(OrderPermission.SHOP_DECLINE),
    tag="merchant", body=DeclineIn, answers={200: MerchantOrder},
    summary="Nothing of an order can be delivered; all of the money goes back, and the buyer reads why",
)  # fmt: skip
def decline_order(actor: Actor, number: str, body: DeclineIn) -> MerchantOrder:
    perform(operations.decline, actor, number, body.reason)
    return order_of(actor, number)


def by_line(told: dict[str, int]) -> dict[int, int]:
    """Grams by the line's number. Raises `NotFound` for what is no number."""
    lines = {gate.number(line): grams for line, grams in told.items()}
    if None in lines:
        raise NotFound()
    return {line: grams for line, grams in lines.items() if line is not None}


@route(
    "GET", "/merchant/statements", permitted(SettlementPermission.STATEMENT_READ),
    summary="What is owed to a shop, and the collected orders that brought it", tag="merchant",
    query=StatementQuery, answers={200: StatementOut},
)  # fmt: skip
def merchant_statements(actor: Actor, query: StatementQuery) -> StatementOut:
    session = reading()
    shop_id = own_shops(actor, query.merchant, SettlementPermission.STATEMENT_READ)[0]
    after = decode_cursor(query.cursor, int)
    rows, following = earnings.collected_orders(session, shop_id, after[0] if after else None, query.limit)
    return StatementOut(
        merchant=merchants.by_ids(session, [shop_id])[shop_id].code, payable_minor=wallet.balance(session, f"merchant:{shop_id}").fen,
        in_escrow_minor=earnings.in_escrow(session, shop_id).in_escrow.fen,
        items=[MerchantOrderItem.model_validate(item_facts(order)) for order in rows],
        next_cursor=encode_cursor(following) if following else None,
    )  # fmt: skip
