"""For merchants: what lies on their shelves and why, and what it costs. Other merchants' things are not found."""

from __future__ import annotations

from typing import Annotated, Literal

from flask import request
from pydantic import AwareDatetime, Field

from shop.api.v1.merchant import CODE, own_shops
from shop.catalog import pricing, terms
from shop.catalog.errors import PricesRefused
from shop.catalog.permissions import CatalogPermission
from shop.catalog.pricing import NewPrice
from shop.kernel import ids
from shop.kernel.db import perform, reading
from shop.kernel.money import Money
from shop.kernel.text import mask_person
from shop.models.stock import LossReason, MovementKind
from shop.platform.access import permitted
from shop.platform.actor import Actor
from shop.platform.api.core import Schema, decode_cursor, encode_cursor, route
from shop.platform.api.fields import READABLE, Cursor
from shop.platform.language import name_of
from shop.stock import counting, history, losses, low, rules, shelves
from shop.stock.permissions import StockPermission
from shop.stock.shelves import Shelf

TAG = "merchant"
MOST_PRICE = 999_999_999
SURE = "Say true after a refusal that asks, such as {}: then it is done all the same."


Reason = Literal["spoiled", "broken", "past_date", "given_away", "stolen", "other"]


class StockQuery(Schema):
    merchant: Annotated[str, CODE] | None = None
    q: Annotated[str, Field(max_length=60), READABLE] = ""
    few: bool = Field(default=False, description="Only what is on sale and runs low.")
    cursor: Cursor | None = None
    limit: int = Field(default=50, ge=1, le=100)


class StockItem(Schema):
    code: str
    name: str
    unit: str
    barcode: str | None
    price_minor: int
    currency: str = "CNY"
    on_sale: bool
    on_shelf: int = Field(
        description="What should be lying there, and what a count is compared with: available, reserved and sold_waiting."
    )
    sold_waiting: int = Field(description="Paid and not packed: it still lies on the shelf.")
    on_hand: int = Field(description="There and not sold: available and reserved.")
    reserved: int = Field(description="Held for orders that are being paid.")
    missing: int = Field(description="Promised goods that a count did not find.")
    available: int = Field(description="What can be sold now.")
    low_mark: int | None = Field(description="With so many available or fewer it runs low: its own figure, else that of the shop.")
    low_since: AwareDatetime | None = Field(description="Since when it runs low.")


class StockPage(Schema):
    items: list[StockItem]
    next_cursor: str | None


class MovementIn(Schema):
    kind: Literal["received", "correction", "spoilage", "offline_sale"]
    quantity: int = Field(ge=0, le=counting.MOST, description="A correction says how many were counted on the shelf: see `on_shelf`.")
    client_id: str | None = Field(
        default=None, max_length=80, pattern=r"^[\x21-\x7e]+$",
        description="Told again with the same id, it happens once, for good; with other figures it is refused. "
        "Without it the Idempotency-Key serves for the same.",
    )  # fmt: skip
    expected: int | None = Field(
        default=None, ge=0, le=10**12, description="For a correction: the `on_shelf` that was seen when the counting began."
    )
    sure: bool = Field(default=False, description=SURE.format("`quantity_far_off`, `promised_goods` or `shelf_moved`"))
    reason: Reason | None = Field(default=None, description="Why goods are written off, for `spoilage` only; without one they spoiled.")
    words: Annotated[str, Field(max_length=rules.MOST_WORDS), READABLE] = Field(
        default="", description="What happened; needed for `stolen` and `other`. No names of customers, please."
    )


class HistoryQuery(Schema):
    cursor: Cursor | None = None
    limit: int = Field(default=50, ge=1, le=100)


class MovementOut(Schema):
    id: int
    at: AwareDatetime
    kind: MovementKind
    quantity: int = Field(description="By how much `on_hand` changed; negative when goods left.")
    missing_change: int = Field(description="By how much `missing` changed.")
    told: int | None = Field(description="The figure that was told: units that came or went, or were counted.")
    order: str | None
    by: str | None = Field(description="Who wrote it down; null for what follows an order.")
    reason: LossReason | None = Field(description="Why goods were written off.")
    words: str = Field(description="What was said of it.")
    takes_back: int | None = Field(description="The movement that this one undoes.")
    taken_back: bool


class MovementPage(Schema):
    items: list[MovementOut]
    next_cursor: str | None


class LowMark(Schema):
    low_mark: int | None = Field(
        ge=0, le=rules.MOST_LOW_MARK,
        description="With so many available or fewer it runs low, and the shop is told once; null for one thing is the shop's own figure, "
        "null for the shop tells of none but those that have one.",
    )  # fmt: skip


class ShopLowMark(LowMark):
    merchant: Annotated[str, CODE]


class ShopQuery(Schema):
    merchant: Annotated[str, CODE]


