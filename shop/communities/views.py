"""Choosing a community and its pick-up point."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from shop.accounts import operations as accounts
from shop.accounts.views.me import way_back
from shop.accounts.views.preferences import keep
from shop.communities import current, queries
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound
from shop.platform.access import open_to_everyone
from shop.platform.actor import Actor
from shop.platform.asked import address, sent
from shop.platform.language import name_of
from shop.platform.sharing import Share

bp = Blueprint("communities", __name__)


@bp.get("/communities")
@open_to_everyone
def choose(actor: Actor) -> str:
    """All communities with their points; `?q=` narrows by name, street or place."""
    wanted = address.text("q", 40)
    communities = queries.matching(queries.directory(reading()), wanted)
    return render_template(
        "communities/choose.html", communities=communities, wanted=wanted, chosen=current.current_point(actor),
        next=way_back(url_for("home.index")),
        share=Share(_("Where Linli delivers: every community and pick-up point with its place, hours and telephone."), is_found=not wanted),
    )  # fmt: skip


@bp.post("/communities")
@open_to_everyone
def take(actor: Actor) -> Response:
    """Collect at a point from now on: kept with the account, or signed out in a cookie."""
    point = queries.directory(reading()).points_by_slug.get(sent.word("point"))
    if point is None or not point.is_open:
        raise NotFound("point")
    if actor.is_signed_in:
        perform(accounts.choose_point, actor, point.id)
    flash(_("You now collect at %(point)s.", point=name_of(point)), "success")
    answer = redirect(way_back(), 303)
    keep(answer, current.COOKIE, point.slug)
    return answer
