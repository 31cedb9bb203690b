"""One's own page, the sessions, the second factor, signing out."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from shop.accounts import browser, credentials, operations, queries, rules
from shop.accounts.errors import SecondFactorNotSetUp
from shop.accounts.forms import NameForm, SecondFactorForm
from shop.kernel.db import perform, reading
from shop.kernel.errors import ShopError, SignInRequired
from shop.kernel.text import mask_phone
from shop.platform import limits, notices
from shop.platform.access import SecondFactorRequired, open_to_everyone, opens, signed_in
from shop.platform.actor import Actor
from shop.platform.asked import address, sent
from shop.platform.features import registry
from shop.platform.http import Answer, answer_refusal, this_page, wants_problem
from shop.platform.language import words

bp = Blueprint("accounts", __name__)

CONSOLES = {"merchant": "merchant.today", "station": "station.today", "admin": "admin.today"}


def way_back(otherwise: str = "/") -> str:
    """Where the reader wanted to go: the `next` of the form or the address, if it is a place of ours."""
    return rules.local_path(sent.path() or address.path(), otherwise)


@bp.get("/me")
@signed_in
def me(actor: Actor) -> Any:
    chosen = "" if actor.display_name == mask_phone(actor.phone) else actor.display_name  # what stands for a name is none to go on from
    return me_page(actor, NameForm(display_name=chosen))


@bp.post("/me")
@signed_in
def rename(actor: Actor) -> Any:
    form = NameForm()
    try:
        if form.validate():
            perform(operations.rename, actor, form.display_name.data)
            flash(_("Saved."), "success")
            return redirect(url_for("accounts.me"), 303)
    except ShopError as error:
        form.show(error)
    return me_page(actor, form), 422


def me_page(actor: Actor, form: NameForm) -> str:
    return render_template(
        "accounts/me.html", form=form, phone=mask_phone(actor.phone), devices=queries.my_devices(reading(), actor),
        unread=notices.count_unread(reading(), actor), own_pages=[
            (words(page.title), url_for(page.endpoint), page.icon, words(page.note) if page.note else "") for page in registry.own_pages()
        ],
        consoles=[name for name, door in CONSOLES.items() if opens(actor, door)],
    )  # fmt: skip


@bp.post("/me/sessions/<id:session_id>/revoke")
@signed_in
def revoke(actor: Actor, session_id: int) -> Response:
    perform(operations.revoke, actor, session_id)
    if session_id == actor.session_id:
        browser.forget()
        return redirect("/", 303)
    flash(_("That device has been signed out."), "success")
    return redirect(url_for("accounts.me"), 303)


@bp.get("/me/sessions")
@signed_in
def ask_about_everywhere(actor: Actor) -> str:
    """What signing out everywhere ends, before it is done."""
    return render_template("accounts/sign_out_everywhere.html", devices=queries.my_devices(reading(), actor))


@bp.post("/me/sessions/revoke")
@signed_in
def revoke_everywhere(actor: Actor) -> Response:
    """End all other sessions; with `this_one_too` all."""
    this_one_too = sent.is_on("this_one_too")
    perform(operations.revoke_all, actor, actor.signed_in_id(), keep=None if this_one_too else actor.session_id)
    if this_one_too:
        browser.forget()
        flash(_("You are signed out everywhere."), "success")
        return redirect("/", 303)
    flash(_("All other devices have been signed out."), "success")
    return redirect(url_for("accounts.me"), 303)


@bp.post("/sign-out")
@open_to_everyone
def sign_out(actor: Actor) -> Response:
    perform(operations.sign_out, actor)
    browser.forget()
    flash(_("You are signed out."), "success")
    return redirect("/", 303)


@bp.get("/second-factor")
@signed_in
def second_factor(actor: Actor) -> Any:
    if actor.has_second_factor or not actor.grants:
        return redirect(way_back(), 303)
    return render_template("accounts/second_factor.html", form=SecondFactorForm(), next=way_back())


@bp.post("/second-factor")
@signed_in
@limits.trying_codes
def confirm_second_factor(actor: Actor) -> Any:
    """Right: the session goes on under a new secret. Five times wrong: it ends."""
    form = SecondFactorForm()
    try:
        if form.validate():
            browser.remember(credentials.confirm_second_factor(actor, form.totp.data))
            return redirect(way_back(), 303)
    except SignInRequired:
        browser.forget()
        flash(_("Too many wrong codes. Please sign in again."), "error")
        return redirect(url_for("accounts.sign_in", next=way_back()), 303)
    except SecondFactorNotSetUp as error:
        return answer_refusal(error)
    except ShopError as error:
        form.show(error)
    return render_template("accounts/second_factor.html", form=form, next=way_back()), 422


@bp.app_errorhandler(SecondFactorRequired)
def ask_for_second_factor(error: SecondFactorRequired) -> Answer:
    """Pages lead to the authenticator and back; the API gets the problem."""
    if wants_problem():
        return answer_refusal(error)
    return redirect(url_for("accounts.second_factor", next=this_page()), 303)
