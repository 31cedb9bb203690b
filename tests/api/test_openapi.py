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


def test_every_schema_has_a_name_of_its_own(document: dict[str, Any]) -> None:
    """Generated clients name their classes by the titles: two of one name, and one of them is lost."""
    titles = [schema["title"] for schema in document["components"]["schemas"].values()]
    assert sorted(titles) == sorted(set(titles))
    assert all(re.fullmatch(r"[A-Za-z]+", name) for name in document["components"]["schemas"])


def test_times_days_and_states_say_what_they_are(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    wrong = []
    for name, schema in schemas.items():
        for field, described in schema.get("properties", {}).items():
            kinds = described.get("anyOf", [described])
            formats = {kind.get("format") for kind in kinds}
            if (field.endswith("_at") or field in {"at", "valid_until", "device_time"}) and "date-time" not in formats:
                wrong.append(f"{name}.{field}")
            if field.endswith("_on") and "date" not in formats:
                wrong.append(f"{name}.{field}")
            if field in {"state", "method", "kind", "purpose", "outcome", "flow"} and not any(
                "$ref" in kind or "enum" in kind or "const" in kind for kind in kinds
            ):
                wrong.append(f"{name}.{field}")
    assert wrong == []


def test_what_is_answered_is_always_there(document: dict[str, Any]) -> None:
    page = document["components"]["schemas"]["ProductItem"]
    assert set(page["required"]) == set(page["properties"])


def test_what_may_be_left_out_has_no_empty_default(document: dict[str, Any]) -> None:
    """Generators of TypeScript take a field with a default for one that is always there, and ask for it."""
    payment = document["components"]["schemas"]["PaymentIn"]
    assert payment["required"] == ["method"]
    assert "default" not in payment["properties"]["pin"]


def test_refusals_of_the_wallet_are_described(document: dict[str, Any]) -> None:
    for path in ("/api/v1/orders", "/api/v1/bill-payments"):
        assert "insufficient_funds" in document["paths"][path]["post"]["responses"]["402"]["description"]
    assert "401" in document["paths"]["/api/v1/auth/tokens/refresh"]["post"]["responses"]
    assert "wallet_not_open" in document["paths"]["/api/v1/wallet"]["get"]["responses"]["404"]["description"]
