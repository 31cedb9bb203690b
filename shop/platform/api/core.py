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

from flask import Blueprint, Response, request
from pydantic import BaseModel, ConfigDict, ValidationError

from shop.kernel import gate
from shop.kernel.db import perform
from shop.kernel.errors import Invalid, ShopError, sentence
from shop.kernel.text import MalformedBody, strict_json
from shop.platform import bodies, idempotency
from shop.platform.access import Access
from shop.platform.actor import Actor
from shop.platform.api.complaints import said
from shop.platform.http import answer_refusal, problem, protection
from shop.platform.language import words

bp = Blueprint("api", __name__, url_prefix="/api/v1")
protection.exempt(bp)

UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
BYTES_OF_A_VALUE = 16  # of the bodies we ask for, each value with its name takes more
MOST_ERRORS = 20
LONGEST_STEP = 40
INVALID = sentence("Please check what you entered.")
Guard = Callable[[Callable[..., Any]], Callable[..., Any]]


class Schema(BaseModel):
    """What goes in or comes out: nothing unknown, nothing converted behind the caller's back."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_serialization_defaults_required=True)


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
    refuses: tuple[type[ShopError], ...]
    stores_answer: bool
    module: str


ENDPOINTS: list[Endpoint] = []


def route(
    method: str, path: str, guard: Guard, *, summary: str, tag: str, body: type[Schema] | None = None, query: type[Schema] | None = None,
    answers: dict[int, type[Schema] | None], refuses: tuple[type[ShopError], ...] = (), stores_answer: bool = True,
    limit: Guard | None = None, most_bytes: int = bodies.USUAL.most_bytes,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Attach a resource view: `view(actor, **path_arguments, [body=], [query=])` returning `(Schema or dict, status)`.

    What it returns is held against the schema of its status, so that the description is true. `refuses` names refusals whose status
    does not follow from the kind of route. Unsafe methods honour Idempotency-Key unless `stores_answer` is off (answers that hold
    secrets are never kept). `limit` counts a call before anything of it is read; bodies of more than `most_bytes` are refused unread.
    """

    def attach(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def run(actor: Actor, **arguments: Any) -> Response:
            key = request.headers.get("Idempotency-Key") if method in UNSAFE and stores_answer else None
            if key is not None:
                idempotency.checked_key(key)
            if query is not None:
                arguments["query"] = parsed_query(query)
            if body is not None:
                arguments["body"] = parsed_body(body, most_bytes // BYTES_OF_A_VALUE)
            elif method in UNSAFE and request.get_data(cache=True) not in {b"", b"{}"}:
                raise MalformedBody()
            if key is not None:
                return once(actor, key, lambda: respond(view(actor, **arguments), answers))
            return respond(view(actor, **arguments), answers)

        guarded = bodies.takes(most_bytes)(guard(limit(run) if limit else run))
        bp.add_url_rule(path, endpoint=view.__name__, view_func=guarded, methods=[method])
        described = (method, bp.url_prefix + path, summary, tag, guarded.access)  # type: ignore[operator, attr-defined]
        ENDPOINTS.append(Endpoint(*described, body, query, answers, refuses, stores_answer, view.__module__))
        return guarded

    return attach


def respond(result: Any, answers: dict[int, type[Schema] | None]) -> Response:
    """An answer in the shape its status is described with; facts told as a dictionary are read into it."""
    content, status = result if isinstance(result, tuple) else (result, 200)
    schema = answers[status]
    if schema is None:
        return Response(status=status)
    document = content if isinstance(content, BaseModel) else schema.model_validate(content, strict=False)
    return Response(document.model_dump_json(), status=status, mimetype="application/json")


def once(actor: Actor, key: str, work: Callable[[], Response]) -> Response:
    """Answer a repeated key with its first answer. Refusals are answers too; faults of ours and "too often" are not."""
    person, path = actor.user_id or 0, f"{request.method} {request.path}"
    key = key if actor.is_signed_in else idempotency.strangers_key(key, strangers_marks())
    digest = idempotency.fingerprint(request.method, request.full_path, request.get_data(cache=True))
    stored = perform(idempotency.begin, person, path, key, digest)
    if stored is not None:
        kind = "application/problem+json" if stored.status >= 400 else "application/json"
        return Response(stored.body, status=stored.status, mimetype=kind, headers={"Idempotent-Replayed": "true"})
    try:
        answer = work()
    except ShopError as error:
        if error.status >= 500 or error.status == 429:  # it will pass: asked again later, the answer is another
            perform(idempotency.abandon, person, path, key)
            raise
        answer = answer_refusal(error)  # type: ignore[assignment]
    except BaseException:
        perform(idempotency.abandon, person, path, key)
        raise
    perform(idempotency.complete, person, path, key, idempotency.Answer(answer.status_code, answer.get_data(as_text=True)))
    return answer


def strangers_marks() -> tuple[str, ...]:
    """What tells one caller without an account from another: the address, and what its program says of itself."""
    return request.remote_addr or "", request.headers.get("Authorization", ""), request.headers.get("User-Agent", "")


class InvalidBody(Invalid):
    """The body has the wrong shape; `errors` says where."""

    message = INVALID


def parsed_body(schema: type[Schema], most_values: int) -> Schema:
    if request.mimetype != "application/json":
        raise UnsupportedBody()
    return checked(schema, strict_json(request.get_data(cache=True), most_values))


def parsed_query(schema: type[Schema]) -> Schema:
    """Query parameters; a parameter given twice is refused."""
    if any(len(values) > 1 for values in request.args.listvalues()):
        raise InvalidBody(errors=[{"field": "query", "message": words(sentence("A parameter was given twice."))}])
    return checked(schema, dict(request.args), strict=False)


def checked(schema: type[Schema], document: Any, strict: bool = True) -> Schema:
    try:
        return schema.model_validate(document, strict=strict)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        problems = [{"field": place_of(one["loc"]), "message": said(one)} for one in found[:MOST_ERRORS]]
        raise InvalidBody(errors=problems, more=len(found) - len(problems)) from None


def place_of(steps: tuple[int | str, ...]) -> str:
    """Where in the body; names that the caller made up are not repeated at any length."""
    short = [step if len(step) <= LONGEST_STEP else f"{step[:LONGEST_STEP]}…" for step in map(str, steps)]
    return ".".join(short) or "body"


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
    except (ValueError, binascii.Error, RecursionError):
        raise BadCursor() from None
    if not isinstance(values, list) or [type(value) for value in values] != list(kinds) or not all(is_place(value) for value in values):
        raise BadCursor()
    return tuple(values)


def is_place(value: int | str) -> bool:
    """Whether a place in a list is one that both engines can be asked about."""
    return 0 <= value <= gate.MOST_NUMBER if isinstance(value, int) else gate.is_readable(value)


def _answer_invalid(error: InvalidBody) -> Response:
    more = {"more_errors": count} if (count := error.details.get("more")) else {}
    return problem(error.status, error.code, words(INVALID), errors=error.details["errors"], **more)


bp.register_error_handler(InvalidBody, _answer_invalid)
