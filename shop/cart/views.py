"""The cart's pages. They work signed out and without script."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from shop.accounts.rules import local_path
from shop.cart import browser, operations, queries
from shop.cart.forms import ChangeForm, PutForm
from shop.cart.rules import CartItem, CartOwner, CartView, Problem
from shop.catalog.views import picture_url
from shop.communities.current import current_point
from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.kernel.errors import ShopError
from shop.platform.access import open_to_everyone
from shop.platform.actor import Actor
from shop.platform.http import told
from shop.platform.language import name_of

bp = Blueprint("cart", __name__)


def present(actor: Actor, owner: CartOwner | None) -> CartView:
    """The cart for the reader's pick-up point."""
    here = current_point(actor)
    return queries.view(reading(), owner, here.id if here else None)


@bp.get("/cart")
@open_to_everyone
def show(actor: Actor) -> Any:
    cart = present(actor, browser.owner(actor))
    return render_template("cart/show.html", cart=cart, now=clock.now(), picture_url=picture_url)


@bp.post("/cart")
@open_to_everyone
def put(actor: Actor) -> Any:
    """Put so many more into the cart: product cards and product pages. Script that stays on its page is told in a fragment."""
    form = PutForm()
    owner, said, tone = browser.owner(actor), _("Please enter a quantity of at least 1."), "danger"
    try:
        if form.validate():
            owner = browser.owner_to_fill(actor)
            perform(operations.add_line, owner, form.variant.data, form.quantity.data)
            said, tone = _("It is in your cart."), "good"
    except ShopError as error:
        said = told(error)
    if "HX-Request" in request.headers:
        return render_template("cart/_put.html", said=said, tone=tone, count=queries.count(reading(), owner))
    flash(said, tone)
    return redirect(url_for("cart.show") if form.go.data == "cart" else way_back(), 303)


@bp.post("/cart/lines")
@open_to_everyone
def change(actor: Actor) -> Any:
    """Let exactly so many lie in the cart: the steppers of the cart's page. Pressed twice by mistake, it counts once."""
    form = ChangeForm()
    try:
        if form.validate():
            owner = browser.owner_to_fill(actor)
            before = next((item for item in queries.items(reading(), owner, None) if item.code == form.variant.data), None)
            perform(operations.set_line, owner, form.variant.data, form.quantity.data)
            if before is not None and form.quantity.data == 0:
                flash(removal(before), "info")
        else:
            flash(_("Please check what you entered."), "error")
    except ShopError as error:
        flash(told(error), "error")
    if "HX-Request" in request.headers and not queries.count(reading(), browser.owner(actor)):
        return "", 200, {"HX-Redirect": url_for("cart.show")}  # a whole page: the sum at its foot goes with the last thing
    return redirect(url_for("cart.show"), 303)


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
        left = {
            item.code: 0 if item.problem is Problem.NOT_DELIVERED else item.orderable
            for item in present(actor, owner).items
            if item.problem is not None
        }
        perform(operations.repair, owner, left)
        flash(_("The cart now holds what can be had."), "success")
    return redirect(local_path(request.form.get("next"), url_for("cart.show")), 303)


def way_back() -> str:
    """Where the button was pressed; the cart when the browser does not say."""
    came_from = urlsplit(request.referrer or "")
    if came_from.netloc != request.host:
        return url_for("cart.show")
    return local_path(f"{came_from.path}?{came_from.query}" if came_from.query else came_from.path, url_for("cart.show"))