class LossQuery(Schema):
    merchant: Annotated[str, CODE]
    reason: Reason | None = None
    cursor: Cursor | None = None
    limit: int = Field(default=50, ge=1, le=100)


class LossOut(Schema):
    at: AwareDatetime
    code: str
    name: str
    quantity: int | None
    reason: LossReason
    words: str
    by: str | None
    movement: int = Field(description="What wrote it off, to be taken back while that can be.")
    taken_back: bool


class LossPage(Schema):
    items: list[LossOut]
    next_cursor: str | None


class PriceIn(Schema):
    price_minor: int = Field(ge=1, le=MOST_PRICE)
    before_minor: int | None = Field(default=None, ge=0, le=MOST_PRICE, description="The price that was seen; refused when it has changed.")
    sure: bool = Field(default=False, description=SURE.format("`price_far_off`, which names both prices"))


class PriceOut(Schema):
    code: str
    price_minor: int
    currency: str = "CNY"


class PriceChangeOut(Schema):
    at: AwareDatetime
    old_minor: int | None
    new_minor: int
    currency: str = "CNY"
    by: str | None


class PricePage(Schema):
    items: list[PriceChangeOut]
    next_cursor: str | None


def stock_out(shelf: Shelf) -> StockItem:
    return StockItem(
        code=shelf.code, name=name_of(shelf), unit=name_of(shelf, "label"), barcode=shelf.barcode, price_minor=shelf.price.fen,
        on_sale=shelf.is_on_sale, on_shelf=shelf.on_shelf, sold_waiting=shelf.waiting, on_hand=shelf.on_hand, reserved=shelf.reserved,
        missing=shelf.missing, available=shelf.available, low_mark=shelf.runs_low_at, low_since=shelf.low_since,
    )  # fmt: skip


@route(
    "GET", "/merchant/stock", permitted(StockPermission.SHELF_READ),
    summary="What there is and what it costs", tag=TAG, query=StockQuery, answers={200: StockPage},
)  # fmt: skip
def merchant_stock(actor: Actor, query: StockQuery) -> StockPage:
    after = decode_cursor(query.cursor, str)
    shops = own_shops(actor, query.merchant, StockPermission.SHELF_READ)
    rows, following = shelves.list_shelves(
        reading(), shops, text=query.q, said=terms.latin(query.q), only_few=query.few, after=after[0] if after else None,
        limit=query.limit,
    )  # fmt: skip
    return StockPage(items=[stock_out(shelf) for shelf in rows], next_cursor=encode_cursor(following) if following else None)


@route(
    "GET", "/merchant/stock/<code>/movements", permitted(StockPermission.SHELF_READ),
    summary="What happened to a shelf, newest first", tag=TAG, query=HistoryQuery,
    answers={200: MovementPage},
)  # fmt: skip
def stock_movements(actor: Actor, code: str, query: HistoryQuery) -> MovementPage:
    session, after = reading(), decode_cursor(query.cursor, int)
    shelf = shelves.get_shelf(session, own_shops(actor, None, StockPermission.SHELF_READ), code)
    rows, following = history.list_movements(session, shelf.variant_id, after[0] if after else None, query.limit)
    items = [
        MovementOut(
            id=row.id, at=row.at, kind=row.kind, quantity=row.quantity, missing_change=row.missing_by, told=row.told,
            order=row.order_number, by=row.who, reason=row.reason, words=row.words,
            takes_back=row.takes_back_id, taken_back=row.is_taken_back,
        )
        for row in rows
    ]  # fmt: skip
    return MovementPage(items=items, next_cursor=encode_cursor(following) if following else None)


@route(
    "POST", "/merchant/stock/<code>/movements", permitted(StockPermission.COUNT_WRITE),
    summary="Goods came in, were counted, spoiled or sold at the shop", tag=TAG,
    body=MovementIn, answers={200: StockItem},
)  # fmt: skip
def move_stock(actor: Actor, code: str, body: MovementIn) -> StockItem:
    cause = cause_of_call("shelf", actor, body.client_id, code)
    why = counting.Why(LossReason(body.reason), body.words) if body.reason else None
    perform(
        counting.adjust, actor, code, MovementKind(body.kind), body.quantity, cause, expected=body.expected,
        sure=lambda _doubt: body.sure, why=why,
    )  # fmt: skip
    return stock_out(shelves.get_shelf(reading(), own_shops(actor, None, StockPermission.COUNT_WRITE), code))


@route(
    "GET", "/merchant/low-mark", permitted(StockPermission.SHELF_READ),
    summary="With how many left goods of the shop run low", tag=TAG, query=ShopQuery, answers={200: LowMark},
)  # fmt: skip
def shop_low_mark(actor: Actor, query: ShopQuery) -> LowMark:
    return LowMark(low_mark=low.default_of(reading(), own_shops(actor, query.merchant, StockPermission.SHELF_READ)[0]))


