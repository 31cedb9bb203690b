"""Parts of a page that are the same for many readers, drawn once and kept.

    {% kept "site head", locale, elder, active_tab %} ... {% endkept %}

Everything the part depends on stands in its key. What differs by reader all the same, the form token, the page to come back to
and the words of a search, is printed as a slot (`csrf_slot`, `next_slot`, `search_slot`) and filled in each time. Nothing of a
person may stand inside.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any, NamedTuple

from flask import Flask, g, request
from flask.templating import Environment
from flask_wtf.csrf import generate_csrf
from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from markupsafe import Markup, escape

CSRF_SLOT = Markup("\ue000csrf\ue000")
NEXT_SLOT = Markup("\ue000next\ue000")
SEARCH_SLOT = Markup("\ue000search\ue000")
LONGEST_SEARCH = 60
MOST = 500


class Drawn(NamedTuple):
    """A part as it was drawn, and which of its slots are to be filled in."""

    text: str
    has_token: bool
    has_next: bool
    has_search: bool


_kept: dict[tuple[object, ...], Drawn] = {}


def form_token() -> str:
    """The token that proves a form to be ours; the same for all forms of one answer."""
    return str(g.get("csrf_token") or generate_csrf())


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

    def keep(self, *key: object, caller: Callable[[], str]) -> Markup:
        drawn = _kept.get(key)
        if drawn is None:
            text = str(caller())
            drawn = Drawn(text, CSRF_SLOT in text, NEXT_SLOT in text, SEARCH_SLOT in text)
            if not self.environment.auto_reload:
                if len(_kept) >= MOST:
                    _kept.clear()
                _kept[key] = drawn
        filled = drawn.text
        if drawn.has_token:
            filled = filled.replace(CSRF_SLOT, form_token())
        if drawn.has_next:
            filled = filled.replace(NEXT_SLOT, escape(request.full_path.rstrip("?")))
        if drawn.has_search:
            filled = filled.replace(SEARCH_SLOT, escape(request.args.get("q", "")[:LONGEST_SEARCH]))
        return Markup(filled)  # noqa: S704  (a template drew it; what was filled in is escaped)


def init_app(app: Flask) -> None:
    _kept.clear()
    app.jinja_env.add_extension(KeptPart)
    app.jinja_env.globals.update(csrf_slot=CSRF_SLOT, next_slot=NEXT_SLOT, search_slot=SEARCH_SLOT)
