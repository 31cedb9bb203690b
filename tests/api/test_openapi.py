"""The API's description of itself names every route and only what is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from shop.api.v1 import openapi

pytestmark = pytest.mark.one_engine


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    answer = client.get("/api/v1/openapi.json")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    described: dict[str, Any] = answer.get_json()
    return described


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"]
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def test_it_is_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    assert document["info"]["title"] == "Linli API"
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


def test_every_route_is_described(document: dict[str, Any], app: Flask) -> None:
    routes = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/") and rule.endpoint not in {"api.openapi", "api.docs"}
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {(path, method) for path, method, _ in operations(document)} == routes


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    missing = [reference for reference in references(document) if reference.removeprefix("#/components/schemas/") not in schemas]
    assert missing == []


def test_names_of_operations_are_unique_and_places_in_paths_are_described(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))
    for path, _, operation in operations(document):
        described = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "path"}
        assert described == set(re.findall(r"{(\w+)}", path))


def test_it_says_who_needs_a_token_and_which_calls_take_a_key(document: dict[str, Any]) -> None:
    def has_key(path: str, method: str) -> bool:
        return any(parameter["name"] == "Idempotency-Key" for parameter in document["paths"][path][method]["parameters"])

    assert document["paths"]["/api/v1/me"]["get"]["security"] == [{"bearer": []}]
    assert document["paths"]["/api/v1/communities"]["get"]["security"] == []
    assert has_key("/api/v1/me/pickup-point", "put")
    assert not has_key("/api/v1/me", "get")
    assert not has_key("/api/v1/auth/tokens", "post")


def test_refusals_are_problems(document: dict[str, Any]) -> None:
    answers = document["paths"]["/api/v1/me/pickup-point"]["put"]["responses"]
    for status in ("401", "404", "422"):
        assert answers[status]["content"]["application/problem+json"]["schema"] == {"$ref": "#/components/schemas/Problem"}


def test_it_is_not_sent_again_while_it_is_the_same(client: FlaskClient) -> None:
    first = client.get("/api/v1/openapi.json")
    again = client.get("/api/v1/openapi.json", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_the_page_for_people_shows_every_call(client: FlaskClient, document: dict[str, Any]) -> None:
    page = client.get("/api/v1/docs")
    assert page.status_code == 200
    for path, _, operation in operations(document):
        assert f"<code>{path}</code>" in page.text
        assert f'id="{operation["operationId"]}"' in page.text


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "string"}, "string"), ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "integer or null"),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Variant"}}, "list of Variant"),
        ({"enum": ["a", "b"]}, "a | b"), ({}, "any"),
    ],
)
def test_kinds_are_said_in_a_word_or_two(schema: dict[str, Any], words: str) -> None:
    assert openapi.kind_of(schema) == words