@route(
    "PUT", "/merchant/low-mark", permitted(StockPermission.LOW_WRITE),
    summary="Say with how many left goods of the shop run low", tag=TAG, body=ShopLowMark, answers={200: LowMark},
)  # fmt: skip
def put_shop_low_mark(actor: Actor, body: ShopLowMark) -> LowMark:
    perform(low.set_default, actor, own_shops(actor, body.merchant, StockPermission.LOW_WRITE)[0], body.low_mark)
    return LowMark(low_mark=body.low_mark)


@route(
    "PUT", "/merchant/stock/<code>/low-mark", permitted(StockPermission.LOW_WRITE),
    summary="Say with how many left one thing runs low", tag=TAG, body=LowMark, answers={200: StockItem},
)  # fmt: skip
def put_low_mark(actor: Actor, code: str, body: LowMark) -> StockItem:
    perform(low.set_mark, actor, code, body.low_mark)
    return stock_out(shelves.get_shelf(reading(), own_shops(actor, None, StockPermission.LOW_WRITE), code))


@route(
    "GET", "/merchant/losses", permitted(StockPermission.SHELF_READ),
    summary="What was lost and why, newest first", tag=TAG, query=LossQuery, answers={200: LossPage},
)  # fmt: skip
def merchant_losses(actor: Actor, query: LossQuery) -> LossPage:
    after = decode_cursor(query.cursor, int)
    rows, following = losses.list_losses(
        reading(), own_shops(actor, query.merchant, StockPermission.SHELF_READ)[0],
        reason=LossReason(query.reason) if query.reason else None, before=after[0] if after else None, limit=query.limit,
    )  # fmt: skip
    items = [
        LossOut(
            at=row.at, code=row.code, name=name_of(row), quantity=row.quantity, reason=row.reason, words=row.words,
            by=mask_person(row.who) if row.who else None, movement=row.movement_id, taken_back=row.is_taken_back,
        )
        for row in rows
    ]  # fmt: skip
    return LossPage(items=items, next_cursor=encode_cursor(following) if following else None)


def cause_of_call(what: str, actor: Actor, client_id: str | None, code: str) -> str:
    """What this call is known by for good, longer than its answer is kept: the caller's own reference, else its Idempotency-Key."""
    if client_id is not None:
        return f"{what}:{actor.user_id}:{client_id}:{code}"
    key = request.headers.get("Idempotency-Key")
    return f"{what}-key:{actor.user_id}:{key}:{code}" if key else f"{what}:{actor.user_id}:{ids.secret()}:{code}"


@route(
    "POST", "/merchant/stock/<code>/movements/<id:movement_id>/take-back", permitted(StockPermission.COUNT_TAKE_BACK),
    summary="Undo a movement that was a mistake, once",
    tag=TAG, answers={200: StockItem},
)  # fmt: skip
def take_movement_back(actor: Actor, code: str, movement_id: int) -> StockItem:
    perform(counting.take_back, actor, code, movement_id)
    return stock_out(shelves.get_shelf(reading(), own_shops(actor, None, StockPermission.COUNT_TAKE_BACK), code))


@route(
    "GET", "/merchant/stock/<code>/prices", permitted(CatalogPermission.PRICE_READ),
    summary="What something cost and who said so, newest first", tag=TAG,
    query=HistoryQuery, answers={200: PricePage},
)  # fmt: skip
def price_changes(actor: Actor, code: str, query: HistoryQuery) -> PricePage:
    session, after = reading(), decode_cursor(query.cursor, int)
    shelf = shelves.get_shelf(session, own_shops(actor, None, CatalogPermission.PRICE_READ), code)
    rows, following = pricing.price_history(session, shelf.variant_id, after[0] if after else None, query.limit)
    items = [PriceChangeOut(at=row.at, old_minor=row.old.fen if row.old else None, new_minor=row.new.fen, by=row.who) for row in rows]
    return PricePage(items=items, next_cursor=encode_cursor(following) if following else None)


@route(
    "PUT", "/merchant/stock/<code>/price", permitted(CatalogPermission.PRICE_WRITE),
    summary="What something costs from now on; only a shop's owner says", tag=TAG,
    body=PriceIn, answers={200: PriceOut},
)  # fmt: skip
def put_price(actor: Actor, code: str, body: PriceIn) -> PriceOut:
    before = Money(body.before_minor) if body.before_minor is not None else None
    wanted = NewPrice(code, Money(body.price_minor), before)
    try:
        perform(pricing.change_prices, actor, [wanted], sure=lambda _doubt: body.sure)
    except PricesRefused as refused:
        raise refused.refused[code] from None
    return PriceOut(code=code, price_minor=body.price_minor)
