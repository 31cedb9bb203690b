"""Links of templates are put together once, and are what `url_for` says."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from flask import Flask, url_for

from shop.kernel.once import once
from shop.platform import links

pytestmark = pytest.mark.one_engine

LINKS: list[tuple[str, dict[str, Any]]] = [
    ("home.index", {}),
    ("catalog.category", {"slug": "staples"}),
    ("catalog.category", {"slug": "staples", "all": 1}),
    ("catalog.category", {"slug": "staples", "all": True}),
    ("catalog.category", {"slug": "staples", "all": "1"}),
    ("catalog.category", {"slug": "大米", "sort": None}),
    ("catalog.search", {"q": "a&b=c", "page": 2}),
    ("catalog.product", {"slug": "rice", "_external": True}),
    ("api.get_cart", {}),
]


@pytest.mark.parametrize("path", ["/", "/?lang=en", "/categories/staples?lang=zh"])
@pytest.mark.parametrize("root", ["http://localhost", "http://localhost/shop"])
def test_a_link_is_what_flask_says_however_often_it_is_asked_for(app: Flask, path: str, root: str) -> None:
    with app.test_request_context(path, base_url=root):
        for _time in range(2):
            for endpoint, values in LINKS:
                assert links.address_of(endpoint, **values) == url_for(endpoint, **values), (endpoint, values)


def test_links_do_not_pile_up(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "MOST", 3)
    with app.test_request_context("/"):
        for number in range(10):
            links.address_of("catalog.search", q=str(number))
    assert len(links._kept) <= 3


def test_no_function_of_the_shop_is_asynchronous(app: Flask) -> None:
    """Flask would have to be asked about each at every request, were there one."""
    hooks: list[Any] = list(app.view_functions.values())
    for registered in (app.before_request_funcs, app.after_request_funcs, app.teardown_request_funcs, app.template_context_processors):
        for some in registered.values():
            hooks += some
    assert [hook for hook in hooks if inspect.iscoroutinefunction(hook)] == []


def test_a_property_is_worked_out_once() -> None:
    class Basket:
        worked = 0

        @once
        def total(self) -> int:
            """What it costs."""
            self.worked += 1
            return 7

    basket = Basket()
    assert (basket.total, basket.total, basket.worked) == (7, 7, 1)
    assert Basket.total.__doc__ == "What it costs."
