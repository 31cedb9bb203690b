"""Pages of search: what was found, what is suggested while somebody types, and what many people search for."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, render_template, url_for

from shop.catalog import facets, popular, queries, search
from shop.catalog.forms import filters_of
from shop.catalog.views import MOST_PAGES, MOST_TYPED, arriving_for, bp, card_grid, price_words, settled, shop_named, ways_back
from shop.communities.current import current_point
from shop.kernel.db import perform, reading
from shop.platform.access import open_to_everyone, signed_in
from shop.platform.actor import Actor
from shop.platform.asked import address, sent
from shop.platform.language import name_of


@bp.get("/search", endpoint="search")
@open_to_everyone
def search_page(actor: Actor) -> Response | str:
    """What fits, what can be had first. Nothing found: that is said, with words that are near and without other goods."""
    text, page = address.text("q", MOST_TYPED), address.number("page", most=MOST_PAGES)
    session, here, arriving = reading(), current_point(actor), arriving_for(actor)
    categories = queries.categories(session)
    filters = filters_of(address, shop_in_address(), categories)
    category_id = next((found.id for found in categories if found.slug == filters.category), None)
    wanted = filters.wanted(queries.Wanted(), category_id, shop_named(filters.shop))
    found = search.Found([], True, False)
    if text:
        found = search.find(session, text, arriving, page=page, wanted=wanted, with_groups=True)
    near = [card for card in found.cards if here is None or card.arrives_on is not None]
    far = [card for card in found.cards if here is not None and card.arrives_on is None]
    season = queries.list_cards(session, queries.Wanted(in_season=True, limit=6), arriving).cards if not text else []
    words = found.plainly or text
    said: dict[str, Any] = {"q": words, **filters.arguments}
    return settled(
        render_template(
            "catalog/search.html", text=text, found=found, grid=card_grid(near, here, level=2), far=card_grid(far, here, eager=0),
            page=page, filters=filters, facets=facets.counted(found.groups, filters.chosen(category_id)), prices=price_words,
            season=card_grid(season, here, eager=0),
            nearest=[name_of(name) for name in search.nearest(session, text)] if text and not found.cards and not found.groups else [],
            categories=categories, by_id={one.id: one for one in categories}, undo=lambda: ways_back(filters, found.groups, q=text),
            popular=popular.words(session) if not found.cards else [],
            next_url=url_for("catalog.search", **{**said, "page": page + 1}) if found.has_more else "",
        ),
        lambda: url_for("catalog.search", **{**said, "q": text}),
    )  # fmt: skip


def shop_in_address() -> list[str]:
    """The shop that the address narrows a search to, if there is one of that code."""
    code = address.word("shop")
    return [code] if code and shop_named(code) is not None else []


@bp.get("/search/suggestions")
@open_to_everyone
def suggestions(actor: Actor) -> str:
    """A fragment of names that begin to match; fetched while somebody types. For nothing typed: what many people search for."""
    text = address.word("q", search.LIMIT_CHARACTERS)
    names = [name_of(name) for name in search.suggest(reading(), text)] if text else popular.words(reading())
    return render_template("catalog/_suggestions.html", names=names, popular=not text)


@bp.post("/search/words")
@signed_in
def count_word(actor: Actor) -> tuple[str, int]:
    """A page that found goods says so, for the words that many people search for. Nothing of the person is kept with it."""
    perform(popular.count_word, actor, sent.raw("q", search.LIMIT_CHARACTERS), current_app.config["SECRET_KEY"])
    return "", 204
