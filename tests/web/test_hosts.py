"""For whom the shop answers, and that nothing a request says about our address gets into a page."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator

import pytest
from flask import Flask, render_template_string, request
from flask.testing import FlaskClient
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import TestResponse

from shop.platform import parts
from shop.platform.door import Door
from tests.conftest import IsolatedClient
from tests.support.queries import counted

OURS = "shop.example"


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    forget_parts()
    yield
    forget_parts()


def forget_parts() -> None:
    parts._kept.clear()
    parts._pages.clear()


@pytest.fixture
def strict(app: Flask, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """A browser before a shop that answers for its own hosts only."""
    monkeypatch.setattr(app, "wsgi_app", Door(app.wsgi_app.application, [OURS, ".shop.example.org"]))  # type: ignore[attr-defined]
    monkeypatch.setitem(app.config, "TRUSTED_HOSTS", [OURS, ".shop.example.org"])
    return app.test_client()


def ask(client: FlaskClient, host: str, path: str = "/about", **more: str) -> TestResponse:
    return client.get(path, headers={"Host": host, "Accept-Language": "en", **more})


@pytest.mark.parametrize(
    "host", [OURS, "SHOP.EXAMPLE", "Shop.Example.", "shop.example:8443", "SHOP.EXAMPLE.:80", "shop.example.org", "a.SHOP.example.org"]
)
def test_our_hosts_are_known_however_they_are_written(strict: FlaskClient, host: str) -> None:
    assert ask(strict, host).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "shop.example.evil.example", "evilshop.example", "evil.example:80", "shop.example@evil.example", "127.0.0.1",
     "[::1]:80", "shop.example/evil", "shop.example:99999", "shop.example:x", "", " ", "shop .example", "shop.example,evil.example",
     "\xe9vil.example", "http://shop.example", ".", ":80", ".shop.example.org", "a..shop.example.org", "a" * 64 + ".shop.example.org"],
)  # fmt: skip
@pytest.mark.parametrize(
    ("path", "kind"), [("/about", "text/html"), ("/api/v1/products", "application/problem+json"), ("/nothing", "text/html")]
)
def test_another_host_is_told_off_in_good_order(
    strict: FlaskClient, caplog: pytest.LogCaptureFixture, host: str, path: str, kind: str
) -> None:
    with caplog.at_level(logging.WARNING):
        answer = ask(strict, host, path)
    assert answer.status_code == 400
    assert answer.mimetype == kind
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Request-ID"]
    if kind == "text/html":
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        assert "Linli is not at this address" in answer.text
        public = strict.application.config["PUBLIC_URL"]
        assert f"You find us at {public}." in answer.text
        assert f'class="btn btn-primary" href="{public}"' in answer.text, "another page of this host would only say the same"
    assert "evil" not in answer.text
    assert not caplog.records


@pytest.mark.parametrize("host", ["." + OURS, "a" * 64, f"a..{OURS}"])
def test_what_can_be_no_host_is_told_off_where_every_host_is_answered_for(client: FlaskClient, host: str) -> None:
    assert ask(client, host).status_code == 400


def test_a_form_sent_to_another_host_is_told_off_too(strict: FlaskClient) -> None:
    assert strict.post("/sign-in", data={"phone": "13812345678"}, headers={"Host": "evil.example"}).status_code == 400


def test_a_request_that_names_no_host_is_not_ours(strict: FlaskClient) -> None:
    assert strict.open("/about", environ_overrides={"HTTP_HOST": None}).status_code in {400}


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize("host", ["10.1.2.3:8000", "[::1]", "evil.example", "", OURS])
def test_probes_are_answered_whatever_host_they_name(strict: FlaskClient, path: str, host: str) -> None:
    assert ask(strict, host, path).status_code == 200


def test_telling_off_asks_the_database_nothing(strict: FlaskClient) -> None:
    with counted() as statements:
        assert ask(strict, "evil.example", Cookie="point=tianchenghu; cart=7").status_code == 400
    assert statements == []


@pytest.mark.parametrize("prefix", ["//evil.example", "/shop", "https://evil.example", "/about"])
def test_a_prefix_from_outside_reaches_no_page(client: FlaskClient, prefix: str) -> None:
    """A server that believes SCRIPT_NAME headers cuts the prefix off the path and hands both over."""
    poisoned = client.get("/about", environ_overrides={"SCRIPT_NAME": prefix})
    assert poisoned.status_code == 404, "what was asked for is the prefix and what follows it"
    client.get("/", environ_overrides={"SCRIPT_NAME": prefix})
    for page in ("/about", "/"):
        links = re.findall(r'(?:href|src|action|hx-get)="([^"]*)"', client.get(page).text)
        assert links
        assert not [link for link in links if "evil" in link or link.startswith(("/shop/", "/about/"))]


FORWARDED = {
    "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Prefix": "//evil.example", "X-Forwarded-Port": "666", "Forwarded": "for=203.0.113.9;host=evil.example;proto=https",
    "X-Original-Url": "/evil.example",
}  # fmt: skip


def seen_by(app: Flask) -> dict[str, object]:
    """What the shop takes the request to be that carries every forwarding header."""
    seen: dict[str, object] = {}

    @app.before_request
    def look() -> None:
        seen.update(
            host=request.host,
            scheme=request.scheme,
            address=request.remote_addr,
            root=request.script_root,
            route=list(request.access_route),
        )

    try:
        client = IsolatedClient(app)
        client.get("/about", headers=FORWARDED)
    finally:
        app.before_request_funcs[None].remove(look)
    return seen


def test_forwarded_headers_mean_nothing_without_a_proxy_of_ours(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "_got_first_request", False)
    assert seen_by(app) == {"host": "localhost", "scheme": "http", "address": "127.0.0.1", "root": "", "route": ["127.0.0.1"]}


def test_a_proxy_of_ours_is_believed_about_address_and_scheme_only(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "_got_first_request", False)
    monkeypatch.setattr(app, "wsgi_app", ProxyFix(app.wsgi_app, x_for=1, x_proto=1))
    assert seen_by(app) == {"host": "localhost", "scheme": "https", "address": "203.0.113.9", "root": "", "route": ["203.0.113.9"]}


def test_a_kept_part_is_kept_for_its_prefix(app: Flask) -> None:
    """Should a shop below a prefix ever be configured: the parts of one are not shown in the other."""
    template = '{% kept "place of the cart" %}{{ url_for("cart.show") }}{% endkept %}'
    drawn = []
    for root in ("http://a.example/one", "http://a.example/two", "http://a.example/one"):
        with app.test_request_context("/", base_url=root):
            drawn.append(render_template_string(template))
    assert drawn == ["/one/cart", "/two/cart", "/one/cart"]
