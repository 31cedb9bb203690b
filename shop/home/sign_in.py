"""Signing in by phone and code. It stands on this floor because it joins the person, the place and, later, the cart."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask import session as cookie
from flask_babel import gettext as _
from flask_babel import ngettext

from shop.accounts import browser, credentials, operations, rules
from shop.accounts.errors import CodeSentRecently
from shop.accounts.forms import CodeForm, PhoneForm
from shop.accounts.views import preferences
from shop.accounts.views.me import bp, way_back
from shop.cart import browser as cart_browser
from shop.cart.rules import Merged
from shop.cart.views import no_room_for
from shop.communities import current
from shop.kernel import clock, ids
from shop.kernel.db import perform
from shop.kernel.errors import ShopError
from shop.kernel.identifiers import phone_number
from shop.kernel.text import mask_phone
from shop.models.accounts import CodePurpose, SessionKind
from shop.platform import limits
from shop.platform.access import open_to_everyone
from shop.platform.actor import Actor
from shop.platform.http import told
from shop.platform.language import reader_locale

# The number waiting for its code, where to go afterwards, and what this browser alone has, so that the code is its own.
# In the signed cookie: a number does not belong into an address.
PENDING = "sign_in"


@bp.get("/sign-in")
@open_to_everyone
def sign_in(actor: Actor) -> Any:
    if actor.is_signed_in:
        return redirect(way_back(), 303)
    return render_template("accounts/sign_in.html", form=PhoneForm(), next=way_back(), has_ended=browser.has_ended(actor))


@bp.post("/sign-in")
@open_to_everyone
@limits.asking_for_codes
def send_code(actor: Actor) -> Any:
    """Send a code, also when nobody has the number yet; again from the code's page."""
    form = PhoneForm()
    try:
        if form.validate():
            phone = phone_number(form.phone.data)
            wait = int(rules.RESEND_AFTER.total_seconds())
            secret = cookie.get(PENDING, {}).get("browser") or ids.secret()
            try:
                perform(operations.request_code, phone, CodePurpose.SIGN_IN, reader_locale(), browser.asker_here(phone, secret))
            except CodeSentRecently as error:  # a double click, or impatience: the code is on its way
                flash(told(error), "info")
                wait = int(error.details["seconds"])
            again_at = int(clock.now().timestamp()) + wait
            cookie[PENDING] = {"phone": phone, "next": way_back(), "again_at": again_at, "browser": secret}
            return redirect(url_for("accounts.enter_code"), 303)
    except ShopError as error:
        form.show(error)
        return render_template("accounts/sign_in.html", form=form, next=way_back()), error.status
    return render_template("accounts/sign_in.html", form=form, next=way_back()), 422


@bp.get("/sign-in/code")
@open_to_everyone
def enter_code(actor: Actor) -> Any:
    pending = cookie.get(PENDING)
    if actor.is_signed_in or pending is None:
        return redirect(url_for("accounts.sign_in"), 303)
    return code_page(CodeForm(), pending)


@bp.post("/sign-in/code")
@open_to_everyone
@limits.trying_codes
def use_code(actor: Actor) -> Any:
    """Right: a new session under a new secret, whatever the browser held before. Wrong: counted in the database."""
    pending = cookie.get(PENDING)
    if pending is None:
        return redirect(url_for("accounts.sign_in"), 303)
    form = CodeForm()
    try:
        if form.validate():
            place = current.current_point(actor)
            tokens = credentials.sign_in(
                pending["phone"], form.code.data, SessionKind.WEB, rules.device_name(request.user_agent.string),
                choices=preferences.chosen_here(place.id if place else None),
                asker=browser.asker_here(pending["phone"], pending.get("browser", "")),
            )  # fmt: skip
            meant, onward = cart_browser.meant(), rules.local_path(pending["next"])
            actor = browser.remember(tokens.access)
            say_what_joined(cart_browser.bring_along(actor.signed_in_id(), sets_aside=is_to_pay(onward)), onward)
            if meant and cart_browser.carry_out(actor.signed_in_id(), meant) < len(meant):
                flash(_("Your cart was changed elsewhere in the meantime, so not all you pressed was done. Please look at it."), "warn")
            answer = preferences.keep_look(redirect(onward, 303), actor)
            return browser.keep_known(answer, pending["phone"])
    except ShopError as error:
        form.show(error)
        return code_page(form, pending), error.status
    return code_page(form, pending), 422


def is_to_pay(onward: str) -> bool:
    """Whether somebody signs in on the way to paying: then they pay what they saw, and what lay in their cart before is set aside."""
    return onward.partition("?")[0] == url_for("checkout.show")


def say_what_joined(merged: Merged, onward: str) -> None:
    """What signing in has made of two carts. On the way to paying, the checkout itself shows what lay there before."""
    if merged.left_out:
        flash(no_room_for(merged.left_out), "warn")
    if merged.joined and merged.earlier and not is_to_pay(onward):
        flash(
            ngettext(
                "What you chose here joined %(num)s kind that was in your cart before.",
                "What you chose here joined %(num)s kinds that were in your cart before.",
                merged.earlier,
            ),
            "info",
        )


def code_page(form: CodeForm, pending: dict[str, Any]) -> str:
    phone = pending["phone"]
    wait = max(pending.get("again_at", 0) - int(clock.now().timestamp()), 0)
    return render_template(
        "accounts/enter_code.html", form=form, phone=phone, masked=mask_phone(phone), next=pending["next"], wait=wait
    )
