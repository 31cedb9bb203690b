"""The API described by itself: OpenAPI 3.1 and a plain page to read, both written from the register of routes."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from flask import current_app, render_template, request
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import JsonSchemaMode, models_json_schema
from werkzeug.wrappers import Response

from config import VERSION
from shop.platform.access import open_to_everyone
from shop.platform.actor import Actor
from shop.platform.api.core import ENDPOINTS, UNSAFE, Endpoint, bp

PLACE = re.compile(r"<(?:(?P<kind>\w+):)?(?P<name>\w+)>")
REFERENCE = "#/components/schemas/{model}"
ASKED: JsonSchemaMode = "validation"
ANSWERED: JsonSchemaMode = "serialization"
DESCRIPTION = (
    "The shop of the neighbourhood for programs. Amounts end in `_minor` and count fen of CNY; times are RFC 3339; lists are pages "
    "`{items, next_cursor}`; refusals are RFC 9457 problems with a `code`. Every unsafe call takes an `Idempotency-Key`: a repeat "
    "with the same key and content gets the first answer, marked `Idempotent-Replayed: true`."
)


class FieldProblem(BaseModel):
    """What is wrong with one field."""

    field: str
    message: str


class Problem(BaseModel):
    """A refusal (RFC 9457): `code` is for programs, `title` for people in the language asked for. Some codes carry further facts."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    code: str
    field: str | None = Field(default=None, description="The field of the request that it is about.")
    errors: list[FieldProblem] = Field(default=[], description="What is wrong with which field.")
    more_errors: int | None = Field(default=None, description="How many more there are than `errors` tells.")
    reference: str | None = Field(default=None, description="What to tell us when it was our fault.")


PROBLEMS = {
    400: "The request cannot be read, or names a host this is not.",
    401: "No live access token was sent, although one is needed.",
    402: "The wallet does not pay; nothing was charged.",
    403: "The token's holder may not do this, or must confirm an authenticator code first.",
    404: "There is no such thing, or it is not yours.",
    409: "It is not possible in the present state, or the same key is still being worked on.",
    413: "The body is larger than this call takes.",
    414: "The address is too long.",
    415: "The body is not application/json.",
    422: "Something in the request has the wrong shape, or the key was used for another request.",
    429: "Too many attempts; `Retry-After` says when to come again.",
    502: "The card provider refuses.",
    503: "Too busy, or a partner does not answer; nothing was changed. `Retry-After` says when to come again.",
}
HEADERS = {
    401: {"WWW-Authenticate": {"description": "`Bearer`", "schema": {"type": "string"}}},
    429: {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}},
    503: {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}},
}


@bp.get("/openapi.json")
@open_to_everyone
def openapi(actor: Actor) -> Response:
    answer = current_app.response_class(current_app.json.dumps(document()), mimetype="application/json")
    answer.headers["Cache-Control"] = "public, max-age=300"
    answer.add_etag()
    return answer.make_conditional(request)


@bp.get("/docs")
@open_to_everyone
def docs(actor: Actor) -> str:
    """The same for people."""
    by_tag: dict[str, list[Endpoint]] = {}
    for endpoint in ENDPOINTS:
        by_tag.setdefault(endpoint.tag, []).append(endpoint)
    return render_template("api/docs.html", document=document(), tags=by_tag, path_of=path_of, fields_of=fields_of, kind_of=kind_of)


@cache
def document() -> dict[str, Any]:
    """The whole OpenAPI document; made once, because routes do not change while the shop runs."""
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(path_of(endpoint), {})[endpoint.method.lower()] = operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Linli API", "version": VERSION, "description": DESCRIPTION},
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(endpoint.tag for endpoint in ENDPOINTS)],
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "description": "From POST /api/v1/auth/tokens."}},
        },
    }


def path_of(endpoint: Endpoint) -> str:
    return PLACE.sub(r"{\g<name>}", endpoint.path)


def operation(endpoint: Endpoint) -> dict[str, Any]:
    described: dict[str, Any] = {
        "summary": endpoint.summary,
        "operationId": f"{endpoint.method.lower()}{re.sub(r'[^a-zA-Z0-9]+', '_', path_of(endpoint).removeprefix('/api/v1'))}".rstrip("_"),
        "tags": [endpoint.tag],
        "parameters": parameters(endpoint),
        "security": [] if endpoint.access.who == "everyone" else [{"bearer": []}],
        "responses": responses(endpoint),
    }
    if endpoint.access.permission is not None:
        held = f"Needs {endpoint.access.permission.value}, which is held by {', '.join(endpoint.access.roles)}"
        described["description"] = f"{held}; and a sign-in confirmed with an authenticator code."
    if endpoint.body is not None:
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": reference(endpoint.body)}}}
    return described


def parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for place in PLACE.finditer(endpoint.path):
        kind = {"type": "integer"} if place["kind"] == "id" else {"type": "string"}
        found.append({"name": place["name"], "in": "path", "required": True, "schema": kind})
    if endpoint.query is not None:
        found += [
            {"name": name, "in": "query", "required": is_needed, "schema": schema} for name, schema, is_needed in fields_of(endpoint.query)
        ]
    if takes_key(endpoint):
        found.append(
            {
                "name": "Idempotency-Key", "in": "header", "required": False,
                "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
                "description": "A name of your own for this call. Repeating the call with it is safe for 30 days.",
            }
        )
    return found


def takes_key(endpoint: Endpoint) -> bool:
    return endpoint.method in UNSAFE and endpoint.stores_answer


def responses(endpoint: Endpoint) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    for status, schema in endpoint.answers.items():
        answers[str(status)] = {"description": "Done."}
        if schema is not None:
            answers[str(status)]["content"] = {"application/json": {"schema": reference(schema, ANSWERED)}}
    for status in problem_statuses(endpoint):
        codes = sorted({refusal.code for refusal in endpoint.refuses if refusal.status == status})
        told = {"description": PROBLEMS[status] + (f" Codes: {', '.join(codes)}." if codes else "")}
        headers = {"headers": HEADERS[status]} if status in HEADERS else {}
        content = {"application/problem+json": {"schema": reference(Problem, ANSWERED)}}
        answers.setdefault(str(status), {**told, **headers, "content": content})
    return answers


def problem_statuses(endpoint: Endpoint) -> list[int]:
    """Which refusals a route can give, from what it asks for and what it names."""
    wanted = {400, 503, *(refusal.status for refusal in endpoint.refuses)}
    if endpoint.access.who != "everyone":
        wanted.add(401)
    if endpoint.access.who == "staff":
        wanted.add(403)
    if PLACE.search(endpoint.path) or endpoint.body is not None or endpoint.query is not None:
        wanted.add(404)
    if endpoint.method in UNSAFE:
        wanted |= {400, 409, 413, 422, 429}
    if endpoint.body is not None:
        wanted.add(415)
    if endpoint.query is not None:
        wanted |= {414, 422}
    return sorted(wanted)


def reference(schema: type[BaseModel], mode: JsonSchemaMode = ASKED) -> dict[str, str]:
    return described_schemas()[0][schema, mode]


def schemas() -> dict[str, Any]:
    """Every body, query and answer by its name."""
    return described_schemas()[1]


@cache
def described_schemas() -> tuple[dict[tuple[type[BaseModel], JsonSchemaMode], dict[str, Any]], dict[str, Any]]:
    """What refers to each schema, and all of them described. What is answered is always there, also where asking could leave it out."""
    used: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {(Problem, ANSWERED): None}
    for endpoint in ENDPOINTS:
        used.update({(schema, ASKED): None for schema in (endpoint.body, endpoint.query) if schema is not None})
        used.update({(schema, ANSWERED): None for schema in endpoint.answers.values() if schema is not None})
    found, definitions = models_json_schema(list(used), ref_template=REFERENCE)
    for described in definitions["$defs"].values():
        for field in described.get("properties", {}).values():
            if field.get("default", ...) is None:
                del field["default"]  # generators of TypeScript take a field with a default for one that is always there
    return {key: found[key] for key in used}, definitions["$defs"]


def fields_of(schema: type[BaseModel]) -> list[tuple[str, dict[str, Any], bool]]:
    """The fields of a schema: name, JSON schema, whether it must be given."""
    mode = ASKED if (schema, ASKED) in described_schemas()[0] else ANSWERED
    described = schemas()[reference(schema, mode)["$ref"].rsplit("/", 1)[-1]]
    needed = set(described.get("required", ()))
    return [(name, field, name in needed) for name, field in described.get("properties", {}).items()]


def kind_of(schema: dict[str, Any]) -> str:
    """A JSON schema in a word or two: `integer`, `string or null`, `list of Variant`."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if "anyOf" in schema:
        return " or ".join(kind_of(one) for one in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {kind_of(schema.get('items', {}))}"
    if "const" in schema or "enum" in schema:
        return " | ".join(str(value) for value in schema.get("enum", [schema.get("const")]))
    return str(schema.get("type", "any"))
