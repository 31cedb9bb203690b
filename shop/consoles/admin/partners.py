"""How partners answer and what waits for them, and the one thing to do about it: have a silent one asked again now."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, url_for
from werkzeug.wrappers import Response

from shop.consoles.admin.views import REASON, bp, page
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound, ShopError
from shop.platform import backlog
from shop.platform import partners as breakers
from shop.platform.access import permitted
from shop.platform.actor import Actor
from shop.platform.asked import sent
from shop.platform.features import registry
from shop.platform.http import told
from shop.platform.language import gettext as _
from shop.platform.permissions import PlatformPermission


@bp.get("/partners")
@permitted(PlatformPermission.PARTNER_READ)
def partners(actor: Actor) -> Any:
    """Every partner, those in trouble first, and every lane with something in it."""
    return page("partners", actor, "partners", overview=backlog.overview(reading()))


@bp.post("/partners/<name>/ask")
@permitted(PlatformPermission.PARTNER_ASK)
def ask_partner(actor: Actor, name: str) -> Response:
    """Have a silent partner asked again now. Asking pays nothing again: what was under way is inquired about first."""
    called = {known.name: known.words for known in registry.partners(reading())}.get(name)
    if called is None:
        raise NotFound()
    try:
        reason = sent.text("reason", REASON)
        if not reason:
            flash(_("Please say why, in a few words."), "error")
        elif perform(breakers.ask_again, actor, name, reason):
            flash(_("%(partner)s is being asked again. What waited longest is due now.", partner=called), "success")
        else:
            flash(_("%(partner)s is asked already. Nothing was changed.", partner=called), "info")
    except ShopError as error:
        flash(told(error), "error")
    return redirect(url_for("admin.partners"), 303)
