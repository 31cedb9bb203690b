"""The page of what somebody likes, and the press on a heart. Both work without script."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from shop.accounts.rules import local_path
from shop.catalog.views import arriving_for, card_grid
from shop.communities.current import current_point
from shop.favourites import hearts, operations, queries
from shop.kernel.db import perform, reading
from shop.kernel.errors import ShopError
from shop.platform.access import open_to_everyone, signed_in
from shop.platform.actor import Actor
from shop.platform.asked import address, came_from, sent
from shop.platform.http import told
from shop.platform.language import name_of
from shop.platform.slots import Shown

bp = Blueprint("favourites", __name__)


@bp.get("/favourites")
@signed_in
def list_mine(actor: Actor) -> str:
    kept, next_before = queries.list_mine(reading(), actor, arriving_for(actor), address.place())
    cards = [each.card for each in kept if each.card is not None]
    return render_template(
        "favourites/list.html", grid=card_grid(cards, current_point(actor), level=2), gone=[each for each in kept if each.card is None],
        next_before=next_before,
    )  # fmt: skip


@bp.post("/favourites")
@open_to_everyone
def press(actor: Actor) -> Any:
    """Like the product named as `keep`, or no longer the one named as `drop`. Signed out, it leads to signing in and back."""
    is_htmx = "HX-Request" in request.headers
    if not actor.is_signed_in:
        flash(_("Sign in to keep favourites."), "info")
        onward = url_for("accounts.sign_in", next=way_back())
        return ("", 200, {"HX-Redirect": onward}) if is_htmx else redirect(onward, 303)
    wanted, unwanted = sent.word("keep"), sent.word("drop")
    shown, tone = None, "good"
    try:
        if wanted:
            perform(operations.keep, actor, wanted)
            said = _("It is in your favourites.")
        else:
            perform(operations.drop, actor, unwanted)
            said = _("It is no favourite any more.")
        product_id, name = queries.named(reading(), wanted or unwanted)
        shown = Shown(product_id, wanted or unwanted, name_of(name))
    except ShopError as error:
        said, tone = told(error), "warn"
    if is_htmx:
        is_kept = shown is not None and shown.product_id in hearts.kept_by(actor)
        return render_template("favourites/_pressed.html", said=said, tone=tone, shown=shown, is_kept=is_kept)
    flash(said, tone)
    return redirect(way_back(), 303)


def way_back() -> str:
    """Where the heart was pressed; the favourites when the browser does not say."""
    before = came_from()
    if before.netloc != request.host:
        return url_for("favourites.list_mine")
    return local_path(f"{before.path}?{before.query}" if before.query else before.path, url_for("favourites.list_mine"))
