"""What stands on pages of others: the stars on cards, the reviews below a product, and the way to review beside the lines of an order.

Nothing of the reader is in the first two, so that they are drawn once for all and kept by what they say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import current_app, url_for

from shop.kernel import clock
from shop.kernel.db import reading
from shop.platform.actor import Actor
from shop.platform.language import language_of_address, reader_locale
from shop.platform.slots import BesideGoods, Shown
from shop.reviews import queries

MOST_DRAWN = 5_000
_drawn: dict[tuple[object, ...], str] = {}
"""Pieces by all that they say, their language and the files of their day."""


def macros() -> Any:
    return current_app.jinja_env.get_template("reviews/_pieces.html").module


def once(key: tuple[object, ...], draw: Any) -> str:
    """A piece drawn before, else drawn now and kept."""
    if current_app.jinja_env.auto_reload or current_app.testing:
        return str(draw())
    key = (current_app.extensions["assets"].version, reader_locale(), language_of_address(), *key)
    text = _drawn.get(key)
    if text is None:
        if len(_drawn) >= MOST_DRAWN:
            _drawn.clear()
        text = _drawn[key] = str(draw())
    return text


def on_cards(_actor: Actor, shown: Sequence[Shown]) -> list[str]:
    """The stars of goods that somebody reviewed; one statement for all cards of a list."""
    found = queries.ratings(reading(), [one.product_id for one in shown])
    said = []
    for one in shown:
        rating = found.get(one.product_id)
        is_rated = rating is not None and rating.count > 0
        said.append(once(("card", rating.tenths, rating.count), lambda of=rating: macros().on_card(of)) if rating and is_rated else "")
    return said


def below(_actor: Actor, product: Shown) -> str:
    """What people say of a product: the first few, and the way to all of them. One statement where it was drawn before."""
    rating = queries.rating(reading(), product.product_id)

    def draw() -> Any:
        reviews, _more = queries.list_shown(reading(), product.product_id, limit=queries.ON_PRODUCT) if rating.count else ([], None)
        return macros().below(rating, reviews, product.slug, url_for("reviews.of_product", slug=product.slug))

    return once(("below", product.product_id, product.slug, rating.changes, clock.today()), draw)


def beside_lines(actor: Actor, line_ids: Sequence[int]) -> Mapping[int, str]:
    """For those lines of an order that can be reviewed, or were: the way there."""
    found = queries.of_lines(reading(), actor, line_ids)
    return {line_id: str(macros().beside_line(line_id, said)) for line_id, said in found.items()}


STARS = BesideGoods(on_cards, lambda _actor, _product: "", lambda _token: "")
