"""Pictures of a product: send photos, see how far they are, put the best one first, say what is seen, take one off."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, url_for
from werkzeug.wrappers import Response

from shop.catalog.permissions import CatalogPermission
from shop.catalog.pictures import MAX_BYTES, REFUSALS, small
from shop.consoles.merchant.here import page
from shop.consoles.merchant.views import bp
from shop.kernel import gate, ids
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound, ShopError
from shop.listings import operations, queries
from shop.listings.operations import LONGEST_ALT
from shop.listings.queries import MOST_PICTURES
from shop.platform.access import permitted
from shop.platform.actor import Actor
from shop.platform.asked import sent, uploads
from shop.platform.bodies import takes
from shop.platform.http import told
from shop.platform.language import gettext as _
from shop.platform.language import name_of, ngettext, words
from shop.platform.sure import ask_first

BESIDE_THE_PHOTOS = 32 * 1024
MOST_SENT = MAX_BYTES + BESIDE_THE_PHOTOS
"""One photo as a phone takes it, or all of them as the page's script makes them smaller."""

FIELD = "picture"
SENTENCES = {refusal.code: refusal.message for refusal in REFUSALS}


@bp.get("/listings/<code>/pictures")
@permitted(CatalogPermission.GOODS_WRITE)
def pictures(actor: Actor, code: str) -> Any:
    return pictures_page(actor, code)


def pictures_page(actor: Actor, code: str, trouble: str = "") -> str:
    product = queries.get_product(reading(), actor.merchants(CatalogPermission.GOODS_WRITE), code)
    return page(
        "pictures", actor, "listings", product=product, pictures=queries.pictures_of(reading(), product.id), small=small,
        most=MOST_PICTURES, longest=LONGEST_ALT, why=why, once=ids.secret(), trouble=trouble,
    )  # fmt: skip


def why(refusal: str) -> str:
    """The sentence of a refusal that a job wrote down."""
    return words(SENTENCES.get(refusal, REFUSALS[0].message))


@bp.post("/listings/<code>/pictures")
@takes(most_bytes=MOST_SENT)
@permitted(CatalogPermission.GOODS_WRITE)
def bring_pictures(actor: Actor, code: str) -> Any:
    """Keep the photos; a job makes pictures of them. The page's own number makes it happen once."""
    try:
        count = perform(operations.bring_pictures, actor, code, uploads(FIELD, MOST_PICTURES, MAX_BYTES), sent.word("once") or ids.secret())
    except NotFound:
        raise
    except ShopError as error:
        return pictures_page(actor, code, told(error)), error.status
    if count:
        flash(
            ngettext("%(num)s photo is here. It is being made ready.", "%(num)s photos are here. They are being made ready.", count),
            "success",
        )
    return back(code)


@bp.post("/listings/<code>/pictures/said")
@permitted(CatalogPermission.GOODS_WRITE)
def say_of_pictures(actor: Actor, code: str) -> Any:
    """The order and what is seen on each; the button that was pressed moves one picture."""
    order = sent.numbers("shown", MOST_PICTURES)
    move, _dash, which = sent.word("move").partition("-")
    moved = gate.number(which, 1)
    if moved in order:
        order = rearranged(order, moved, move)
    try:
        alts = {one: (sent.text(f"alt_zh-{one}", LONGEST_ALT), sent.text(f"alt_en-{one}", LONGEST_ALT)) for one in order}
        perform(operations.say_of_pictures, actor, code, order, alts)
    except NotFound:
        raise
    except ShopError as error:
        return pictures_page(actor, code, told(error)), error.status
    flash(_("Saved."), "success")
    return back(code)


def rearranged(order: list[int], moved: int, move: str) -> list[int]:
    """The order with one picture moved: to the front, one earlier, or one later."""
    place = order.index(moved)
    rest = [one for one in order if one != moved]
    place = {"first": 0, "earlier": max(place - 1, 0), "later": place + 1}.get(move, place)
    return [*rest[:place], moved, *rest[place:]]


@bp.post("/listings/<code>/pictures/<id:picture_id>/remove")
@permitted(CatalogPermission.GOODS_WRITE)
def remove_picture(actor: Actor, code: str, picture_id: int) -> Any:
    product = queries.get_product(reading(), actor.merchants(CatalogPermission.GOODS_WRITE), code)
    if asked := ask_first(remove_question(name_of(product)), yes=_("Remove it"), back=url_for("merchant.pictures", code=code)):
        return asked
    if perform(operations.remove_picture, actor, code, picture_id):
        flash(_("The picture was removed."), "success")
    return back(code)


def remove_question(name: str) -> str:
    return _("Remove this picture of %(goods)s?", goods=name)


def back(code: str) -> Response:
    return redirect(url_for("merchant.pictures", code=code), 303)
