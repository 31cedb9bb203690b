"""The cart's pages. They work signed out and without script."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from shop.accounts import browser as sessions
from shop.accounts.rules import local_path
from shop.cart import browser, operations, queries
from shop.cart.forms import ChangeForm, PutForm
from shop.cart.rules import MOST_LINES, CartItem, CartOwner, CartView, LineProblem
from shop.catalog.views import picture_url
from shop.communities.current import current_point
from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.kernel.errors import ShopError
from shop.platform.access import open_to_everyone, signed_in
from shop.platform.actor import Actor
from shop.platform.asked import came_from, sent
from shop.platform.http import told
from shop.platform.language import name_of

bp = Blueprint("cart", __name__)

MOST_NAMED = 10


def present(actor: Actor, owner: CartOwner | None) -> CartView:
    """The cart for the reader's pick-up point."""
    here = current_point(actor)
    return queries.view(reading(), owner, here.id if here else None)


@bp.get("/cart")
@open_to_everyone
def show(actor: Actor) -> Any:
    cart = present(actor, browser.owner(actor))
    return render_template(
        "cart/show.html", cart=cart, now=clock.now(), picture_url=picture_url, left_here=queries.kinds(reading(), browser.left_here(actor)),
        has_ended=sessions.has_ended(actor),
    )  # fmt: skip


@bp.post("/cart")
@open_to_everyone
def put(actor: Actor) -> Any:
    """Put so many more into the cart: product cards and product pages. Script that stays on its page is told in a fragment."""
    form = PutForm()
    owner, said, tone, has_ended = browser.owner(actor), _("Please enter a quantity of at least 1."), "danger", False
    try:
        if form.validate() and form.go.data == "now":  # bought straight away, past the cart
            return redirect(url_for("checkout.show", buy=form.variant.data, quantity=form.quantity.data), 303)
        if form.validate():
            owner = browser.owner_to_fill(actor)
            perform(operations.add_line, owner, form.variant.data, form.quantity.data)
            said, tone = _("It is in your cart."), "good"
            if has_ended := sessions.note_ended(actor):
                said, tone = _("You have been signed out here. It is kept on this device and joins your cart when you sign in."), "warn"
    except ShopError as error:
        said = told(error)
    if "HX-Request" in request.headers:
        return render_template("cart/_put.html", said=said, tone=tone, count=queries.count(reading(), owner), has_ended=has_ended)
    flash(said, tone)
    return redirect(url_for("cart.show") if form.go.data == "cart" else way_back(), 303)


@bp.post("/cart/lines")
@open_to_everyone
def change(actor: Actor) -> Any:
    """Let exactly so many lie in the cart: the steppers of the cart's page. Pressed twice by mistake, it counts once.

    What was pressed on the page of somebody who is signed out by now is kept until they have signed in again.
    """
    form = ChangeForm()
    try:
        if not form.validate() or form.wanted is None:
            flash(form.complaint, "error")
        elif form.mine.data and not actor.is_signed_in:
            browser.mean(form.variant.data, form.wanted, form.seen.data)
            return to_sign_in()
        else:
            owner = browser.owner_to_fill(actor)
            before = next((item for item in queries.items(reading(), owner, None) if item.code == form.variant.data), None)
            perform(operations.set_line, owner, form.variant.data, form.wanted, seen=form.seen.data)
            if before is not None and form.wanted == 0:
                flash(removal(before), "info")
    except ShopError as error:
        flash(told(error), "error")
    if "HX-Request" in request.headers and not queries.count(reading(), browser.owner(actor)):
        return "", 200, {"HX-Redirect": url_for("cart.show")}  # a whole page: the sum at its foot goes with the last thing
    return redirect(url_for("cart.show"), 303)


def to_sign_in() -> Any:
    """Say that the session has ended, and lead back here through signing in."""
    flash(_("You have been signed out here. Sign in again: what you just pressed is then done."), "warn")
    onward = url_for("accounts.sign_in", next=url_for("cart.show"))
    if "HX-Request" in request.headers:
        return "", 200, {"HX-Redirect": onward}
    return redirect(onward, 303)


@bp.post("/cart/choose")
@open_to_everyone
def choose(actor: Actor) -> Any:
    """Tick those of the shown lines that are sent as chosen, untick the rest: only what is ticked is ordered."""
    shown = set(sent.each("shown", most=MOST_LINES))
    chosen = shown & set(sent.each("chosen", most=MOST_LINES))
    if sent.is_on("mine") and not actor.is_signed_in:
        return to_sign_in()
    owner = browser.owner(actor)
    if owner is not None:
        perform(operations.choose, owner, chosen, True)
        perform(operations.choose, owner, shown - chosen, False)
    return redirect(local_path(sent.path(), url_for("cart.show")), 303)


@bp.post("/cart/join")
@signed_in
def join(actor: Actor) -> Any:
    """Bring over what found no room in the person's cart at sign-in, as far as there is room now."""
    merged = browser.bring_along(actor.signed_in_id())
    if merged.left_out:
        flash(no_room_for(merged.left_out), "warn")
    return redirect(url_for("cart.show"), 303)


def no_room_for(kinds: int) -> str:
    return ngettext(
        "A cart holds 100 kinds. %(num)s kind from this device found no room; it waits here until there is some.",
        "A cart holds 100 kinds. %(num)s kinds from this device found no room; they wait here until there is some.",
        kinds,
    )


def removal(item: CartItem) -> Any:
    """What is said of goods that were taken out; while they are on sale with a button that puts as many back."""
    text = _("%(name)s is out of your cart.", name=name_of(item))
    if not item.is_on_sale:
        return text
    return {"text": text, "undo": url_for("cart.change"), "fields": {"variant": item.code, "quantity": item.quantity}}


@bp.post("/cart/repair")
@open_to_everyone
def repair(actor: Actor) -> Any:
    """In one press: take what is left of each kind, leave out what cannot be had."""
    owner = browser.owner(actor)
    if owner is not None:
        short = [item for item in present(actor, owner).chosen if item.problem is not None]
        left = {item.code: 0 if item.problem is LineProblem.NOT_DELIVERED else item.orderable for item in short}
        perform(operations.repair, owner, left)
        gone = [name_of(item) for item in short if not left[item.code]]
        if gone:
            flash(_("The cart now holds what can be had. Left out: %(names)s.", names=_(", ").join(gone[:MOST_NAMED])), "success")
        else:
            flash(_("The cart now holds what can be had."), "success")
    return redirect(local_path(sent.path(), url_for("cart.show")), 303)


def way_back() -> str:
    """Where the button was pressed; the cart when the browser does not say."""
    before = came_from()
    if before.netloc != request.host:
        return url_for("cart.show")
    return local_path(f"{before.path}?{before.query}" if before.query else before.path, url_for("cart.show"))
