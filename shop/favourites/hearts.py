"""The hearts beside goods, drawn for whoever reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import current_app, g, url_for

from shop.favourites import queries
from shop.kernel.db import reading
from shop.platform import along
from shop.platform.actor import Actor
from shop.platform.language import reader_locale
from shop.platform.slots import BesideGoods, Shown

NAME = "favourites"
MOST_DRAWN = 20_000
_drawn: dict[tuple[object, ...], str] = {}
"""Hearts by product, name, language and whether they are pressed: no person's, and mostly looked up."""


def macros() -> Any:
    return current_app.jinja_env.get_template("favourites/_heart.html").module


def kept_by(actor: Actor) -> frozenset[int]:
    """What the reader likes, asked for once per answer; strangers are not asked about."""
    if not actor.is_signed_in:
        return frozenset()
    mine = g._get_current_object()
    kept: frozenset[int] | None = mine.get("favourites")
    if kept is None:
        person = actor.signed_in_id()
        read = along.known(person, NAME)
        kept = mine.favourites = queries.ids_of(read[0]) if read else queries.kept_ids(reading(), person)
    return kept


def on_cards(actor: Actor, shown: Sequence[Shown]) -> list[str]:
    return drawn("heart", actor, shown)


def on_page(actor: Actor, product: Shown) -> str:
    return drawn("wide_heart", actor, [product])[0]


def drawn(macro: str, actor: Actor, shown: Sequence[Shown]) -> list[str]:
    """The hearts of some products, each by one of the two macros."""
    kept, locale = kept_by(actor), reader_locale()
    files = current_app.extensions["assets"].version
    keeps = not current_app.jinja_env.auto_reload
    hearts = []
    for product in shown:
        key = (macro, files, locale, product, product.product_id in kept)
        text = _drawn.get(key) if keeps else None
        if text is None:
            text = str(getattr(macros(), macro)(product.slug, product.product_id, product.name, product.product_id in kept))
            if len(_drawn) >= MOST_DRAWN:
                _drawn.clear()
            if keeps:
                _drawn[key] = text
        hearts.append(text)
    return hearts


def form(token: str) -> str:
    return str(macros().form(url_for("favourites.press"), token))


HEARTS = BesideGoods(on_cards, on_page, form)
