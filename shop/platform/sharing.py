"""What a page says of itself to chats, search engines and their previews: words, a picture, its addresses in both languages, and
what it shows in the terms of schema.org.

A page is given a `Share` and draws it with `layout/_share.html`. A page without one is nobody's to find and says so. Addresses are
made from PUBLIC_URL, never from what a request calls this host.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote

from flask import Flask, current_app, request, url_for

from shop.kernel.money import CURRENCY, Money
from shop.kernel.text import clipped
from shop.platform.language import ADDRESS, LOCALES, reader_locale

LONGEST = 150
"""Characters of a description: what previews show of it."""

SHARED = 800
"""Both sides of a picture for links, in pixels."""

LANGUAGES = {"zh": "zh-Hans", "en": "en"}
TERRITORIES = {"zh": "zh_CN", "en": "en_US"}

DIFFERS = "0differs0"

Facts = dict[str, Any]


class Picture(NamedTuple):
    """A square JPEG of `SHARED` pixels by its path, and what can be seen in it."""

    path: str
    words: str


@dataclass(frozen=True, slots=True)
class Share:
    """What is told of the page of this request; `title` is the page's own when empty, `price` that of goods.

    `facts` are put together when they are drawn. What names in `follows_from` all that the words and facts depend on, beside the
    language and the path, is drawn once (shop/platform/parts.py); with nothing there it is drawn every time.
    """

    description: str
    picture: Picture | None = None
    title: str = ""
    price: Money | None = None
    facts: Callable[[], tuple[Facts, ...]] = tuple
    is_found: bool = True
    follows_from: tuple[object, ...] = ()

    @property
    def kind(self) -> str:
        return "website" if self.price is None else "product"

    @property
    def text(self) -> str:
        """The description in one line, as long as previews show it."""
        return clipped(self.description, LONGEST)

    @property
    def image(self) -> str:
        """The address of the picture; of the shop's own where the page has none."""
        return public_url(self.picture.path if self.picture else current_app.extensions["assets"]("img/app-icons/share.jpg"))

    @property
    def address(self) -> str:
        """This page in the language it was answered in, without what only narrows or counts."""
        return here_in(reader_locale())

    @property
    def alternates(self) -> list[tuple[str, str]]:
        """This page in every language, and the plain address, which speaks the reader's."""
        return [*((LANGUAGES[locale], here_in(locale)) for locale in LOCALES), ("x-default", public_url(quote(request.path)))]

    @property
    def territories(self) -> list[str]:
        """The page's own language as Open Graph writes it, then the others."""
        mine = reader_locale()
        return [TERRITORIES[mine], *(name for locale, name in TERRITORIES.items() if locale != mine)]

    @property
    def graph(self) -> Facts:
        """The facts as one JSON-LD document."""
        return {"@context": "https://schema.org", "@graph": list(self.facts())}


def public_url(path: str) -> str:
    """The full address of a path of ours."""
    return str(current_app.config["PUBLIC_URL"]).rstrip("/") + path


def here_in(locale: str) -> str:
    """The address under which this page speaks one language to everybody."""
    return public_url(f"{quote(request.path)}?{ADDRESS}={locale}")


def spoken_url(endpoint: str, **values: Any) -> str:
    """The full address of another page in the language of this one."""
    return public_url(url_for(endpoint, **{**values, ADDRESS: reader_locale()}))


def spoken_urls(endpoint: str, part: str, values: list[str]) -> list[str]:
    """The same for many pages that differ in one part of their path only: put together once, as a list has many."""
    before, _, after = spoken_url(endpoint, **{part: DIFFERS}).partition(DIFFERS)
    return [f"{before}{quote(value)}{after}" for value in values]


def number(price: Money) -> str:
    """An amount as machines read it: `1280.00`."""
    return f"{price.fen // 100}.{price.fen % 100:02d}"


def priced(price: Money) -> Facts:
    return {"price": number(price), "priceCurrency": CURRENCY}


def trail(*steps: tuple[str, str]) -> Facts:
    """Where a page stands: names and full addresses from the home page down."""
    return {
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": place, "name": name, "item": address} for place, (name, address) in enumerate(steps, start=1)
        ],
    }  # fmt: skip


def listed(addresses: list[str]) -> Facts:
    """The goods of a list by the addresses of their pages, in their order."""
    return {
        "@type": "ItemList",
        "itemListElement": [{"@type": "ListItem", "position": place, "url": address} for place, address in enumerate(addresses, start=1)],
    }


def init_app(app: Flask) -> None:
    app.jinja_env.globals["share_size"] = SHARED
    app.jinja_env.filters["price_number"] = number
