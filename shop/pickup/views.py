"""My passes: the code to say, the QR code to show, and what is ready from whom."""

from __future__ import annotations

from typing import Any

import segno
from flask import Blueprint, render_template
from markupsafe import Markup

from shop.catalog.views import picture_url
from shop.communities.queries import directory
from shop.kernel import clock
from shop.kernel.db import reading
from shop.kernel.errors import NotFound
from shop.pickup import codes, visits
from shop.pickup.visits import Visit
from shop.platform.access import signed_in
from shop.platform.actor import Actor

bp = Blueprint("pickup", __name__)


@bp.get("/pickup")
@signed_in
def passes(actor: Actor) -> Any:
    session = reading()
    found = visits.live_of(session, actor.signed_in_id())
    return render_template("pickup/passes.html", visits=found, coming=visits.coming(session, actor.signed_in_id()), **drawings())


@bp.get("/pickup/<ref>")
@signed_in
def show(actor: Actor, ref: str) -> Any:
    """One pass, also after it was used: what was collected when."""
    visit = visits.one_of(reading(), actor.signed_in_id(), ref)
    if visit is None:
        raise NotFound()
    return render_template("pickup/pass.html", visit=visit, **drawings())


def drawings() -> dict[str, Any]:
    """What every drawing of a pass needs."""
    return {"points": directory(reading()).points_by_id, "qr_of": qr_of, "picture_url": picture_url, "now": clock.now()}


def qr_of(visit: Visit) -> Markup:
    """The QR code of a pass as a drawing."""
    drawn = segno.make(codes.qr_text(visit.ref, visit.valid_until, clock.now()), error="m", micro=False, boost_error=False)
    return Markup(drawn.svg_inline(border=2, omitsize=True))  # noqa: S704  (made here, of letters and figures only)
