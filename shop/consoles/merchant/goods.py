"""Goods of a merchant: the shelf and its history, and what is owed for what was collected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any

from flask import flash, redirect, url_for
from werkzeug.wrappers import Response

from shop.catalog import terms
from shop.consoles.merchant import forms
from shop.consoles.merchant.here import page, shop_of
from shop.consoles.merchant.views import bp
from shop.fulfilment import earnings, orders_to_pack
from shop.kernel import clock, identifiers, ids
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound, ShopError
from shop.models.stock import MovementKind
from shop.platform.access import permitted
from shop.platform.actor import Actor
from shop.platform.asked import address, sent
from shop.platform.http import told
from shop.platform.language import gettext as _
from shop.platform.language import name_of
from shop.platform.permissions import Permission
from shop.platform.sure import ask_first, is_sure
from shop.settlement.permissions import SettlementPermission
from shop.stock import counting, history, queries, shelves
from shop.stock.errors import Doubtful
from shop.stock.permissions import StockPermission
from shop.stock.shelves import Shelf
from shop.wallet import queries as wallet

KINDS = (MovementKind.RECEIVED, MovementKind.CORRECTION, MovementKind.SPOILAGE, MovementKind.OFFLINE_SALE)

MOST_PROMISES = 20

KEPT = ("q", "sort", "size", "few", "cursor")
"""What the lists of goods keep in their address."""


def listed(actor: Actor, permission: Permission, sizes: Sequence[int] = shelves.SIZES) -> dict[str, Any]:
    """The variants of the shop; words, order, page size and place stand in the address."""
    words = identifiers.code_or_words(address.text("q", 60))
    sort = address.sort(shelves.SORTS, "code")
    only_few = address.is_on("few")
    after = address.word("cursor") or None
    size = address.size(sizes)
    rows, following = shelves.list_shelves(
        reading(), [shop_of(actor, permission).id], text=words, said=terms.latin(words), sort=sort, only_few=only_few, after=after,
        limit=size,
    )
    return {
        "shelves": rows, "next_cursor": following, "q": words, "sort": sort, "few": only_few, "size": size, "sizes": sizes,
        "kept": kept(),
    }  # fmt: skip


def kept() -> dict[str, Any]:
    """What the address of the list says; forms are sent to the same address, so that they come back to the same list."""
    return {name: said for name in KEPT if (said := address.word(name))}


def back_to(endpoint: str, code: str) -> Response:
    """The same list at the same place, at the row that was changed."""
    return redirect(url_for(endpoint, **kept(), _anchor=f"row-{code}"), 303)


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed into a row and refused: it stays there, with the reason beside it."""

    code: str
    value: str
    error: str
    kind: str = ""


@bp.get("/stock")
@permitted(StockPermission.SHELF_READ)
def stock(actor: Actor) -> Any:
    """The address may fill in one row: what somebody typed, and looks at again before it is saved."""
    code, quantity = address.word("code"), address.word("quantity", 20)
    return stock_page(actor, Typed(code, quantity, "", address.word("kind")) if code else None)


def stock_page(actor: Actor, typed: Typed | None = None) -> str:
    goods = listed(actor, StockPermission.SHELF_READ)
    return page("stock", actor, "stock", **goods, kinds=[kind.value for kind in KINDS], once=ids.secret(), typed=typed)


@bp.post("/stock")
@permitted(StockPermission.COUNT_WRITE)
def adjust(actor: Actor) -> Any:
    """Write down what came, was counted, spoiled or was sold across the counter. The page's own number makes it happen once.

    What is likely a slip, or leaves promised goods missing, is asked about first.
    """
    code = sent.word("code")
    kind = next((kind for kind in KINDS if kind.value == sent.word("kind")), None)
    if kind is None:
        raise NotFound()
    goods = name_of(shelves.get_shelf(reading(), actor.merchants(StockPermission.COUNT_WRITE), code))
    try:
        quantity = forms.quantity_of(sent.raw("quantity", 20))
        changed = perform(
            counting.adjust, actor, code, kind, quantity, f"shelf:{actor.user_id}:{sent.word('once') or ids.secret()}:{code}",
            expected=sent.number("expected") if sent.has("expected") else None, sure=lambda doubt: is_sure(question_of(doubt, goods)),
        )  # fmt: skip
    except NotFound:
        raise
    except Doubtful as doubt:
        again = url_for("merchant.stock", **kept(), code=code, kind=kind.value, quantity=sent.word("quantity", 20), _anchor=f"row-{code}")
        return ask_first(question_of(doubt, goods), yes=_("Yes, write it down"), no=_("No, let me look again"), is_grave=False, back=again)
    except ShopError as error:
        return stock_page(actor, Typed(code, sent.raw("quantity", 20), told(error), kind.value)), error.status
    shelf = shelves.get_shelf(reading(), actor.merchants(StockPermission.COUNT_WRITE), code)
    if changed:
        flash(saved_words(shelf), "success")
    else:
        flash(_("Nothing has changed. %(goods)s: %(count)s on the shelf.", goods=name_of(shelf), count=shelf.on_shelf), "info")
    return back_to("merchant.stock", code)


