"""Places on pages of one feature that other features fill, so that the page knows none of them: beside goods and below them, beside the
lines of an order, on "Me" and "Life", and in the navigation of consoles."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from shop.platform.actor import Actor


class Shown(NamedTuple):
    """A product as a page shows it, its name in the reader's language."""

    product_id: int
    slug: str
    name: str


@dataclass(frozen=True)
class BesideGoods:
    """What a feature puts beside goods, wherever they are shown. Pieces are markup, escaped; the empty text is none.

    `on_cards` is asked once for all cards of a list, and answers in their order: a query for each would make the page slow.
    `form` is the one form that all buttons of the pieces belong to (`form="its id"`), given the token; every page with goods has it once.
    """

    on_cards: Callable[[Actor, Sequence[Shown]], Sequence[str]]
    on_page: Callable[[Actor, Shown], str]
    form: Callable[[str], str]


BelowGoods = Callable[[Actor, Shown], str]
"""What a feature says below a product on the product's own page: markup, escaped. Strangers all get the same."""

BesideLines = Callable[[Actor, Sequence[int]], Mapping[int, str]]
"""What a feature puts beside the lines of an order, for its buyer, by the ids of the lines: markup, escaped. Asked once for all lines."""


@dataclass(frozen=True)
class OwnPage:
    """A page that "Me" leads to, or "Life": its title and note as `sentence`s, where it is, and its drawing."""

    title: str
    endpoint: str
    icon: str
    note: str = ""


@dataclass(frozen=True)
class ConsolePage:
    """A page that a console leads to (`merchant`, `station`, `admin`): its title as a `sentence`, where it is, and its drawing.

    The link is drawn for whoever its door lets in. The page is the feature's own, on `layout/console.html`.
    """

    console: str
    title: str
    endpoint: str
    icon: str
