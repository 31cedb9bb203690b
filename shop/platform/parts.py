"""Parts of a page that are the same for many readers, drawn once and kept.

    {% kept "site head", locale, elder, active_tab %} ... {% endkept %}

Everything the part depends on stands in its key. What differs by reader all the same, the form token, the page to come back to
and the words of a search, is printed as a slot (`csrf_slot`, `next_slot`, `search_slot`) and filled in each time. Nothing of a
person may stand inside.

`kept_page` does the same for a whole page as strangers see it.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from functools import lru_cache
from typing import Any, NamedTuple

from flask import Flask, current_app, g, render_template, request, session
from flask.templating import Environment
from flask_wtf.csrf import generate_csrf
from itsdangerous import URLSafeTimedSerializer
from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from markupsafe import Markup, escape

from shop.platform.actor import ANONYMOUS, current_actor
from shop.platform.asked import address
from shop.platform.here import this_request
from shop.platform.http import this_page
from shop.platform.language import language_of_address

CSRF_SLOT = Markup("\ue000csrf\ue000")
NEXT_SLOT = Markup("\ue000next\ue000")
SEARCH_SLOT = Markup("\ue000search\ue000")
PLACE, NEXT = "linli.place_of_page", "linli.next_page"
"""What is put together once for a request, kept in its environment."""

LONGEST_SEARCH = 60
MOST = 2_000
"""Parts kept by a process: those of a product's page are five for each state and language."""
MOST_PAGES = 200
OF_THIS_REQUEST = frozenset({"g", "request", "session", "csrf_token", "csrf_meta_tag"})
"""What templates are given besides facts."""


class Drawn(NamedTuple):
    """Something as it was drawn, and which of the slots are to be filled in."""

    text: str
    has_token: bool
    has_next: bool
    has_search: bool
    has_slots: bool

    def filled(self) -> str:
        """For this reader."""
        text = self.text
        if self.has_token:
            text = text.replace(CSRF_SLOT, form_token())
        if self.has_next:
            text = text.replace(NEXT_SLOT, next_page())
        if self.has_search:
            text = text.replace(SEARCH_SLOT, escape(address.raw("q", LONGEST_SEARCH)))
        return text


def place_of_page() -> tuple[str, str]:
    """What every link of this page depends on: where the shop stands, and the language that the page's address names."""
    environ = this_request().environ  # looked up once: a page has a dozen parts, and many links
    place: tuple[str, str] | None = environ.get(PLACE)
    if place is None:
        place = environ[PLACE] = (request.script_root, language_of_address())
    return place


def next_page() -> Markup:
    """The page to come back to, as it stands in forms; put together once for an answer."""
    environ = request.environ
    page: Markup | None = environ.get(NEXT)
    if page is None:
        page = environ[NEXT] = escape(this_page())
    return page


def drawn_as(text: str) -> Drawn:
    token, page, search = CSRF_SLOT in text, NEXT_SLOT in text, SEARCH_SLOT in text
    return Drawn(text, token, page, search, has_slots=token or page or search)


_kept: dict[tuple[object, ...], Drawn] = {}
_pages: dict[tuple[object, ...], Drawn] = {}


def form_token() -> str:
    """The token that proves a form to be ours; the same for all forms of one answer. Its slot while a page is drawn to be kept."""
    mine = g._get_current_object()
    if "draws_to_keep" in mine:
        return CSRF_SLOT
    token: str | None = mine.get("csrf_token")
    if token is None:
        kept = session.get("csrf_token")
        token = mine.csrf_token = generate_csrf() if kept is None else signer(current_app.secret_key).dumps(kept)
    return str(token)


@lru_cache(maxsize=4)
def signer(key: str | bytes | None) -> URLSafeTimedSerializer:
    """What flask-wtf signs the session's token with, made once; of a session without one it makes the token itself."""
    return URLSafeTimedSerializer(key, salt="wtf-csrf-token")  # type: ignore[arg-type]


