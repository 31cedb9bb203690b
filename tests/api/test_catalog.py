"""Products and categories through the API."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from shop.catalog import operations
from shop.kernel.db import perform
from shop.models.catalog import Variant
from tests.support.factories import Factories


@pytest.fixture
def shelf(make: Factories) -> None:
    point = make.point("tianchenghu", community=make.community("lake"))
    category = make.category("fruit")
    coop = make.merchant("orange-coop", points=[point])
    for number in range(5):
        make.product(coop, code=f"fruit-{number}", category=category, price=500 + number, position=number)
    make.product(make.merchant("far"), code="elsewhere", category=category)


def test_products_come_in_pages_of_a_cursor(client: FlaskClient, shelf: None) -> None:
    seen: list[str] = []
    cursor = None
    while True:
        answer = client.get("/api/v1/products", query_string={"community": "lake", "limit": "2", **({"cursor": cursor} if cursor else {})})
        assert answer.status_code == 200
        body = answer.get_json()
        seen += [item["code"] for item in body["items"]]
        cursor = body["next_cursor"]
        if cursor is None:
            break
    assert seen == [f"fruit-{number}" for number in range(5)]
    assert body["items"][0]["price_minor"] == 504
    assert body["items"][0]["arrives_on"] is not None


def test_a_product_has_its_variants(client: FlaskClient, shelf: None) -> None:
    body = client.get("/api/v1/products/fruit-1").get_json()
    assert [variant["code"] for variant in body["variants"]] == ["fruit-1"]
    assert body["variants"][0]["price_minor"] == 501


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("limit=0", 422, "invalid"),
        ("limit=x", 422, "invalid"),
        ("limit=1&limit=2", 422, "invalid"),
        ("nonsense=1", 422, "invalid"),
        ("cursor=abc", 422, "bad_cursor"),
        ("category=none", 404, "not_found"),
        ("merchant=none", 404, "not_found"),
        ("community=none", 404, "not_found"),
        ("q=" + "x" * 61, 422, "invalid"),
    ],
)
def test_bad_queries_are_problems(client: FlaskClient, shelf: None, query: str, status: int, code: str) -> None:
    answer = client.get(f"/api/v1/products?{query}")
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)
    assert answer.mimetype == "application/problem+json"


def test_an_unknown_product_is_a_problem_document(client: FlaskClient, shelf: None) -> None:
    answer = client.get("/api/v1/products/none")
    assert answer.status_code == 404
    assert answer.get_json()["code"] == "not_found"


def test_an_unknown_address_is_a_problem_document_too(client: FlaskClient) -> None:
    answer = client.get("/api/v1/nowhere")
    assert answer.status_code == 404
    assert answer.mimetype == "application/problem+json"


def found_by_search(*goods: Variant) -> None:
    perform(operations.refresh_search_terms, [one.product_id for one in goods], [])


def test_a_search_is_counted_by_what_it_can_be_narrowed_by(client: FlaskClient, make: Factories) -> None:
    fruit, dried = make.category("fruit"), make.category("dried")
    coop, hall = make.merchant("orange-coop"), make.merchant("fruit-hall")
    found_by_search(
        make.product(coop, code="one", category=fruit, name_zh="鲜无花果", name_en="Fresh figs"),
        make.product(hall, code="two", category=fruit, name_zh="无花果", name_en="Figs"),
        make.product(coop, code="three", category=dried, name_zh="无花果干", name_en="Dried figs"),
    )
    body = client.get("/api/v1/search/facets", query_string={"q": "无花果"}).get_json()
    assert (body["products"], body["is_lower_bound"]) == (3, False)
    assert {one["value"]: one["products"] for one in body["categories"]} == {"fruit": 2, "dried": 1}
    assert {one["value"]: one["products"] for one in body["merchants"]} == {"orange-coop": 2, "fruit-hall": 1}
    body = client.get("/api/v1/search/facets", query_string={"q": "无花果", "category": "dried"}).get_json()
    assert (body["products"], {one["value"]: one["products"] for one in body["merchants"]}) == (1, {"orange-coop": 1})
    assert {one["value"]: one["products"] for one in body["categories"]} == {"fruit": 2, "dried": 1}, "what else could be chosen"
    assert client.get("/api/v1/search/facets", query_string={"q": "榴莲"}).get_json()["products"] == 0


def test_names_are_suggested_while_somebody_types(client: FlaskClient, make: Factories) -> None:
    found_by_search(make.product(make.merchant("orange-coop"), code="one", name_zh="鲜无花果", name_en="Fresh figs"))
    assert client.get("/api/v1/search/suggestions", query_string={"q": "无花"}).get_json() == {"items": ["Fresh figs"]}
    assert client.get("/api/v1/search/suggestions").get_json() == {"items": []}


@pytest.mark.parametrize(
    ("address", "status"),
    [("facets", 422), ("facets?q=" + "x" * 61, 422), ("facets?q=x&category=none", 404), ("suggestions?q=" + "x" * 61, 422)],
)
def test_what_cannot_be_searched_for_is_a_problem(client: FlaskClient, make: Factories, address: str, status: int) -> None:
    assert client.get(f"/api/v1/search/{address}").status_code == status
