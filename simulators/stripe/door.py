"""The HTTP door of `/v1`: key, parameters, idempotency, planned faults, the answer."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import socket
import time
from typing import Any

from flask import Blueprint, Flask, Response, request

from simulators.stripe.encoding import parse
from simulators.stripe.errors import ApiError
from simulators.stripe.expansion import expand
from simulators.stripe.idempotency import Claim, fingerprint
from simulators.stripe.identifiers import new_identifier
from simulators.stripe.operations import OPERATIONS, Operation
from simulators.stripe.parameters import check_metadata, checked, params_class
from simulators.stripe.settings import Failure
from simulators.stripe.store import public
from simulators.stripe.world import World

KEY = re.compile(r"^(sk|rk)_test_[A-Za-z0-9_]{3,}$")


def register(app: Flask, world: World) -> None:
    """Serve every operation on `app`."""
    blueprint = Blueprint("api", __name__)
    for number, operation in enumerate(OPERATIONS):
        path = operation.path.replace("<id>", "<identifier>")
        view = _view(world, operation)
        blueprint.add_url_rule(path, f"operation_{number}", view, methods=[operation.method])
    blueprint.add_url_rule("/v1/<path:rest>", "unknown", _unknown(world), methods=["GET", "POST", "DELETE", "PUT", "PATCH"])
    app.register_blueprint(blueprint)


def _view(world: World, operation: Operation) -> Any:
    def view(identifier: str | None = None) -> Response:
        return _answer(world, operation, identifier)

    return view


def _unknown(world: World) -> Any:
    def view(rest: str) -> Response:
        return _answer(world, None, None)

    return view


def _answer(world: World, operation: Operation | None, identifier: str | None) -> Response:
    request_id = new_identifier("req")
    failure = _take_failure(world)
    headers: dict[str, str] = {}
    try:
        account = _account()
        if operation is None:
            raise ApiError(404, f"Unrecognized request URL ({request.method}: {request.path}).")
        status, body, headers = _carry_out(world, operation, identifier, request_id, account, failure)
    except ApiError as refusal:
        status, body = refusal.status, refusal.body(request_id)
    _note(world, request_id, status, headers, failure)
    if failure is not None and failure.drop_answer:
        _hang_up()
    return _response(status, body, request_id, headers)


def _carry_out(
    world: World, operation: Operation, identifier: str | None, request_id: str, account: str, failure: Failure | None
) -> tuple[int, dict[str, Any], dict[str, str]]:
    source = request.form if request.method == "POST" else request.args
    tree = parse(source.items(multi=True))
    params = checked(tree, params_class(operation.params))
    check_metadata(params)
    key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
    with contextlib.ExitStack() as stack:
        claim = None
        if key:
            claim = stack.enter_context(Claim(world, account, key, request.path, fingerprint(tree)))
        if world.switches.api_delay_ms:
            time.sleep(world.switches.api_delay_ms / 1000)
        with world.unit({"id": request_id, "idempotency_key": key}, request.host_url.rstrip("/")) as unit:
            kept = claim.kept(unit) if claim else None
            if kept is not None:
                replayed = {"Idempotent-Replayed": "true", "Original-Request": kept["request_id"]}
                return kept["status"], kept["body"], {**replayed, **_advice(kept["status"])}
            saved = True
            try:
                if failure is not None and failure.status is not None:
                    saved = failure.saved
                    raise _injected(failure.status)
                paths = params.pop("expand", None) or []
                arguments = [identifier] if identifier is not None else []
                body = expand(unit, public(operation.handler(unit, params, *arguments)), paths)
                status = 200
            except ApiError as refusal:
                if not refusal.performed:
                    unit.abandon()
                status, body = refusal.status, refusal.body(request_id)
            if claim and saved:
                claim.keep(unit, status, body, request_id)
                return status, body, _advice(status)
            return status, body, {}


def _advice(status: int) -> dict[str, str]:
    # A broken call whose answer is kept would only be replayed: Stripe tells the SDK not to try again.
    return {"Stripe-Should-Retry": "false"} if status >= 500 else {}


def _injected(status: int) -> ApiError:
    if status == 429:
        return ApiError(429, "Request rate limit exceeded. Learn more about rate limits here.", code="rate_limit")
    if status == 402:
        return ApiError(402, "Your card was declined.", kind="card_error", code="card_declined", decline_code="generic_decline")
    if status == 409:
        message = "This object cannot be accessed right now because another API request is accessing it."
        return ApiError(409, message, code="lock_timeout")
    kind = "api_error" if status >= 500 else "invalid_request_error"
    return ApiError(status, "An error occurred. This one was planned by a test.", kind=kind)


def _account() -> str:
    """The secret key of the call. Raises a 401 (403 for a publishable key)."""
    authorization = request.headers.get("Authorization", "")
    scheme, _, value = authorization.partition(" ")
    key = value.strip()
    if scheme.lower() == "basic":
        with contextlib.suppress(ValueError, UnicodeDecodeError):
            key = base64.b64decode(key).decode().partition(":")[0]
    if not key:
        raise ApiError(
            401,
            "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth "
            "(e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
        )
    if key.startswith("pk_"):
        raise ApiError(
            403,
            "This API call cannot be made with a publishable API key. Please use a secret API key.",
            code="secret_key_required",
        )
    if not KEY.match(key):
        raise ApiError(401, f"Invalid API Key provided: {key[:8]}{'*' * 12}")
    return key


def _take_failure(world: World) -> Failure | None:
    with world.lock:
        for failure in world.switches.failures:
            fits = request.path.startswith(failure.path_prefix) and failure.method in (None, request.method)
            if fits and failure.count > 0:
                failure.count -= 1
                if failure.count == 0:
                    world.switches.failures.remove(failure)
                return failure
    return None


def _note(world: World, request_id: str, status: int, headers: dict[str, str], failure: Failure | None) -> None:
    """One line of the log: what was called and what came of it, no values of parameters."""
    names = sorted({name.partition("[")[0] for name in (*request.args, *request.form)})
    world.log.append(
        {
            "at": int(world.moment()),
            "request_id": request_id,
            "method": request.method,
            "path": request.path,
            "idempotency_key": request.headers.get("Idempotency-Key"),
            "parameters": names,
            "status": status,
            "replayed": "Idempotent-Replayed" in headers,
            "dropped": bool(failure and failure.drop_answer),
            "injected": bool(failure and failure.status is not None),
        }
    )


def _hang_up() -> None:
    """Close the connection so that the caller gets no answer; the work is done and committed."""
    connection = request.environ.get("werkzeug.socket")
    if isinstance(connection, socket.socket):
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


def _response(status: int, body: dict[str, Any], request_id: str, headers: dict[str, str]) -> Response:
    response = Response(json.dumps(body, indent=2, ensure_ascii=False), status=status, content_type="application/json")
    response.headers["Request-Id"] = request_id
    response.headers["Stripe-Version"] = request.headers.get("Stripe-Version", "")
    if request.headers.get("Idempotency-Key"):
        response.headers["Idempotency-Key"] = request.headers["Idempotency-Key"]
    response.headers.extend(headers)
    return response
