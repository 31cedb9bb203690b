"""Home and life: what can I have by when, what waits, what is due, what is good today."""

from __future__ import annotations

from flask import Blueprint, current_app, render_template, request, url_for

from shop.catalog import queries as catalog
from shop.catalog.views import arriving_for, card_grid
from shop.communities.current import current_point
from shop.home.queries import Waiting, waiting_for
from shop.kernel import clock
from shop.kernel.db import reading
from shop.platform.access import open_to_everyone
from shop.platform.actor import Actor
from shop.platform.features import registry
from shop.platform.language import gettext as _
from shop.platform.language import reader_locale, words
from shop.platform.sharing import LANGUAGES, Facts, Share, public_url, spoken_url

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
        categories=catalog.categories(session), share=home_share(),
        asks_about_size="elder_mode" not in request.cookies and not actor.elder_mode,
    )  # fmt: skip


def home_share() -> Share:
    """The shop as a whole. What is said of it never changes while the shop runs."""
    text = _("Fresh goods from the shops, market halls and growers around Neijiang: order at home, collect downstairs.")
    return Share(text, title=_("Linli, the neighbourhood's shop"), facts=home_facts, follows_from=("the shop",))


def home_facts() -> tuple[Facts, ...]:
    """Who runs the shop, what it is called, and how it is searched."""
    home, search = spoken_url("home.index"), spoken_url("catalog.search", q="-")
    name = _("Linli")
    shop = {"@type": "Organization", "@id": f"{home}#shop", "name": name, "url": home, "logo": public_url(asset("img/app-icons/512.png"))}
    finding = {
        "@type": "SearchAction", "query-input": "required name=search_term_string",
        "target": {"@type": "EntryPoint", "urlTemplate": search.replace("q=-", "q={search_term_string}")},
    }  # fmt: skip
    site = {"@type": "WebSite", "name": name, "url": home, "inLanguage": LANGUAGES[reader_locale()], "publisher": {"@id": f"{home}#shop"}}
    return shop, {**site, "potentialAction": finding}


def asset(path: str) -> str:
    return str(current_app.extensions["assets"](path))


@life.get("/life", endpoint="index")
@open_to_everyone
def life_page(actor: Actor) -> str:
    pages = registry.life_pages()
    brought = [(words(page.title), url_for(page.endpoint), page.icon, words(page.note) if page.note else "") for page in pages]
    return render_template("home/life.html", waiting=waiting_for(reading(), actor), brought=brought)
