"""One product with all that is said of it: its words, its sizes, when it is sold."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import flash, redirect, url_for
from werkzeug.wrappers import Response

from shop.catalog import queries as catalog
from shop.catalog.permissions import CatalogPermission
from shop.consoles.merchant.here import page
from shop.consoles.merchant.listings import month_words, plainly_typed, state_words, storage_words, typed_of
from shop.consoles.merchant.views import bp
from shop.kernel import clock, gate, ids
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound, ShopError
from shop.listings import fields, operations, queries
from shop.listings.errors import ListingIncomplete, MomentNotUnderstood
from shop.listings.fields import Reader
from shop.listings.rules import ALLERGENS
from shop.models.catalog import Product, ProductState, Variant
from shop.platform.access import permitted
from shop.platform.actor import Actor
from shop.platform.asked import sent
from shop.platform.bodies import takes
from shop.platform.http import told
from shop.platform.language import gettext as _
from shop.platform.language import name_of
from shop.platform.sure import ask_first

STATES = (ProductState.ON_SALE, ProductState.OFF_SALE)
SIZE_FIELDS = tuple(fields.OF_SIZE)
MOST_FIELDS = 500
USUAL_TIME = "08:00"


@bp.get("/listings/<code>")
@permitted(CatalogPermission.GOODS_WRITE)
def listing(actor: Actor, code: str) -> Any:
    product = queries.get_product(reading(), actor.merchants(CatalogPermission.GOODS_WRITE), code)
    if queries.typed_of(reading(), product.id) is not None:
        return redirect(url_for("merchant.draft", code=code))
    return listing_page(actor, product)


def listing_page(
    actor: Actor, product: Product, typed: Mapping[str, str] | None = None, errors: Mapping[str, str] | None = None, trouble: str = "",
    sizes_typed: Mapping[str, Mapping[str, str]] | None = None, added: Mapping[str, str] | None = None,
) -> str:  # fmt: skip
    """The page; `typed`, `sizes_typed` and `added` are what came back with something wrong in it."""
    sizes = queries.sizes_of_product(reading(), product.id)
    said = {one.code: said_of_size(one) for one in sizes}
    return page(
        "listing", actor, "listings", product=product, typed=said_of(product) if typed is None else typed, errors=errors or {},
        trouble=trouble, sizes=sizes, said={**said, **(sizes_typed or {})}, added=added or {},
        version=operations.version_of(product, sizes), pictures=queries.pictures_of(reading(), product.id), storages=storage_words(),
        categories=catalog.categories(reading()),
        allergens=ALLERGENS, states=[(one.value, state_words(one)) for one in STATES], once=ids.secret(),
        today=clock.today(), months=month_words(),
        publish_at=clock.local(product.publish_at) if product.publish_at else None,
    )  # fmt: skip


def said_of(product: Product) -> dict[str, str]:
    """What is listed, in the words of the form."""
    slugs = {one.id: one.slug for one in catalog.categories(reading())}
    first, _dash, last = product.season_months.partition("-")
    return {
        "name_zh": product.name_zh, "name_en": product.name_en, "category": slugs.get(product.category_id, ""),
        "state": product.state.value,
        "storage": product.storage.value, "shelf_life": str(product.shelf_life_days), "origin_zh": product.origin_zh,
        "origin_en": product.origin_en, "season_from": first, "season_to": last, "is_agricultural": "1" if product.is_agricultural else "0",
        "is_returnable": "1" if product.is_returnable_within_7_days else "0", "allergens": product.allergens,
        "description_zh": product.description_zh, "description_en": product.description_en,
    }  # fmt: skip


def said_of_size(size: Variant) -> dict[str, str]:
    return {
        "unit_zh": size.label_zh, "unit_en": size.label_en, "grams": str(size.net_weight_grams), "barcode": size.barcode or "",
        "minimum": str(size.minimum_quantity), "multiple": str(size.multiple),
    }  # fmt: skip


@bp.post("/listings/<code>")
@takes(most_fields=MOST_FIELDS)
@permitted(CatalogPermission.GOODS_WRITE)
def save_listing(actor: Actor, code: str) -> Any:
    """All that was typed, or nothing; what is wrong is marked, and stays."""
    seen = sent.word("version")
    product = queries.get_product(reading(), actor.merchants(CatalogPermission.GOODS_WRITE), code)
    try:
        typed = typed_of(fields.OF_PRODUCT)
    except ShopError as error:
        return listing_page(actor, product, plainly_typed(), trouble=told(error)), error.status
    typed["state"] = sent.word("state")
    reader = Reader(typed)
    values = fields.product_of(reader, queries.category_ids(reading()))
    if product.state in STATES:
        values["state"] = reader.read("state", fields.one_of({one.value: one for one in STATES}), product.state)
    refused = {name: told(error) for name, error in reader.refused.items()}
    rows = {one.code: sent_size(one.code) for one in queries.sizes_of_product(reading(), product.id) if sent.has(f"unit_zh-{one.code}")}
    sizes = {}
    for size, said in rows.items():
        of_size = Reader(said)
        sizes[size] = fields.size_of(of_size)
        refused.update({f"{name}-{size}": told(error) for name, error in of_size.refused.items()})
    if refused:
        return listing_page(actor, product, typed, refused, told(ListingIncomplete({})), rows), 422
    try:
        changed = perform(operations.change_listing, actor, code, seen, values, sizes)
    except NotFound:
        raise
    except ShopError as error:
        return listing_page(actor, product, typed, {}, told(error), rows), error.status
    flash(_("Saved.") if changed else _("Nothing has changed."), "success" if changed else "info")
    return back(code)


def sent_size(code: str) -> dict[str, str]:
    return {name: sent.raw(f"{name}-{code}", fields.OF_SIZE[name] + 1) for name in SIZE_FIELDS}


@bp.post("/listings/<code>/sizes")
@permitted(CatalogPermission.GOODS_WRITE)
def add_size(actor: Actor, code: str) -> Any:
    """One more size with its price and stock; the page's own number makes it happen once."""
    product = queries.get_product(reading(), actor.merchants(CatalogPermission.GOODS_WRITE), code)
    said = {name: sent.raw(f"new-{name}", limit + 1) for name, limit in fields.OF_NEW_SIZE.items()}
    reader = Reader(said)
    values = fields.size_of(reader)
    price, stock = reader.read("price", fields.price), reader.read("stock", fields.number(0, fields.MOST_STOCK), 0)
    if reader.refused:
        errors = {f"new-{name}": told(error) for name, error in reader.refused.items()}
        return listing_page(actor, product, errors=errors, trouble=told(ListingIncomplete({})), added=said), 422
    try:
        perform(operations.add_size, actor, code, values, price, stock, sent.word("once") or ids.secret())
    except NotFound:
        raise
    except ShopError as error:
        return listing_page(actor, product, trouble=told(error), added=said), error.status
    flash(_("The size was added."), "success")
    return back(code)


