"""Pages that are drawn once for all strangers: nothing of one reader reaches another, and nothing old is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask, flash, get_flashed_messages, render_template_string
from flask.testing import FlaskClient

from shop.catalog import operations
from shop.kernel.db import perform, transaction
from shop.kernel.money import Money
from shop.models.accounts import User
from shop.models.catalog import Variant
from shop.models.stock import StockItem
from shop.platform import parts
from tests.support.factories import Factories
from tests.support.people import sign_in


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    parts._pages.clear()
    yield
    parts._pages.clear()


@pytest.fixture
def rice(make: Factories) -> Variant:
    """Something to look at, which comes to a point."""
    point = make.point("tianchenghu", name_zh="甜城湖自提点", name_en="Tianchenghu point")
    make.product(make.merchant("mill", points=[point]), code="rice", price=2_490, name_zh="大米", name_en="Rice", on_hand=50)
    with transaction() as session:
        return session.scalars(sa.select(Variant).where(Variant.code == "rice")).one()


def look(client: FlaskClient, address: str = "/products/rice") -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_a_size_that_is_called_otherwise_is_shown_so_at_once(client: FlaskClient, rice: Variant) -> None:
    look(client)
    with transaction() as session:
        session.execute(sa.update(Variant).where(Variant.id == rice.id).values(label_en="3-jin bag", net_weight_grams=1_500))
    assert "3-jin bag" in look(client)


def token_in(page: str) -> str:
    tokens = set(re.findall(r'name="csrf_token" value="([^"]*)"', page)) | set(re.findall(r'"X-CSRFToken": "([^"]*)"', page))
    assert len(tokens) == 1, "all forms of one page carry one token"
    return tokens.pop()


def test_one_page_serves_two_strangers_each_with_a_token_of_their_own(app: Flask, rice: Variant) -> None:
    first, second = app.test_client(), app.test_client()
    pages = [look(first), look(second)]
    assert len(parts._pages) == 1
    tokens = [token_in(page) for page in pages]
    assert tokens[0] != tokens[1]
    assert pages[0].replace(tokens[0], "") == pages[1].replace(tokens[1], "")
    assert not any(token in kept.text for token in tokens for kept in parts._pages.values())
    assert "\ue000" not in pages[0]


def test_a_new_price_and_the_last_one_sold_are_seen_at_once(client: FlaskClient, rice: Variant) -> None:
    assert "24<" in look(client)
    with transaction() as session:
        session.execute(sa.update(Variant).where(Variant.id == rice.id).values(price=Money(2_550)))
    assert "25<" in look(client)
    with transaction() as session:
        session.execute(sa.update(StockItem).where(StockItem.variant_id == rice.id).values(on_hand=0))
    assert "Sold out for now" in look(client)


def test_language_size_theme_and_place_each_have_their_page(client: FlaskClient, rice: Variant) -> None:
    assert "Choose your pick-up point" in look(client)
    for cookie, value, said in (
        ("locale", "zh", "大米"), ("elder_mode", "1", 'data-mode="elder"'), ("theme", "dark", 'data-theme="dark"'),
        ("point", "tianchenghu", "甜城湖自提点"),
    ):
        before = len(parts._pages)
        client.set_cookie(cookie, value)
        assert said in look(client)
        assert len(parts._pages) == before + 1


def test_the_clock_runs_on_a_kept_page(client: FlaskClient, rice: Variant, monkeypatch: pytest.MonkeyPatch) -> None:
    client.set_cookie("point", "tianchenghu")
    monkeypatch.setattr("shop.catalog.views.draw_cut_off", lambda *_: "<p>two hours</p>")
    assert "<p>two hours</p>" in look(client)
    monkeypatch.setattr("shop.catalog.views.draw_cut_off", lambda *_: "<p>one hour</p>")
    page = look(client)
    assert len(parts._pages) == 1
    assert "<p>one hour</p>" in page
    assert "two hours" not in page


def test_a_search_in_the_head_and_the_way_back_are_those_of_each_request(client: FlaskClient, rice: Variant) -> None:
    assert 'value="/products/rice?q=&lt;u&gt;"' in look(client, "/products/rice?q=<u>").replace("%3Cu%3E", "&lt;u&gt;")
    page = look(client, "/products/rice?q=eggs")
    assert 'value="eggs"' in page
    assert "&lt;u&gt;" not in page


def test_pages_of_the_signed_in_are_never_kept(client: FlaskClient, make: Factories, rice: Variant) -> None:
    sign_in(client, make.user())
    look(client)
    assert parts._pages == {}


@pytest.mark.parametrize("uses", ["{{ csrf_token() }}", "{{ csp_nonce() }}"])
def test_a_page_that_used_a_secret_of_one_reader_is_not_kept(app: Flask, uses: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "render_template", lambda template, **facts: render_template_string(uses, **facts))
    with app.test_request_context("/"):
        assert len(parts.kept_page("any", ("state",), dict)) > 10
    assert parts._pages == {}


def test_a_page_with_a_message_on_it_is_not_kept(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "render_template", lambda template, **facts: " ".join(get_flashed_messages()))
    with app.test_request_context("/"):
        flash("Saved.")
        assert parts.kept_page("any", ("state",), dict) == "Saved."
    assert parts._pages == {}


def test_pages_do_not_pile_up(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "render_template", lambda template, **facts: "page")
    monkeypatch.setattr(parts, "MOST_PAGES", 3)
    with app.test_request_context("/"):
        for number in range(10):
            parts.kept_page("any", (number,), dict)
    assert len(parts._pages) <= 3


WORLDS: dict[str, list[dict[str, str]]] = {
    "language": [{"locale": "zh"}, {"locale": "en"}],
    "size": [{"elder_mode": "1"}, {"elder_mode": "0"}],
    "theme": [{"theme": "dark"}, {"theme": "light"}, {}],
    "place": [{"point": "tianchenghu"}, {"point": "yuxiyuan"}, {}],
    "place in large text": [{"point": "tianchenghu", "elder_mode": "1"}, {"point": "yuxiyuan", "elder_mode": "1"}],
}
REQUESTS: dict[str, list[dict[str, str]]] = {
    "host": [{"HTTP_HOST": "evil.example"}, {"HTTP_HOST": "shop.example"}],
    "scheme": [{"wsgi.url_scheme": "https"}, {"wsgi.url_scheme": "http"}],
    "prefix": [{"SCRIPT_NAME": "//evil.example"}, {"SCRIPT_NAME": "/shop"}, {}],
    "forwarded": [{"HTTP_X_FORWARDED_HOST": "evil.example", "HTTP_X_FORWARDED_PREFIX": "//evil.example"}, {}],
    "where the reader came from": [{"HTTP_REFERER": "http://evil.example/x"}, {}],
    "language of the browser": [{"HTTP_ACCEPT_LANGUAGE": "en"}, {"HTTP_ACCEPT_LANGUAGE": "zh"}],
}
PAGES = (
    "/", "/about", "/products/rice", "/products/oil", "/products/rice?q=rice", "/categories", "/categories/staples", "/categories/fruit",
    "/categories/staples?sort=price", "/categories/staples?merchant=mill", "/shops/mill", "/cart", "/search?q=rice", "/search?q=staples",
)  # fmt: skip


def forget_all() -> None:
    parts._kept.clear()
    parts._pages.clear()


def drawn(app: Flask, path: str, cookies: dict[str, str], extra: dict[str, str], person: User | None) -> str:
    """A page as somebody new sees it, without what is theirs alone: tokens, and seconds that run."""
    client = app.test_client()
    for name, value in cookies.items():
        client.set_cookie(name, value, domain=extra.get("HTTP_HOST", "localhost"))
    if person is not None:
        sign_in(client, person)
    page = client.get(path, environ_overrides=extra).text
    page = re.sub(r'class="figures">[0-9a-f]{16}<|<meta name="reader" content="[0-9a-f]*"', "", page)
    page = re.sub(r'(name="csrf_token" value=|"X-CSRFToken": )"[^"]*"', "", page)
    return re.sub(r"\b\d+:\d\d(:\d\d)?\b|data-[a-z-]*(down|end)[a-z-]*=\"[^\"]*\"", "", page)


@pytest.fixture
def shelves(make: Factories) -> None:
    """Two things of two shops that come to two points."""
    points = [
        make.point("tianchenghu", name_zh="甜城湖自提点", name_en="Tianchenghu point"),
        make.point("yuxiyuan", name_zh="玉溪苑自提点", name_en="Yuxiyuan point"),
    ]
    mill, press, food = make.merchant("mill", points=points[:1]), make.merchant("press", points=points[1:]), make.category("staples")
    made = [
        make.product(mill, code="rice", price=2_490, name_zh="大米", name_en="Rice", on_hand=50, category=food),
        make.product(mill, code="flour", price=1_490, name_zh="面粉", name_en="Flour", on_hand=50, category=food),
    ]
    perform(operations.refresh_search_terms, [variant.product_id for variant in made], [])
    make.product(press, code="oil", price=6_990, name_zh="菜油", name_en="Oil", on_hand=50, category=make.category("fruit"))


def assert_nothing_leaks(app: Flask, worlds: list[tuple[dict[str, str], dict[str, str], User | None]]) -> set[str]:
    """Each page under each world, after the others have filled what is kept, is what it is when nothing was kept.

    The names of the parts that were kept.
    """
    names: set[str] = set()
    for path in PAGES:
        cold = []
        for world in worlds:
            forget_all()
            cold.append(drawn(app, path, *world))
            names |= {str(key[2]) for key in parts._kept}  # behind the prefix and the language of the address
        forget_all()
        for turn in (worlds, worlds[::-1]):
            for world in turn:
                assert drawn(app, path, *world) == cold[worlds.index(world)], (path, world)
    return names


@pytest.mark.parametrize("cookies", WORLDS.values(), ids=WORLDS.keys())
def test_what_a_reader_chose_shows_on_their_own_pages_only(app: Flask, shelves: None, cookies: list[dict[str, str]]) -> None:
    assert_nothing_leaks(app, [(chosen, {}, None) for chosen in cookies])


@pytest.mark.parametrize("extra", REQUESTS.values(), ids=REQUESTS.keys())
def test_what_a_request_says_shows_on_its_own_pages_only(app: Flask, shelves: None, extra: list[dict[str, str]]) -> None:
    assert_nothing_leaks(app, [({}, said, None) for said in extra])


def test_what_is_a_persons_shows_on_their_own_pages_only(app: Flask, make: Factories, shelves: None) -> None:
    people = [make.user(), make.user()]
    assert_nothing_leaks(app, [({}, {}, None), *(({}, {}, person) for person in people)])


def test_every_kept_part_is_among_those_that_were_compared(app: Flask, shelves: None) -> None:
    written = set(re.findall(r'{% kept "([^"]+)"', "".join(file.read_text() for file in Path(app.root_path, "templates").rglob("*.html"))))
    seen = assert_nothing_leaks(app, [({"elder_mode": "1", "point": "tianchenghu"}, {}, None), ({"point": "yuxiyuan"}, {}, None)])
    assert written - seen == set()
