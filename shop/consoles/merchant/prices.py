"""What a merchant's goods cost: several prices saved at once, and the history of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import flash, redirect, url_for
from werkzeug.wrappers import Response

from shop.catalog import pricing
from shop.catalog.errors import PricesRefused
from shop.catalog.permissions import CatalogPermission
from shop.catalog.pricing import NewPrice
from shop.consoles.merchant import forms
from shop.consoles.merchant.goods import back_to, kept, listed
from shop.consoles.merchant.here import page, shop_of
from shop.consoles.merchant.views import bp
from shop.kernel import gate
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound, ShopError
from shop.kernel.money import Money
from shop.platform.access import permitted
from shop.platform.actor import Actor
from shop.platform.asked import Asked, address, sent
from shop.platform.bodies import takes
from shop.platform.http import told
from shop.platform.language import gettext as _
from shop.platform.language import name_of, ngettext, yuan
from shop.platform.sure import ask_first, is_sure
from shop.stock import shelves

SIZES = (50, 100)
"""A row is a field, and a question keeps at most 200 of them."""

FIELD = "price-"
MOST_IN_ADDRESS = 30


@dataclass(frozen=True, slots=True)
class TypedPrice:
    """What was typed beside a variant, the price it had then, and what is wrong with it."""

    text: str
    before: Money
    error: str = ""


def typed_prices(source: Asked = sent) -> dict[str, TypedPrice]:
    """The fields that were filled in, by code: `price-<code>-<price that was shown, in fen>`. Raises `NotFound` for other names."""
    found = {}
    for name, text in source.beginning_with(FIELD, most=max(SIZES), limit=40).items():
        code, _dash, shown = name.removeprefix(FIELD).rpartition("-")
        before = gate.number(shown)
        if not code or before is None:
            raise NotFound()
        if text.strip():
            found[code] = TypedPrice(text, Money(before))
    return found


@bp.get("/products")
@permitted(CatalogPermission.PRICE_READ)
def products(actor: Actor) -> Any:
    """The address may fill in prices: those that somebody typed, and looks at again before they are saved."""
    return products_page(actor, typed_prices(address))


def products_page(actor: Actor, typed: dict[str, TypedPrice]) -> str:
    return page("products", actor, "products", **listed(actor, CatalogPermission.PRICE_READ, SIZES), typed=typed)


@bp.post("/products")
@takes(most_fields=500)
@permitted(CatalogPermission.PRICE_WRITE)
def price(actor: Actor) -> Any:
    """New prices from now on, all of them or none; orders already placed keep theirs. Far from the old ones, they are asked about first."""
    shop_of(actor, CatalogPermission.PRICE_WRITE)
    typed = typed_prices()
    wanted, errors = [], {}
    for code, one in typed.items():
        try:
            wanted.append(NewPrice(code, forms.price_of(one.text), one.before))
        except ShopError as error:
            errors[code] = told(error)
    if errors:
        return products_page(actor, with_errors(typed, errors)), 422

    def show(refused: PricesRefused) -> Any:
        said = {code: told(refusal) for code, refusal in refused.refused.items()}
        return products_page(actor, with_errors(typed, said)), refused.status

    again: dict[str, Any] = {f"{FIELD}{code}-{one.before.fen}": one.text for code, one in list(typed.items())[:MOST_IN_ADDRESS]}
    back = url_for("merchant.products", **kept(), **again)
    return save(actor, wanted, show, lambda: back_to("merchant.products", wanted[0].code if wanted else ""), back)


def with_errors(typed: dict[str, TypedPrice], errors: dict[str, str]) -> dict[str, TypedPrice]:
    return {code: TypedPrice(one.text, one.before, errors.get(code, "")) for code, one in typed.items()}


def save(
    actor: Actor, wanted: list[NewPrice], refuse: Callable[[PricesRefused], Any], then: Callable[[], Response], back: str = ""
) -> Any:
    """Save prices and go on, or ask about them (a no leads `back`), or show what is wrong."""
    shown = shelves.named(reading(), actor.merchants(CatalogPermission.PRICE_WRITE), [one.code for one in wanted])
    names = {code: name_of(shelf) for code, shelf in shown.items()}
    try:
        changed = perform(pricing.change_prices, actor, wanted, sure=lambda doubt: is_sure(question_of(doubt, names)))
    except PricesRefused as refused:
        if refused.is_question:
            return ask_first(question_of(refused, names), yes=_("Yes, change it"), no=_("No, let me look again"), is_grave=False, back=back)
        return refuse(refused)
    if changed == 1 == len(wanted):
        shelf = shelves.get_shelf(reading(), actor.merchants(CatalogPermission.PRICE_WRITE), wanted[0].code)
        flash(_("Saved. %(goods)s now costs %(price)s.", goods=name_of(shelf), price=yuan(shelf.price)), "success")
    elif changed:
        flash(ngettext("Saved. %(num)s price is new.", "Saved. %(num)s prices are new.", changed), "success")
    else:
        flash(_("Nothing has changed."), "info")
    return then()


def question_of(refused: PricesRefused, names: dict[str, str]) -> str:
    """Both prices of everything that is far off, with its name."""
    questions = [(names.get(code, code), told(refusal)) for code, refusal in refused.refused.items()]
    return " ".join(_("%(goods)s: %(question)s", goods=name, question=question) for name, question in questions)


@bp.get("/products/<code>")
@permitted(CatalogPermission.PRICE_READ)
def price_history(actor: Actor, code: str) -> Any:
    """What one thing cost: who, when, from what to what."""
    shelf = shelves.get_shelf(reading(), actor.merchants(CatalogPermission.PRICE_READ), code)
    rows, following = pricing.price_history(reading(), shelf.variant_id, address.place())
    return page("prices", actor, "products", shelf=shelf, changes=rows, next_cursor=following)


@bp.post("/products/<code>")
@permitted(CatalogPermission.PRICE_WRITE)
def set_back(actor: Actor, code: str) -> Any:
    """Give one thing a price it had before. This is a new change and asks like any other."""
    shop_of(actor, CatalogPermission.PRICE_WRITE)
    fen, before = gate.number(sent.word("fen"), 1), gate.number(sent.word("before"))
    if fen is None or before is None:
        raise NotFound()

    def back() -> Response:
        return redirect(url_for("merchant.price_history", code=code), 303)

    def show(refused: PricesRefused) -> Response:
        flash(told(refused.refused[code]), "error")
        return back()

    return save(actor, [NewPrice(code, Money(fen), Money(before))], show, back)
