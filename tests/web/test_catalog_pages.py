"""The catalogue's pages through the client, in both languages."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from shop.catalog import operations
from shop.kernel import memory
from shop.kernel.db import perform
from shop.models.pickup import PickupPoint
from tests.support.factories import Factories
from tests.support.queries import counted


@pytest.fixture
def point(make: Factories) -> PickupPoint:
    """A point with a shelf: two merchants, of which one delivers here."""
    point = make.point("tianchenghu", name_zh="甜城湖自提点", name_en="Tianchenghu point")
    category = make.category("fruit", name_zh="水果", name_en="Fruit")
    coop = make.merchant("orange-coop", points=[point], name_zh="橙乡合作社", name_en="Orange Co-op")
    loose = make.product(
        coop, code="blood-orange-loose", category=category, price=580, by_weight=True, name_zh="资中血橙散装", name_en="Blood orange, loose"
    )
    make.product(make.merchant("far", name_zh="远方", name_en="Far"), code="far-fruit", category=category)
    perform(operations.refresh_search_terms, [loose.product_id], [])
    return point


def test_a_category_shows_what_comes_to_my_point(client: FlaskClient, point: PickupPoint) -> None:
    client.set_cookie("point", point.slug)
    page = client.get("/categories/fruit").get_data(as_text=True)
    assert "Blood orange, loose" in page
    assert "¥5.80/" in page.replace("</span>", "")
    assert "far-fruit" not in page


def test_without_a_point_everything_on_sale_is_shown(client: FlaskClient, point: PickupPoint) -> None:
    page = client.get("/categories/fruit").get_data(as_text=True)
    assert "/products/far-fruit" in page
    assert "Not delivered to your point" in page


def test_pages_speak_chinese_to_chinese_readers(client: FlaskClient, point: PickupPoint) -> None:
    client.set_cookie("locale", "zh")
    page = client.get("/categories/fruit").get_data(as_text=True)
    assert '<html lang="zh-CN"' in page
    assert "资中血橙散装" in page
    assert "水果" in page


def test_a_product_says_what_the_law_wants_said(client: FlaskClient, point: PickupPoint) -> None:
    client.set_cookie("point", point.slug)
    page = client.get("/products/blood-orange-loose").get_data(as_text=True)
    for words in ("No 7-day return: fresh or perishable", "Priced by weight", "¥11.60/kg", "Origin", "Shelf life", "10 days"):
        assert words in page


@pytest.mark.parametrize("text", ["血橙", "xuecheng", "xc", "blood"])
def test_search_finds_and_says_so(client: FlaskClient, point: PickupPoint, text: str) -> None:
    assert "/products/blood-orange-loose" in client.get("/search", query_string={"q": text}).get_data(as_text=True)


def test_a_search_without_result_says_what_to_do(client: FlaskClient, point: PickupPoint) -> None:
    page = client.get("/search?q=zzzz").get_data(as_text=True)
    assert "Nothing found" in page
    assert "/categories/fruit" in page


@pytest.mark.parametrize("path", ["/categories/none", "/products/none", "/shops/none"])
def test_what_is_not_there_is_a_plain_404(client: FlaskClient, point: PickupPoint, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "could not find" in answer.get_data(as_text=True)


def test_a_search_too_long_is_refused_with_a_sentence(client: FlaskClient, point: PickupPoint) -> None:
    answer = client.get("/search", query_string={"q": "橙" * 61})
    assert answer.status_code == 422
    assert "fewer than 60" in answer.get_data(as_text=True)


@pytest.mark.parametrize("query", ["after=x", "after=1-2-3", "after=-1", "after=" + "9" * 40 + "-1", "sort=nothing", "page=-1"])
def test_odd_addresses_do_no_harm(client: FlaskClient, point: PickupPoint, query: str) -> None:
    assert client.get(f"/categories/fruit?{query}").status_code == 200
    assert client.get(f"/search?q=x&{query}").status_code == 200


def test_a_category_page_costs_the_same_for_one_and_for_many(client: FlaskClient, point: PickupPoint, make: Factories) -> None:
    client.set_cookie("point", point.slug)
    coop = make.merchant("second", points=[point])

    def statements() -> int:
        memory.forget()
        with counted() as seen:
            assert client.get("/categories/fruit").status_code == 200
        return len(seen)

    alone = statements()
    category_id = make.product(coop).product_id
    assert category_id
    for _ in range(20):
        make.product(coop)
    assert statements() == alone


def test_home_greets_strangers_and_offers_the_choice_of_a_point(client: FlaskClient, point: PickupPoint) -> None:
    page = client.get("/").get_data(as_text=True)
    assert "Choose your pick-up point" in page
    client.set_cookie("point", point.slug)
    assert "Order by" in client.get("/").get_data(as_text=True)