@bp.post("/listings/<code>/sizes/withdraw")
@permitted(CatalogPermission.GOODS_WRITE)
def withdraw_size(actor: Actor, code: str) -> Any:
    """Take one size off sale, or offer it again. Orders keep it."""
    product = queries.get_product(reading(), actor.merchants(CatalogPermission.GOODS_WRITE), code)
    size = next((one for one in queries.sizes_of_product(reading(), product.id) if one.code == sent.word("size")), None)
    if size is None:
        raise NotFound()
    offers = sent.is_on("again")
    if not offers and (asked := ask_first(withdraw_question(size), yes=_("Stop selling it"), is_grave=False)):
        return asked
    try:
        perform(operations.withdraw_size, actor, code, size.code, is_on_sale=offers)
        flash(_("%(size)s is offered again.", size=name_of(size, "label")) if offers else _(
            "%(size)s is withdrawn. Orders that have it keep it.", size=name_of(size, "label")), "success")  # fmt: skip
    except NotFound:
        raise
    except ShopError as error:
        flash(told(error), "error")
    return back(code)


def withdraw_question(size: Variant) -> str:
    return _("Withdraw the size %(size)s? Nobody can order it then.", size=name_of(size, "label"))


@bp.post("/listings/<code>/schedule")
@permitted(CatalogPermission.GOODS_WRITE)
def schedule(actor: Actor, code: str) -> Any:
    """When a draft goes on sale by itself, or not by itself; or now."""
    product = queries.get_product(reading(), actor.merchants(CatalogPermission.GOODS_WRITE), code)
    try:
        if sent.word("do") == "now":
            for error in perform(operations.publish, actor, [code]).refused.values():
                raise error
            flash(_("%(goods)s is on sale.", goods=name_of(product)), "success")
        else:
            moment = None if sent.word("do") == "never" else moment_of(sent.word("day"), sent.word("time"))
            perform(operations.schedule, actor, code, moment)
            flash(_("Saved."), "success")
    except NotFound:
        raise
    except ShopError as error:
        errors = {"day": told(error)} if isinstance(error, MomentNotUnderstood) else {}
        return listing_page(actor, product, errors=errors, trouble=told(error)), error.status
    return back(code)


def moment_of(day: str, time: str) -> datetime:
    """A day and a time as the browser's fields say them. Raises `MomentNotUnderstood`."""
    on, at = gate.day(day), gate.time_of_day(time or USUAL_TIME)
    if on is None or at is None:
        raise MomentNotUnderstood()
    return clock.at(on, at)


def back(code: str) -> Response:
    return redirect(url_for("merchant.listing", code=code), 303)
