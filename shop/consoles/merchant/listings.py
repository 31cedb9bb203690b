"""A shop's goods: the list, new ones typed at the stall, drafts, and what is put on sale."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import flash, redirect, url_for
from werkzeug.wrappers import Response

from shop.catalog import queries as catalog
from shop.catalog.permissions import CatalogPermission
from shop.catalog.pictures import MAX_BYTES
from shop.catalog.words import MONTHS
from shop.consoles.merchant.here import page, shop_of
from shop.consoles.merchant.pictures import FIELD, MOST_SENT
from shop.consoles.merchant.views import bp
from shop.kernel import clock, ids
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound, ShopError
from shop.listings import fields, operations, queries
from shop.listings.errors import AlreadyPublished, ListingIncomplete
from shop.listings.queries import MOST_PICTURES
from shop.listings.rules import ALLERGENS, UNITS, USUAL
from shop.models.catalog import ProductState
from shop.platform.access import permitted
from shop.platform.actor import Actor
from shop.platform.asked import address, sent, uploads
from shop.platform.bodies import takes
from shop.platform.http import told
from shop.platform.language import gettext as _
from shop.platform.language import name_of, ngettext, reader_locale
from shop.platform.sure import ask_first

SIZES = (50, 100)
TABS = {"draft": ProductState.DRAFT, "on_sale": ProductState.ON_SALE, "off_sale": ProductState.OFF_SALE}


@bp.get("/listings")
@permitted(CatalogPermission.GOODS_WRITE)
def listings(actor: Actor) -> Any:
    """All goods of the shop, the newest first; drafts have ticks."""
    return listings_page(actor, {})


def listings_page(actor: Actor, refused: Mapping[str, str], ticked: tuple[str, ...] = ()) -> str:
    shop = shop_of(actor, CatalogPermission.GOODS_WRITE)
    tab, size, text = address.choice("tab", TABS), address.size(SIZES), address.text("q", 60)
    rows, following = queries.list_products(reading(), shop.id, TABS.get(tab), text, address.place(), size)
    return page(
        "listings", actor, "listings", rows=rows, next_cursor=following, tab=tab, q=text, size=size, sizes=SIZES, refused=refused,
        ticked=ticked, state_words=state_words,
    )  # fmt: skip


def state_words(state: ProductState) -> str:
    return {ProductState.DRAFT: _("Draft"), ProductState.ON_SALE: _("On sale"), ProductState.OFF_SALE: _("Off sale")}[state]


@bp.post("/listings/publish")
@permitted(CatalogPermission.GOODS_WRITE)
def publish(actor: Actor) -> Any:
    """Put the ticked drafts on sale; those that are not whole stay ticked and say what is missing."""
    shop_of(actor, CatalogPermission.GOODS_WRITE)
    ticked = sent.each("ticked", most=max(SIZES))
    if not ticked:
        flash(_("Tick the drafts first."), "error")
        return redirect(url_for("merchant.listings", tab="draft"), 303)
    question = ngettext("Put %(num)s product on sale?", "Put %(num)s products on sale?", len(ticked))
    if asked := ask_first(question, yes=_("Put on sale"), is_grave=False, back=url_for("merchant.listings", tab="draft")):
        return asked
    found = perform(operations.publish, actor, ticked)
    if found.done:
        flash(ngettext("%(num)s product is on sale.", "%(num)s products are on sale.", len(found.done)), "success")
    if found.refused:
        return listings_page(actor, {code: said_of(error) for code, error in found.refused.items()}, tuple(found.refused)), 409
    return redirect(url_for("merchant.listings", tab="draft"), 303)


def said_of(error: ShopError) -> str:
    """A refusal in words; of an unfinished draft which fields are missing."""
    if isinstance(error, ListingIncomplete):
        names, comma = field_names(), "、" if reader_locale() == "zh" else ", "
        return _("Not finished: %(fields)s.", fields=comma.join(names.get(one, one) for one in error.refused))
    return told(error)


def field_names() -> dict[str, str]:
    return {
        "name_zh": _("Product name"), "category": _("Category"), "price": _("Price"), "stock": _("Stock"), "grams": _("Net weight"),
        "unit_zh": _("Size"), "origin_zh": _("Origin"), "selling": _("How it is sold"), "shelf_life": _("Shelf life in days"),
        "barcode": _("Barcode"), "minimum": _("Minimum order"), "multiple": _("In steps of"),
    }  # fmt: skip


def selling_words() -> list[tuple[str, str]]:
    """How goods are sold, in words to choose from."""
    return [
        ("pack", _("by the pack")), ("piece", _("by the piece")), ("weight", _("by weight, weighed when packed")),
        ("weighed_piece", _("by the piece, priced by its weight")),
    ]  # fmt: skip


def month_words() -> list[tuple[str, str]]:
    """The months to choose from, and none."""
    names = [f"{number}月" for number in range(1, 13)] if reader_locale() == "zh" else MONTHS
    return [("", _("all year")), *((str(number), name) for number, name in enumerate(names, start=1))]


def storage_words() -> list[tuple[str, str]]:
    return [("ambient", _("At room temperature")), ("chilled", _("Chilled, 0 to 4 °C")), ("frozen", _("Frozen, −18 °C or colder"))]


def typed_of(limits: Mapping[str, int]) -> dict[str, str]:
    """What a form says, field by field. Raises `UnreadableText`, `TextTooLong`."""
    apart = ("allergens", "description_zh", "description_en")
    found = {name: sent.text(name, limit) for name, limit in limits.items() if name not in apart}
    for name in apart[1:]:
        if name in limits:
            found[name] = fields.lines(sent.raw(name, limits[name] + 1))
    if "allergens" in limits:
        found["allergens"] = "|".join(one for one in sent.each("allergens", most=len(ALLERGENS)) if one in ALLERGENS)
    return found


@bp.get("/products/new")
@permitted(CatalogPermission.GOODS_WRITE)
def new_product(actor: Actor) -> Any:
    """An empty page for new goods; nothing is kept before something is typed."""
    shop = shop_of(actor, CatalogPermission.GOODS_WRITE)
    return draft_page(actor, "", {"origin_zh": queries.last_origin(reading(), shop.id)}, ids.secret())


def draft_page(
    actor: Actor, code: str, typed: Mapping[str, str], once: str, errors: Mapping[str, str] | None = None, trouble: str = ""
) -> str:
    """The page for new goods, or for a draft that is still being typed. What is usual in each category goes along for the script."""
    product = queries.get_product(reading(), actor.merchants(CatalogPermission.GOODS_WRITE), code) if code else None
    usual = {slug: one.words() | {"unit_zh": UNITS[one.selling][0]} for slug, one in USUAL.items()}
    return page(
        "draft", actor, "listings", code=code, typed=typed, once=once, errors=errors or {}, trouble=trouble, usual=json.dumps(usual),
        categories=catalog.categories(reading()), allergens=ALLERGENS, units=json.dumps({key: unit[0] for key, unit in UNITS.items()}),
        pictures=queries.pictures_of(reading(), product.id) if product else None, selling=selling_words(), storages=storage_words(),
        months=month_words(),
    )  # fmt: skip


@bp.post("/products/new")
@takes(most_bytes=MOST_SENT)
@permitted(CatalogPermission.GOODS_WRITE)
def begin_product(actor: Actor) -> Any:
    """Keep what was typed as a draft, once for the page, with its photos; put it on sale if that was pressed."""
    shop = shop_of(actor, CatalogPermission.GOODS_WRITE)
    once = sent.word("once") or ids.secret()
    try:
        typed = typed_of(fields.OF_DRAFT)
        code = perform(operations.save_draft, actor, shop.id, typed, once)
    except NotFound:
        raise
    except ShopError as error:
        return draft_page(actor, "", plainly_typed(), once, trouble=told(error)), error.status
    return go_on(actor, code, typed)


def plainly_typed() -> dict[str, str]:
    """What was typed, for a page that says that it cannot be kept."""
    return {name: sent.raw(name, limit) for name, limit in fields.OF_DRAFT.items()}


@bp.get("/drafts/<code>")
@permitted(CatalogPermission.GOODS_WRITE)
def draft(actor: Actor, code: str) -> Any:
    """A draft as far as it was typed; one that is whole is edited like all goods."""
    product = queries.get_product(reading(), actor.merchants(CatalogPermission.GOODS_WRITE), code)
    found = queries.typed_of(reading(), product.id)
    if found is None:
        return redirect(url_for("merchant.listing", code=code))
    return draft_page(actor, code, found.typed, ids.secret())


@bp.post("/drafts/<code>")
@takes(most_bytes=MOST_SENT)
@permitted(CatalogPermission.GOODS_WRITE)
def save_draft(actor: Actor, code: str) -> Any:
    try:
        typed = typed_of(fields.OF_DRAFT)
        perform(operations.retype_draft, actor, code, typed)
    except NotFound:
        raise
    except AlreadyPublished as error:
        flash(told(error), "error")
        return redirect(url_for("merchant.listing", code=code), 303)
    except ShopError as error:
        return draft_page(actor, code, plainly_typed(), ids.secret(), trouble=told(error)), error.status
    return go_on(actor, code, typed)


def go_on(actor: Actor, code: str, typed: Mapping[str, str]) -> Any:
    """After what was typed is kept: photos, and putting on sale; or a word to the script that saves while somebody types."""
    if sent.word("do") == "typing":
        saved = f"{clock.local(clock.now()):%H:%M}"
        return {"address": url_for("merchant.draft", code=code), "saved": _("Saved as a draft at %(time)s", time=saved)}
    trouble = ""
    if photos := uploads(FIELD, MOST_PICTURES, MAX_BYTES):
        try:
            perform(operations.bring_pictures, actor, code, photos, sent.word("once") or ids.secret())
        except ShopError as error:
            trouble = told(error)
    if trouble:
        return draft_page(actor, code, typed, ids.secret(), {FIELD: trouble}), 422
    if sent.word("do") != "publish":
        flash(_("Saved as a draft. Nobody sees it yet."), "success")
        return redirect(url_for("merchant.draft", code=code), 303)
    found = perform(operations.publish, actor, [code])
    if found.refused:
        refusal = found.refused[code]
        errors = {name: told(one) for name, one in refusal.refused.items()} if isinstance(refusal, ListingIncomplete) else {}
        return draft_page(actor, code, typed, ids.secret(), errors, told(refusal)), refusal.status
    product = queries.get_product(reading(), actor.merchants(CatalogPermission.GOODS_WRITE), code)
    flash(_("%(goods)s is on sale.", goods=name_of(product)), "success")
    return redirect(url_for("merchant.listings"), 303)


@bp.post("/drafts/<code>/drop")
@permitted(CatalogPermission.GOODS_WRITE)
def drop_draft(actor: Actor, code: str) -> Response | Any:
    queries.get_product(reading(), actor.merchants(CatalogPermission.GOODS_WRITE), code)
    if asked := ask_first(_("Throw this draft away?"), yes=_("Throw it away"), back=url_for("merchant.listings", tab="draft")):
        return asked
    try:
        perform(operations.drop_draft, actor, code)
        flash(_("The draft was thrown away."), "success")
    except AlreadyPublished as error:
        flash(told(error), "error")
    return redirect(url_for("merchant.listings", tab="draft"), 303)
