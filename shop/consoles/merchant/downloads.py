"""The lists of this console as files: all one may see of them, at most `writing.MOST_ROWS` rows, as XLSX or CSV. They name no buyers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, time, timedelta
from typing import Any

from flask import Response

from shop.catalog.permissions import CatalogPermission
from shop.consoles.merchant import forms
from shop.consoles.merchant.here import shop_of
from shop.consoles.merchant.views import TABS, bp
from shop.fulfilment import earnings, orders_to_pack
from shop.fulfilment.orders_to_pack import OrderRow, Wanted
from shop.imports import exporting, writing
from shop.imports.booklet import Row
from shop.kernel import clock
from shop.kernel.db import reading
from shop.models.orders import SubOrderState
from shop.orders import settled_days
from shop.orders.permissions import OrderPermission
from shop.platform.access import permitted
from shop.platform.actor import Actor
from shop.platform.asked import address
from shop.platform.language import gettext as _
from shop.platform.language import name_of, reader_locale
from shop.settlement.permissions import SettlementPermission
from shop.stock import shelves
from shop.stock.permissions import StockPermission

AT_ONCE = 500
DAYS_AT_ONCE = 366


def file_kind() -> str:
    return address.choice("as", writing.KINDS, "xlsx")


def as_file(kind: str, content: bytes, name: str) -> Response:
    answer = Response(content, content_type=writing.KINDS[kind])
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def sheet_of(rows: Iterator[Row], name: str) -> Response:
    """So many of these rows as the kind of file that was asked for."""
    kind = file_kind()
    return as_file(kind, writing.written(kind, writing.bounded(rows), name.partition("-")[0]), name)


@bp.get("/exports/goods")
@permitted(CatalogPermission.PRICE_READ)
def export_goods(actor: Actor) -> Response:
    """All goods of the shop in our columns; brought again, nothing changes."""
    shop = shop_of(actor, CatalogPermission.PRICE_READ)
    return sheet_of(exporting.goods(reading(), shop.id, reader_locale()), f"goods-{shop.code}")


@bp.get("/exports/orders")
@permitted(OrderPermission.SHOP_READ)
def export_orders(actor: Actor) -> Response:
    """The paid orders of a tab, the newest first."""
    shop = shop_of(actor, OrderPermission.SHOP_READ)
    return sheet_of(orders(shop.id, TABS.get(address.word("tab"), ())), f"orders-{shop.code}")


def orders(merchant_id: int, states: tuple[SubOrderState, ...]) -> Iterator[Row]:
    words = state_words()
    yield [
        _("Order number"), _("State"), _("Placed"), _("Arrives"), _("Pick-up point"), _("Gross"), _("Given back"),
        _("Buyers paid in the end"),
    ]  # fmt: skip
    after: int | None = None
    while True:
        found = orders_to_pack.list_orders(reading(), [merchant_id], Wanted(states=states, after=after, limit=AT_ONCE))
        for one in found.orders:
            yield [
                one.number, words[one.state], one.placed_at, one.arrives_on, name_of(one, "point_name"), one.total, one.refunded_total,
                one.kept,
            ]  # fmt: skip
        after = found.next_after
        if after is None:
            return


def state_words() -> dict[SubOrderState, str]:
    return {
        SubOrderState.PLACED: _("New"), SubOrderState.ACCEPTED: _("Accepted"), SubOrderState.PACKED: _("Packed"),
        SubOrderState.IN_TRANSIT: _("On the way"), SubOrderState.READY: _("Ready to collect"), SubOrderState.COLLECTED: _("Collected"),
        SubOrderState.COMPLETED: _("Completed"), SubOrderState.CANCELLED: _("Cancelled"), SubOrderState.SHORT: _("Cannot be delivered"),
        SubOrderState.NOT_COLLECTED: _("Not collected"), SubOrderState.RETURNED: _("Returned"),
    }  # fmt: skip


@bp.get("/exports/stock")
@permitted(StockPermission.SHELF_READ)
def export_stock(actor: Actor) -> Response:
    """Every size on the shelf, by its code."""
    shop = shop_of(actor, StockPermission.SHELF_READ)
    return sheet_of(stock(shop.id), f"stock-{shop.code}")


def stock(merchant_id: int) -> Iterator[Row]:
    yield [
        _("Code"), _("Goods"), _("Size"), _("Barcode"), _("Price"), _("On the shelf"), _("Sold, to be packed"), _("Held, being paid"),
        _("Missing of what is promised"), _("Free to sell"),
    ]  # fmt: skip
    after: str | None = None
    while True:
        rows, after = shelves.list_shelves(reading(), [merchant_id], after=after, limit=AT_ONCE)
        for one in rows:
            yield [
                one.code, name_of(one), name_of(one, "label"), one.barcode, one.price, one.on_shelf, one.waiting, one.reserved, one.missing,
                one.available,
            ]  # fmt: skip
        if after is None:
            return


@bp.get("/exports/statement")
@permitted(SettlementPermission.STATEMENT_READ)
def export_statement(actor: Actor) -> Response:
    """The orders of a month (or all) that brought money, the newest first; or their days, one row each."""
    shop = shop_of(actor, SettlementPermission.STATEMENT_READ)
    month = forms.month_of(address.month(), clock.today())
    name = f"{shop.code}-{month:%Y-%m}" if month else shop.code
    if address.word("what") == "days":
        return sheet_of(settlement_days(shop.id, month), f"days-{name}")
    return sheet_of(settled_orders(shop.id, month), f"statement-{name}")


def settled_orders(merchant_id: int, month: date | None) -> Iterator[Row]:
    yield [
        _("Order number"), _("Collected"), _("Gross"), _("Given back"), _("From Linli"), _("Commission"), _("Yours"),
    ]  # fmt: skip
    since, until = (clock.at(first, time(0)) for first in (month, following_month(month))) if month else (None, None)
    before: int | None = None
    while True:
        rows, before = earnings.collected_orders(reading(), merchant_id, before, AT_ONCE, since=since, until=until)
        for one in rows:
            yield settled_row(one)
        if before is None:
            return


def settled_row(one: OrderRow) -> list[Any]:
    return [one.number, one.settled_at, one.total, one.refunded_total, one.support, one.commission, one.net]


def settlement_days(merchant_id: int, month: date | None) -> Iterator[Row]:
    """Days on which something was settled, the newest first: of a month, or of the last year."""
    yield [_("Day"), _("Orders"), _("Gross"), _("Given back"), _("From Linli"), _("Commission"), _("Yours")]
    last = min(following_month(month) - ONE_DAY, clock.today()) if month else clock.today()
    first = month or last - ONE_DAY * (DAYS_AT_ONCE - 1)
    for day, sums in reversed(settled_days.sums_by_day(reading(), merchant_id, first, last)):
        net = sums.gross - sums.refunded + sums.support - sums.commission
        yield [day, sums.orders, sums.gross, sums.refunded, sums.support, sums.commission, net]


ONE_DAY = timedelta(days=1)


def following_month(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1)
