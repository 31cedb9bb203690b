"""Parts of a page that are the same for many readers, drawn once and kept.

    {% kept "site head", locale, elder, active_tab %} ... {% endkept %}

Everything the part depends on stands in its key. What differs by reader all the same, the form token, the page to come back to
and the words of a search, is printed as a slot (`csrf_slot`, `next_slot`, `search_slot`) and filled in each time. Nothing of a
person may stand inside.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, request
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

_kept: dict[tuple[object, ...], str] = {}


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
            drawn = str(caller())
            if not self.environment.auto_reload:
                if len(_kept) >= MOST:
                    _kept.clear()
                _kept[key] = drawn
        if CSRF_SLOT in drawn:
            drawn = drawn.replace(CSRF_SLOT, generate_csrf())
        drawn = drawn.replace(NEXT_SLOT, escape(request.full_path.rstrip("?")))
        drawn = drawn.replace(SEARCH_SLOT, escape(request.args.get("q", "")[:LONGEST_SEARCH]))
        return Markup(drawn)  # noqa: S704  (a template drew it; what was filled in is escaped)


def init_app(app: Flask) -> None:
    _kept.clear()
    app.jinja_env.add_extension(KeptPart)
    app.jinja_env.globals.update(csrf_slot=CSRF_SLOT, next_slot=NEXT_SLOT, search_slot=SEARCH_SLOT)
