"""What every resource shares: strict bodies, problems, idempotency keys, cursors, and the register OpenAPI is written from."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from flask import Blueprint, Response, current_app, request
from pydantic import BaseModel, ConfigDict, ValidationError

from shop.kernel.db import perform
from shop.kernel.errors import Invalid, ShopError, sentence
from shop.kernel.text import MalformedBody, strict_json
from shop.platform import idempotency
from shop.platform.access import Access
from shop.platform.actor import Actor
from shop.platform.http import answer_refusal, problem, protection
from shop.platform.language import words

bp = Blueprint("api", __name__, url_prefix="/api/v1")
protection.exempt(bp)

UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
INVALID = sentence("Please check what you entered.")
Guard = Callable[[Callable[..., Any]], Callable[..., Any]]


class Schema(BaseModel):
    """What goes in or comes out: nothing unknown, nothing converted behind the caller's back."""

    model_config = ConfigDict(extra="forbid", strict=True)


class UnsupportedBody(ShopError):
    code, status = "unsupported_media_type", 415
    message = sentence("Send application/json.")


class BadCursor(Invalid):
    code, field = "bad_cursor", "cursor"
    message = sentence("This cursor is not one of ours.")


@dataclass(frozen=True)
class Endpoint:
    """One documented route."""

    method: str
    path: str
    summary: str
    tag: str
    access: Access
    body: type[Schema] | None
    query: type[Schema] | None
    answers: dict[int, type[Schema] | None]
    stores_answer: bool


ENDPOINTS: list[Endpoint] = []


def route(
    method: str, path: str, guard: Guard, *, summary: str, tag: str, body: type[Schema] | None = None, query: type[Schema] | None = None,
    answers: dict[int, type[Schema] | None], stores_answer: bool = True,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Attach a resource view: `view(actor, **path_arguments, [body=], [query=])` returning `(Schema or dict, status)`.

    Unsafe methods honour Idempotency-Key unless `stores_answer` is off (answers that hold secrets are never kept).
    """

    def attach(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def run(actor: Actor, **arguments: Any) -> Response:
            if query is not None:
                arguments["query"] = parsed_query(query)
            if body is not None:
                arguments["body"] = parsed_body(body)
            elif method in UNSAFE and request.get_data(cache=True) not in {b"", b"{}"}:
                raise MalformedBody()
            key = request.headers.get("Idempotency-Key")
            if method in UNSAFE and key is not None and stores_answer:
                return once(actor, key, lambda: respond(view(actor, **arguments)))
            return respond(view(actor, **arguments))

        guarded = guard(run)
        bp.add_url_rule(path, endpoint=view.__name__, view_func=guarded, methods=[method])
        ENDPOINTS.append(
            Endpoint(method, bp.url_prefix + path, summary, tag, guarded.access, body, query, answers, stores_answer)  # type: ignore[operator, attr-defined]
        )
        return guarded

    return attach


def respond(result: Any) -> Response:
    content, status = result if isinstance(result, tuple) else (result, 200)
    if content is None:
        return Response(status=status)
    text = content.model_dump_json() if isinstance(content, BaseModel) else current_app.json.dumps(content)
    return Response(text, status=status, mimetype="application/json")


def once(actor: Actor, key: str, work: Callable[[], Response]) -> Response:
    """Answer a repeated key with its first answer. Refusals are answers too; faults of ours are not."""
    person, path = actor.user_id or 0, f"{request.method} {request.path}"
    idempotency.checked_key(key)
    digest = idempotency.fingerprint(request.method, request.full_path, request.get_data(cache=True))
    stored = perform(idempotency.begin, person, path, key, digest)
    if stored is not None:
        kind = "application/problem+json" if stored.status >= 400 else "application/json"
        return Response(stored.body, status=stored.status, mimetype=kind, headers={"Idempotent-Replayed": "true"})
    try:
        answer = work()
    except ShopError as error:
        if error.status >= 500:
            perform(idempotency.abandon, person, path, key)
            raise
        answer = answer_refusal(error)  # type: ignore[assignment]
    except BaseException:
        perform(idempotency.abandon, person, path, key)
        raise
    perform(idempotency.complete, person, path, key, idempotency.Answer(answer.status_code, answer.get_data(as_text=True)))
    return answer


class InvalidBody(Invalid):
    """The body has the wrong shape; `errors` says where."""

    message = INVALID


def parsed_body(schema: type[Schema]) -> Schema:
    if request.mimetype != "application/json":
        raise UnsupportedBody()
    return checked(schema, strict_json(request.get_data(cache=True)))


def parsed_query(schema: type[Schema]) -> Schema:
    """Query parameters; a parameter given twice is refused."""
    if any(len(values) > 1 for values in request.args.listvalues()):
        raise InvalidBody(errors=[{"field": "query", "message": words(sentence("A parameter was given twice."))}])
    return checked(schema, dict(request.args), strict=False)


def checked(schema: type[Schema], document: Any, strict: bool = True) -> Schema:
    try:
        return schema.model_validate(document, strict=strict)
    except ValidationError as error:
        problems = [
            {"field": ".".join(str(step) for step in found["loc"]) or "body", "message": found["msg"]}
            for found in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        raise InvalidBody(errors=problems) from None


def encode_cursor(*values: int | str) -> str:
    """An opaque place in a list."""
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None, *kinds: type) -> tuple[Any, ...] | None:
    """The values of a cursor, of the kinds expected; None for none. Raises `BadCursor`."""
    if cursor is None:
        return None
    try:
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,300}", cursor):
            raise ValueError(cursor)
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        raise BadCursor() from None
    if not isinstance(values, list) or [type(value) for value in values] != list(kinds):
        raise BadCursor()
    return tuple(values)


def _answer_invalid(error: InvalidBody) -> Response:
    return problem(error.status, error.code, words(INVALID), errors=error.details["errors"])


bp.register_error_handler(InvalidBody, _answer_invalid)
