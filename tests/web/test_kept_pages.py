"""Pages that are drawn once for all strangers: nothing of one reader reaches another, and nothing old is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask, flash, get_flashed_messages, render_template_string
from flask.testing import FlaskClient

from shop.kernel.db import transaction
from shop.kernel.money import Money
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
    assert 'value="/products/rice?q=&lt;b&gt;"' in look(client, "/products/rice?q=<b>").replace("%3Cb%3E", "&lt;b&gt;")
    page = look(client, "/products/rice?q=eggs")
    assert 'value="eggs"' in page
    assert "&lt;b&gt;" not in page


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
