"""Home and life: what can I have by when, what waits, what is due, what is good today."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from shop.catalog import queries as catalog
from shop.catalog.views import arriving_for, card_grid
from shop.communities.current import current_point
from shop.home.queries import Waiting, waiting_for
from shop.kernel import clock
from shop.kernel.db import reading
from shop.platform.access import open_to_everyone
from shop.platform.actor import Actor

bp = Blueprint("home", __name__)
life = Blueprint("life", __name__)


@bp.app_template_global()
def waiting_now(actor: Actor) -> Waiting:
    """What waits for the reader, for pages that lead there."""
    return waiting_for(reading(), actor)


@bp.get("/")
@open_to_everyone
def index(actor: Actor) -> str:
    session, here = reading(), current_point(actor)
    arriving = arriving_for(actor)
    season = catalog.list_cards(session, catalog.Wanted(in_season=True, limit=8), arriving)
    daily = catalog.list_cards(session, catalog.Wanted(all_year=True, limit=12), arriving)
    soonest = min(arriving.values(), key=lambda arrival: arrival.cut_off_at, default=None)
    return render_template(
        "home/index.html", arrival=soonest, seconds_left=int((soonest.cut_off_at - clock.now()).total_seconds()) if soonest else 0,
        closes_together=len({arrival.cut_off_at for arrival in arriving.values()}) == 1,
        waiting=waiting_for(session, actor), season=card_grid(season.cards, here), daily=card_grid(daily.cards, here, eager=0),
        categories=catalog.categories(session), asks_about_size="elder_mode" not in request.cookies and not actor.elder_mode,
    )  # fmt: skip


@life.get("/life", endpoint="index")
@open_to_everyone
def life_page(actor: Actor) -> str:
    return render_template("home/life.html", waiting=waiting_for(reading(), actor))
