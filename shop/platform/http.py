"""Refusals and faults as pages or problem documents, and the headers every answer carries."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, g, has_request_context, jsonify, make_response, redirect, render_template, request, url_for
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as WerkzeugResponse

from shop.kernel.errors import NotFound, ShopError, SignInRequired, sentence
from shop.platform.actor import ANONYMOUS, API_PREFIX
from shop.platform.language import spoken_moment, words

log = logging.getLogger("shop")
protection = CSRFProtect()

Answer = Response | WerkzeugResponse | tuple[str, int]

TITLES = {
    400: sentence("That request could not be understood."),
    403: sentence("You are not allowed to do that."),
    404: sentence("We could not find that."),
    405: sentence("That cannot be done here."),
    413: sentence("That is too large to send."),
    415: sentence("That kind of content is not accepted here."),
    429: sentence("Too many attempts. Please wait a while and try again."),
    500: sentence("Something went wrong on our side."),
    503: sentence("The shop is very busy. Nothing was changed; please try again in a moment."),
}


def this_page() -> str:
    """The way back to what the reader has before them: of an answer to a form, the page the form was on."""
    if request.method in {"GET", "HEAD"}:
        return request.full_path.rstrip("?")
    before = urlsplit(request.referrer or "")
    if before.netloc != request.host or not before.path:
        return "/"
    return f"{before.path}?{before.query}" if before.query else before.path


def wants_problem() -> bool:
    return request.path.startswith((API_PREFIX, "/webhooks/"))


def problem(status: int, code: str, title: str, **members: Any) -> Response:
    """An RFC 9457 problem document with our `code`."""
    answer = jsonify({"type": "about:blank", "title": title, "status": status, "code": code, **members})
    answer.status_code = status
    answer.mimetype = "application/problem+json"
    if status in {409, 429, 503} and code in {"idempotency_in_flight", "too_many_attempts", "busy"}:
        answer.headers["Retry-After"] = "2"
    return answer


def plain(details: dict[str, Any]) -> dict[str, Any]:
    """Details of a refusal as JSON values; times as RFC 3339 has them."""
    return {name: json_value(value) for name, value in details.items()}


def json_value(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, str | int | bool | list | dict | None) else str(value)


def told(error: ShopError) -> str:
    """The refusal's sentence in the reader's language; times as people say them."""
    details = {name: spoken_moment(value) if isinstance(value, datetime) else value for name, value in error.details.items()}
    return words(error.message, **details)


def answer_refusal(error: ShopError) -> Answer:
    if wants_problem():
        members = plain(error.details)
        if error.field:
            members["field"] = error.field
            members["errors"] = [{"field": error.field, "message": told(error)}]
        return problem(error.status, error.code, told(error), **members)
    if isinstance(error, SignInRequired):
        return redirect(url_for("accounts.sign_in", next=this_page()))
    return error_page(error.status, told(error), code=error.code)


def answer_http_error(error: HTTPException) -> Answer | HTTPException:
    status = error.code or 500
    if status < 400:
        return error
    title = words(TITLES.get(status, TITLES[400] if status < 500 else TITLES[500]))
    if wants_problem():
        answer: Answer = problem(status, code_of(status), title)
    else:
        answer = error_page(status, code=code_of(status))
    made = make_response(answer)
    for name, value in error.get_headers(request.environ):
        if name in {"Allow", "Retry-After"}:
            made.headers[name] = value
    return made


def code_of(status: int) -> str:
    return {
        400: "malformed_request", 401: "sign_in_required", 403: "forbidden", 404: "not_found", 405: "method_not_allowed",
        413: "too_large", 415: "unsupported_media_type", 429: "too_many_attempts", 503: "busy",
    }.get(status, "internal" if status >= 500 else "invalid")


def answer_expired_form(error: CSRFError) -> Answer:
    """The form's protection did not match: most often a page that lay open for too long."""
    title = words(sentence("This page was open for too long. Nothing was changed; please go back, reload it and try again."))
    return problem(400, "form_expired", title) if wants_problem() else error_page(400, title, code="form_expired")


def answer_fault(error: Exception) -> Answer:
    """A bug: a number the person can tell us, and nothing about the inside."""
    g.setdefault("actor", ANONYMOUS)  # whoever it is, finding out may be what failed
    log.exception("fault %s at %s %s", g.get("request_id"), request.method, request.path)
    title = words(TITLES[500])
    if wants_problem():
        return problem(500, "internal", title, reference=g.get("request_id", ""))
    return error_page(500, code="internal")


def error_page(status: int, message: str = "", *, code: str) -> tuple[str, int]:
    """A page that says what happened, what is safe and what to do: in its own words unless a refusal brings better ones."""
    return render_template("layout/error.html", status=status, message=message, code=code, reference=g.get("request_id", "")), status


def answers_a_form() -> bool:
    """Whether this page answers a form that was sent. The script then has the browser's history forget the sending (app.js)."""
    return has_request_context() and request.method == "POST"


def csp_nonce() -> str:
    """The nonce of this answer's script policy."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


FOR_EVERY_ANSWER = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(self), geolocation=(self), microphone=(), payment=()"),
)


def headers_for(response: Response) -> Iterator[tuple[str, str]]:
    """What this answer carries, unless the view has said something else."""
    yield from FOR_EVERY_ANSWER
    yield "X-Request-ID", g.get("request_id", "")
    if response.mimetype == "text/html":
        script = f"'self' 'nonce-{g.csp_nonce}'" if "csp_nonce" in g else "'self'"
        yield (
            "Content-Security-Policy",
            f"default-src 'self'; script-src {script}; style-src 'self'; img-src 'self' data:; object-src 'none'; "
            f"base-uri 'none'; frame-ancestors 'none'; form-action 'self'{g.get('form_targets', '')}",
        )
        yield "Cache-Control", "no-store" if g.get("actor") is not None and g.actor.is_signed_in else "no-cache, private"
    if g.get("sends_hsts"):
        yield "Strict-Transport-Security", "max-age=31536000; includeSubDomains"


def add_headers(response: Response) -> Response:
    said = {name.lower() for name in response.headers.keys()}  # noqa: SIM118  (iterating headers gives pairs)
    for name, value in headers_for(response):
        if name.lower() not in said:
            response.headers.add(name, value)
    return response


def init_app(app: Flask) -> None:
    protection.init_app(app)
    secure = bool(app.config["COOKIES_SECURE"])

    @app.before_request
    def name_request() -> None:
        offered = request.headers.get("X-Request-ID", "")
        g.request_id = offered if 8 <= len(offered) <= 64 and offered.isalnum() else secrets.token_hex(8)
        g.sends_hsts = secure
        if "\0" in request.path:  # no text of ours holds NUL, and PostgreSQL refuses to be asked about it
            raise NotFound()

    app.after_request(add_headers)
    app.register_error_handler(ShopError, answer_refusal)
    app.register_error_handler(CSRFError, answer_expired_form)
    app.register_error_handler(HTTPException, answer_http_error)
    app.register_error_handler(Exception, answer_fault)
    app.jinja_env.globals.update(csp_nonce=csp_nonce, answers_a_form=answers_a_form, this_page=this_page)
