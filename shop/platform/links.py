"""`url_for` of the templates: an address that leads the same way from everywhere is put together once.

What an address depends on besides what it names is where the shop stands and the language that the address of this page names
(shop/platform/language.py). Anything unusual is left to Flask.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, current_app

from shop.platform.parts import place_of_page

MOST = 5_000
PLAIN = (str, int)

_kept: dict[tuple[object, ...], str] = {}


def address_of(endpoint: str, **values: Any) -> str:
    """The path of one of our pages, as `flask.url_for` says it."""
    for value in values.values():
        if type(value) not in PLAIN:  # not `isinstance`: True and 1 are the same key and not the same address
            return current_app.url_for(endpoint, **values)
    if "." not in endpoint[1:] or any(name[0] == "_" for name in values):
        return current_app.url_for(endpoint, **values)
    key = (endpoint, place_of_page(), *values.items())
    found = _kept.get(key)
    if found is None:
        found = current_app.url_for(endpoint, **values)
        if len(_kept) >= MOST:
            _kept.clear()
        _kept[key] = found
    return found


def init_app(app: Flask) -> None:
    _kept.clear()
    app.jinja_env.globals["url_for"] = address_of
