"""Setting up one's first authenticator: for who was given a role at a shop and has never confirmed with one."""

from __future__ import annotations

from typing import Any

import segno
from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.wrappers import Response

from shop.accounts import credentials, operations, queries, rules
from shop.accounts.forms import CodeForm
from shop.kernel.db import perform, reading
from shop.kernel.errors import ShopError
from shop.kernel.text import mask_phone
from shop.models.accounts import CodePurpose
from shop.platform import limits
from shop.platform.access import signed_in
from shop.platform.actor import Actor
from shop.platform.http import told
from shop.platform.language import reader_locale

bp = Blueprint("authenticator", __name__)


@bp.get("/me/authenticator")
@signed_in
def show(actor: Actor) -> str:
    """What it is for, and whether there is something to set up."""
    return page(actor, CodeForm())


def page(actor: Actor, form: CodeForm, **values: Any) -> str:
    facts = {
        "secret": "",
        "qr": "",
        "can_be_set_up": queries.can_set_up_authenticator(reading(), actor),
        "phone": mask_phone(actor.phone),
        **values,
    }
    return render_template("accounts/authenticator.html", form=form, **facts)


@bp.post("/me/authenticator/code")
@signed_in
def send_code(actor: Actor) -> Response:
    """A code by text message: who sets up an authenticator shows that the number is theirs."""
    try:
        perform(operations.request_code, actor.phone, CodePurpose.STEP_UP, reader_locale(), rules.person(actor.signed_in_id()))
        flash(_("The code is on its way."), "success")
    except ShopError as error:
        flash(told(error), "error")
    return redirect(url_for("authenticator.show"), 303)


@bp.post("/me/authenticator")
@signed_in
@limits.trying_codes
def set_up(actor: Actor) -> Any:
    """With the right code: the secret, shown this once."""
    form = CodeForm()
    try:
        if form.validate():
            credentials.use_code(actor.phone, form.code.data, CodePurpose.STEP_UP, rules.person(actor.signed_in_id()))
            made = perform(operations.set_up_second_factor, actor)
            drawn = segno.make(made.uri, error="m", micro=False, boost_error=False).svg_inline(border=2, omitsize=True)
            qr = Markup(drawn)  # noqa: S704  (drawn here)
            return page(actor, form, secret=made.secret, qr=qr), 200, {"Cache-Control": "no-store"}
    except ShopError as error:
        form.show(error)
    return page(actor, form), 422
