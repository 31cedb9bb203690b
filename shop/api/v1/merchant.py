"""For merchants: orders to pack, stock, statements. Other merchants' things are not found."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from shop.api.v1.core import Schema, decode_cursor, encode_cursor, route
from shop.fulfilment import operations, orders_to_pack
from shop.fulfilment.orders_to_pack import LineToPack, OrderRow, Wanted
from shop.fulfilment.queries import MERCHANT_ROLES
from shop.kernel import ids
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound
from shop.merchants import queries as merchants
from shop.models.orders import SubOrderState
from shop.models.stock import MovementKind
from shop.platform.access import staff_only
from shop.platform.actor import Actor
from shop.platform.language import name_of
from shop.stock import counting, shelves
from shop.stock.shelves import Shelf
from shop.wallet import queries as wallet

staff = staff_only(*MERCHANT_ROLES)
CODE = Field(max_length=64, pattern=r"^[a-z0-9-]+$")


class OrdersQuery(Schema):
    merchant: Annotated[str, CODE] | None = Field(default=None, description="One of your shops; left out, all of them.")
    state: SubOrderState | None = None
    point: Annotated[str, CODE] | None = None
    cursor: str | None = None
    limit: int = Field(default=30, ge=1, le=100)


class LineOut(Schema):
    line: int
    name: str
    unit: str
    quantity: int
    unit_price_minor: int
    line_total_minor: int = Field(description="Priced by weight, the most it can cost.")
    priced_by_weight: bool
    nominal_grams: int
    final_grams: int | None
    final_total_minor: int | None


class OrderItem(Schema):
    number: str
    state: str
    placed_at: str
    pickup_point: str
    arrives_on: str
    total_minor: int
    refunded_minor: int
    net_minor: int = Field(description="Yours after commission, once it is collected.")
    currency: str = "CNY"


class OrderOut(OrderItem):
    lines: list[LineOut]


class OrderPage(Schema):
    items: list[OrderOut]
    next_cursor: str | None


class PackIn(Schema):
    weights: dict[str, int] = Field(default_factory=dict, max_length=200, description="Real weight in grams by the line's number.")


    sure: dict[str, int] = Field(
        default_factory=dict, max_length=200,
        description="Weights far from what was ordered (`weight_far_off`), told again to say that they are right.",
    )


class PackOut(Schema):
    number: str
    state: str
    refunded_minor: int = Field(description="What went back to the buyer by this call.")
    currency: str = "CNY"
    batch: str


class StockQuery(Schema):
    merchant: Annotated[str, CODE] | None = None
    q: str = Field(default="", max_length=60)
    cursor: str | None = None
    limit: int = Field(default=50, ge=1, le=100)


class StockItem(Schema):
    code: str
    name: str
    unit: str
    barcode: str | None
    price_minor: int
    currency: str = "CNY"
    on_sale: bool
    on_hand: int
    reserved: int
    available: int


class StockPage(Schema):
    items: list[StockItem]
    next_cursor: str | None


class MovementIn(Schema):
    kind: Literal["received", "correction", "spoilage", "offline_sale"]
    quantity: int = Field(ge=0, le=1_000_000, description="A correction says how many were counted on the shelf.")
    client_id: str | None = Field(
        default=None, max_length=80, pattern=r"^[\x21-\x7e]+$", description="Told again with the same id, it happens once."
    )


class StatementQuery(Schema):
    merchant: Annotated[str, CODE] | None = None
    cursor: str | None = None
    limit: int = Field(default=30, ge=1, le=100)


class StatementOut(Schema):
    merchant: str
    payable_minor: int
    in_escrow_minor: int
    currency: str = "CNY"
    items: list[OrderItem]
    next_cursor: str | None


def own_shops(actor: Actor, code: str | None) -> list[int]:
    """The shops meant: the one named if it is theirs, else all of theirs. Raises `NotFound`."""
    own = list(actor.merchants(*MERCHANT_ROLES))
    if code is None and own:
        return own
    named = merchants.by_code(reading(), code or "")
    if named is None or named.id not in own:
        raise NotFound()
    return [named.id]


def item_facts(order: OrderRow) -> dict[str, str | int]:
    return {
        "number": order.number, "state": order.state.value, "placed_at": order.placed_at.isoformat(), "pickup_point": order.point_slug,
        "arrives_on": order.arrives_on.isoformat(), "total_minor": order.total.fen, "refunded_minor": order.refunded_total.fen,
        "net_minor": order.net.fen,
    }  # fmt: skip


def line_out(line: LineToPack) -> LineOut:
    return LineOut(
        line=line.id, name=name_of(line), unit=name_of(line, "unit"), quantity=line.quantity, unit_price_minor=line.unit_price.fen,
        line_total_minor=line.line_total.fen, priced_by_weight=line.is_by_weight, nominal_grams=line.nominal_grams,
        final_grams=line.final_grams, final_total_minor=None if line.final_total is None else line.final_total.fen,
    )


def order_out(order: OrderRow, lines: list[LineToPack]) -> OrderOut:
    return OrderOut.model_validate({**item_facts(order), "lines": [line_out(line) for line in lines]})


def stock_out(shelf: Shelf) -> StockItem:
    return StockItem(
        code=shelf.code, name=name_of(shelf), unit=name_of(shelf, "label"), barcode=shelf.barcode, price_minor=shelf.price.fen,
        on_sale=shelf.is_on_sale, on_hand=shelf.on_hand, reserved=shelf.reserved, available=shelf.available,
    )


@route(
    "GET", "/merchant/orders", staff, summary="Paid orders of your shops, newest first", tag="merchant", query=OrdersQuery,
    answers={200: OrderPage},
)  # fmt: skip
def merchant_orders(actor: Actor, query: OrdersQuery) -> OrderPage:
    session = reading()
    after = decode_cursor(query.cursor, int)
    wanted = Wanted(
        states=(query.state,) if query.state else (), point_slug=query.point or "", after=after[0] if after else None, limit=query.limit
    )
    rows, following = orders_to_pack.list_orders(session, own_shops(actor, query.merchant), wanted)
    lines = orders_to_pack.lines_of(session, [order.id for order in rows])
    return OrderPage(
        items=[order_out(order, lines[order.id]) for order in rows], next_cursor=encode_cursor(following) if following else None
    )


@route("GET", "/merchant/orders/<number>", staff, summary="One order with its lines", tag="merchant", answers={200: OrderOut})
def merchant_order(actor: Actor, number: str) -> OrderOut:
    session = reading()
    order = orders_to_pack.get_order(session, own_shops(actor, None), number)
    return order_out(order, orders_to_pack.lines_of(session, [order.id])[order.id])


@route(
    "POST", "/merchant/orders/<number>/pack", staff, summary="Weigh and pack; what weighs less is given back at once", tag="merchant",
    body=PackIn, answers={200: PackOut},
)  # fmt: skip
def pack_order(actor: Actor, number: str, body: PackIn) -> PackOut:
    order = orders_to_pack.get_order(reading(), own_shops(actor, None), number)
    packed = perform(operations.pack, actor, order.id, by_line(body.weights), by_line(body.sure))
    return PackOut(number=number, state=SubOrderState.PACKED.value, refunded_minor=packed.refunded.fen, batch=packed.batch_code)


def by_line(told: dict[str, int]) -> dict[int, int]:
    """Grams by the line's number. Raises `NotFound` for what is no number."""
    if not all(line.isascii() and line.isdigit() and len(line) < 16 for line in told):
        raise NotFound()
    return {int(line): grams for line, grams in told.items()}