def kept_page(template: str, state: tuple[object, ...], facts: Callable[[], dict[str, Any]], **holes: str) -> str:
    """A page of which strangers see the same for the same `state`: drawn once, with its slots filled in for each of them.

    `state` holds all that the page says, prices and stock among it; what every page is given (place, language, size, theme, count
    of the cart) is added here. `facts` is asked for the template's variables only to draw. What changes by the second is drawn
    anew each time and stands in a hole: `cut_off="<p>..."` goes where the template prints `cut_off_hole`. Pages of the signed-in,
    pages with a message on them, and pages that used a token or nonce while they were drawn are never kept.
    """
    if current_actor() is not ANONYMOUS or "_flashes" in session or current_app.jinja_env.auto_reload:
        filled = {f"{name}_hole": Markup(drawn) for name, drawn in holes.items()}  # noqa: S704  (templates drew them)
        return drawn_as(render_template(template, **facts(), **filled)).filled()
    context: dict[str, Any] = {}
    current_app.update_template_context(context)
    files = current_app.extensions["assets"].version  # a page names the files of its day
    named = language_of_address()  # its links lead on in that language
    facts_of_all = (value for name, value in context.items() if name not in OF_THIS_REQUEST)
    key = (template, request.script_root, state, files, named, *facts_of_all)
    page = _pages.get(key)
    if page is None:
        page, is_for_all = drawn_to_keep(template, {**facts(), **{f"{name}_hole": hole(name) for name in holes}})
        if is_for_all:
            if len(_pages) >= MOST_PAGES:
                _pages.clear()
            _pages[key] = page
    text = page.filled()
    for name, inside in holes.items():
        text = text.replace(hole(name), inside)
    return text


def drawn_to_keep(template: str, facts: dict[str, Any]) -> tuple[Drawn, bool]:
    """A page with its slots open, and whether it is free of what only this reader may have."""
    token = g.pop("csrf_token", None)
    g.draws_to_keep = True
    try:
        page = drawn_as(render_template(template, **facts))
    finally:
        g.pop("draws_to_keep")
    is_for_all = "csrf_token" not in g and "csp_nonce" not in g
    if token is not None:
        g.csrf_token = token
    return page, is_for_all


def hole(name: str) -> Markup:
    return Markup(f"\ue000{name} hole\ue000")  # noqa: S704  (names are ours)


class PageEnvironment(Environment):
    """One plain dictionary of globals for all templates. Jinja's chain of two dictionaries is walked key by key for every page,
    include and import, which cost more than the page's queries; no template of ours has globals of its own."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        if d:
            raise TypeError("templates have no globals of their own")
        return self.globals


class KeptPart(Extension):
    """The `kept` block."""

    tags = {"kept"}

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        key = [parser.parse_expression()]
        while parser.stream.skip_if("comma"):
            key.append(parser.parse_expression())
        body = parser.parse_statements(("name:endkept",), drop_needle=True)
        return nodes.CallBlock(self.call_method("keep", key), [], [], body).set_lineno(line)

    def keep(self, *said: object, caller: Callable[[], str]) -> Markup:
        key = (*place_of_page(), *said)
        drawn = _kept.get(key)
        if drawn is None:
            drawn = drawn_as(str(caller()))
            if not self.environment.auto_reload:
                if len(_kept) >= MOST:
                    _kept.clear()
                _kept[key] = drawn
        if not drawn.has_slots or "draws_to_keep" in g:
            return Markup(drawn.text)  # noqa: S704  (a template drew it)
        return Markup(drawn.filled())  # noqa: S704  (a template drew it, the rest is escaped)


def init_app(app: Flask) -> None:
    _kept.clear()
    _pages.clear()
    app.jinja_env.add_extension(KeptPart)
    app.jinja_env.globals.update(form_token=form_token, csrf_token=form_token)
    app.jinja_env.globals.update(csrf_slot=CSRF_SLOT, next_slot=NEXT_SLOT, search_slot=SEARCH_SLOT)
