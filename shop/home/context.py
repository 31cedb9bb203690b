"""What every page is given: who reads it, where they are, in which language, large or small, light or dark."""

from __future__ import annotations

from typing import Any, NamedTuple

from flask import Flask, g, has_request_context, request, url_for
from sqlalchemy.exc import SQLAlchemyError

from shop.accounts import rules
from shop.cart import browser as cart_browser
from shop.communities.current import current_point
from shop.communities.queries import Point
from shop.home import assets
from shop.platform.access import opens
from shop.platform.actor import ANONYMOUS, Actor, current_actor
from shop.platform.features import registry
from shop.platform.language import name_of, reader_locale, words


class Here(NamedTuple):
    """The reader's pick-up point in the reader's language. `point` holds everything else."""

    id: int
    slug: str
    community_name: str
    point_name: str
    point: Point


def everything() -> dict[str, Any]:
    """The context of every template. A page about a database that is away must come up without it."""
    if not has_request_context():
        return {"actor": ANONYMOUS, "here": None, "locale": reader_locale(), "cart_count": 0, "elder_mode": False, "theme": "auto"}
    point, count = None, 0
    try:
        actor = current_actor()
        if "draws_alone" not in g:
            point = current_point(actor)
            count = cart_browser.count(actor)
    except SQLAlchemyError:
        g.actor, point, count = ANONYMOUS, None, 0
        actor = ANONYMOUS
    return {
        "actor": actor, "here": here_of(point), "locale": reader_locale(), "cart_count": count,
        "elder_mode": actor.elder_mode if actor.is_signed_in else request.cookies.get("elder_mode") == "1", "theme": theme_of(actor),
    }  # fmt: skip


def here_of(point: Point | None) -> Here | None:
    if point is None:
        return None
    return Here(point.id, point.slug, name_of(point, "community_name"), name_of(point), point)


def theme_of(actor: Actor) -> str:
    if actor.is_signed_in:
        return actor.theme
    chosen = request.cookies.get("theme", "auto")
    return chosen if chosen in rules.THEMES else "auto"


def console_pages(console: str) -> list[tuple[str, str, str]]:
    """Title, address and drawing of what features bring to a console, as far as its doors let the reader in."""
    actor = current_actor()
    pages = registry.console_pages(console)
    return [(words(page.title), url_for(page.endpoint), page.icon) for page in pages if opens(actor, page.endpoint)]


def init_app(app: Flask) -> None:
    assets.init_app(app)
    app.jinja_env.globals["console_pages"] = console_pages
    app.context_processor(everything)