@route(
    "GET", "/merchant/stock", staff, summary="What there is and what it costs", tag="merchant", query=StockQuery, answers={200: StockPage}
)
def merchant_stock(actor: Actor, query: StockQuery) -> StockPage:
    after = decode_cursor(query.cursor, str)
    shops = own_shops(actor, query.merchant)
    rows, following = shelves.list_shelves(reading(), shops, text=query.q, after=after[0] if after else None, limit=query.limit)
    return StockPage(items=[stock_out(shelf) for shelf in rows], next_cursor=encode_cursor(following) if following else None)


@route(
    "POST", "/merchant/stock/<code>/movements", staff, summary="Goods came in, were counted, spoiled or sold at the shop", tag="merchant",
    body=MovementIn, answers={200: StockItem},
)  # fmt: skip
def move_stock(actor: Actor, code: str, body: MovementIn) -> StockItem:
    cause = f"shelf:{actor.user_id}:{body.client_id or ids.secret()}:{code}"
    perform(counting.adjust, actor, code, MovementKind(body.kind), body.quantity, cause)
    return stock_out(shelves.get_shelf(reading(), own_shops(actor, None), code))


@route(
    "GET", "/merchant/statements", staff, summary="What is owed to a shop, and the collected orders that brought it", tag="merchant",
    query=StatementQuery, answers={200: StatementOut},
)  # fmt: skip
def merchant_statements(actor: Actor, query: StatementQuery) -> StatementOut:
    session = reading()
    shop_id = own_shops(actor, query.merchant)[0]
    after = decode_cursor(query.cursor, int)
    rows, following = orders_to_pack.collected_orders(session, shop_id, after[0] if after else None, query.limit)
    return StatementOut(
        merchant=merchants.by_ids(session, [shop_id])[shop_id].code, payable_minor=wallet.balance(session, f"merchant:{shop_id}").fen,
        in_escrow_minor=orders_to_pack.in_escrow(session, shop_id).in_escrow.fen,
        items=[OrderItem.model_validate(item_facts(order)) for order in rows], next_cursor=encode_cursor(following) if following else None,
    )  # fmt: skip