def question_of(doubt: Doubtful, goods: str) -> str:
    """All that speaks against it, in one question: a yes is a yes to each of them."""
    return _("%(goods)s: %(question)s", goods=goods, question=" ".join(told(one) for one in (doubt, *doubt.others)))


def saved_words(shelf: Shelf) -> str:
    facts = {"goods": name_of(shelf), "count": shelf.on_shelf, "sold": shelf.waiting, "free": shelf.available}
    if shelf.missing:
        return _("Saved. %(goods)s: %(count)s on the shelf, %(short)s of what is promised are missing.", short=shelf.missing, **facts)
    if shelf.waiting:
        return _("Saved. %(goods)s: %(count)s on the shelf, %(sold)s of them sold and to be packed, %(free)s free to sell.", **facts)
    return _("Saved. %(goods)s: %(count)s on the shelf, %(free)s free to sell.", **facts)


@bp.get("/stock/<code>")
@permitted(StockPermission.SHELF_READ)
def shelf_history(actor: Actor, code: str) -> Any:
    """What happened to one shelf: who, when, why."""
    return shelf_page(actor, code)


def shelf_page(actor: Actor, code: str, **more: str) -> str:
    shelf = shelves.get_shelf(reading(), actor.merchants(StockPermission.SHELF_READ), code)
    size = address.size(history.SIZES)
    rows, following = history.list_movements(reading(), shelf.variant_id, address.place(), size)
    return page(
        "shelf", actor, "stock", shelf=shelf, movements=rows, next_cursor=following, size=size, sizes=history.SIZES,
        promises=queries.promises(reading(), shelf.merchant_id, shelf.variant_id)[:MOST_PROMISES], **more,
    )


@bp.post("/stock/<code>/movements/<id:movement_id>/take-back")
@permitted(StockPermission.COUNT_TAKE_BACK)
def take_movement_back(actor: Actor, code: str, movement_id: int) -> Any:
    """Undo a movement that was written down by mistake, by one that says the opposite."""
    shelf = shelves.get_shelf(reading(), actor.merchants(StockPermission.COUNT_TAKE_BACK), code)
    question = _("Take this back? %(goods)s will be as if it had not been written down.", goods=name_of(shelf))
    if asked := ask_first(question, yes=_("Take it back"), is_grave=False):
        return asked
    try:
        perform(counting.take_back, actor, code, movement_id)
        flash(saved_words(shelves.get_shelf(reading(), actor.merchants(StockPermission.COUNT_TAKE_BACK), code)), "success")
    except NotFound:
        raise
    except ShopError as error:
        flash(told(error), "error")
    return redirect(url_for("merchant.shelf_history", code=code), 303)


@bp.get("/statement")
@permitted(SettlementPermission.STATEMENT_READ)
def statement(actor: Actor) -> Any:
    """What is owed now, what is on its way to being owed, and the orders of a month (or all) that brought it, figure by figure."""
    shop, data = shop_of(actor, SettlementPermission.STATEMENT_READ), reading()
    month = forms.month_of(address.month(), clock.today())
    since, until = (clock.at(first, time(0)) for first in (month, following_month(month))) if month else (None, None)
    last = following_month(month) - timedelta(days=1) if month else None
    size = address.size(orders_to_pack.SIZES)
    rows, following = earnings.collected_orders(
        data, shop.id, address.place(), size, since=since, until=until
    )
    return page(
        "statement", actor, "statement", payable=wallet.balance(data, f"merchant:{shop.id}"),
        escrow=earnings.in_escrow(data, shop.id), earned=earnings.earned(data, shop.id, month, last), orders=rows,
        next_cursor=following, month=month, months=months_back(clock.today()), size=size, sizes=orders_to_pack.SIZES,
    )  # fmt: skip


def following_month(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1)


def months_back(today: date, count: int = 12) -> list[date]:
    """The first days of this month and those before it."""
    months = [today.replace(day=1)]
    while len(months) < count:
        months.append((months[-1] - timedelta(days=1)).replace(day=1))
    return months
