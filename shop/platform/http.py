"""Refusals and faults as pages or problem documents, and the headers every answer carries."""

from __future__ import annotations

import logging
import math
import secrets
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, has_request_context, jsonify, make_response, redirect, render_template, request, url_for
from flask_wtf.csrf import CSRFError, CSRFProtect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from werkzeug.exceptions import BadRequest, HTTPException
from werkzeug.wrappers import Response as WerkzeugResponse

from shop.kernel import clock, gate
from shop.kernel.db import cause_of, refuse_fault
from shop.kernel.errors import Busy, NotFound, ShopError, SignInRequired, Unavailable, sentence
from shop.platform.actor import ANONYMOUS, API_PREFIX
from shop.platform.asked import came_from
from shop.platform.door import METRICS, PROBES, STRANGE_HOST
from shop.platform.here import this_request
from shop.platform.language import language_of_address, spoken_deadline, words

log = logging.getLogger("shop")

READS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Methods that change nothing."""


class Protection(CSRFProtect):  # type: ignore[misc]  # flask-wtf has no types
    """Guards what changes something; of anything else it asks nothing."""

    def protect(self, apply_exemptions: bool = False) -> None:
        if request.method not in READS:
            super().protect(apply_exemptions=apply_exemptions)


protection = Protection()

Answer = Response | WerkzeugResponse | tuple[str, int]

A_MOMENT = 2  # seconds
MAY_PASS = {409, 429, 503}  # refusals that time alone can end

TITLES = {
    400: sentence("That request could not be understood."),
    403: sentence("You are not allowed to do that."),
    404: sentence("We could not find that."),
    405: sentence("That cannot be done here."),
    413: sentence("That is too large to send."),
    414: sentence("That address is too long."),
    415: sentence("That kind of content is not accepted here."),
    429: sentence("Too many attempts. Please wait a while and try again."),
    500: sentence("Something went wrong on our side."),
    503: sentence("The shop is very busy. Nothing was changed; please try again in a moment."),
}

COME_BACK_AFTER = "5"
"""Seconds until it is worth asking a database again that was busy or away (Retry-After)."""


def this_page() -> str:
    """The way back to what the reader has before them: of an answer to a form, the page the form was on."""
    asked = this_request()
    if asked.method in {"GET", "HEAD"}:
        return str(asked.full_path).rstrip("?")
    before = came_from()
    if before.netloc != asked.host or not before.path:
        return "/"
    return f"{before.path}?{before.query}" if before.query else before.path


FOR_MACHINES = frozenset({*PROBES, METRICS})


def wants_problem() -> bool:
    path = request.path
    return path.startswith((API_PREFIX, "/webhooks/")) or path in FOR_MACHINES


def problem(status: int, code: str, title: str, **members: Any) -> Response:
    """An RFC 9457 problem document with our `code`."""
    answer = jsonify({"type": "about:blank", "title": title, "status": status, "code": code, **members})
    answer.status_code = status
    answer.mimetype = "application/problem+json"
    if status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def note_wait(error: ShopError) -> None:
    """Keep for the answer's Retry-After how long this refusal will stand: until a time, some seconds, or a moment when it is only busy."""
    until, seconds = error.details.get("until"), error.details.get("seconds")
    is_in_flight = error.code == "idempotency_in_flight"
    if error.status not in MAY_PASS or (error.status == 409 and not is_in_flight):
        seconds = None
    elif isinstance(until, datetime):
        seconds = math.ceil((until - clock.now()).total_seconds())
    elif not isinstance(seconds, int):
        seconds = A_MOMENT if error.status == 503 or is_in_flight else None
    g.retry_after = max(seconds, 1) if seconds is not None else None


def plain(details: dict[str, Any]) -> dict[str, Any]:
    """Details of a refusal as JSON values; times as RFC 3339 has them."""
    return {name: json_value(value) for name, value in details.items()}


def json_value(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, str | int | bool | list | dict | None) else str(value)


def told(error: ShopError) -> str:
    """The refusal's sentence in the reader's language; times as people say them. An answer that is a refusal says when to come again."""
    if has_request_context():
        note_wait(error)
    details = {name: spoken_deadline(value) if isinstance(value, datetime) else value for name, value in error.details.items()}
    return words(error.message, **details)


def answer_refusal(error: ShopError) -> Answer:
    if isinstance(error, Busy):
        return answer_unavailable(error)
    if wants_problem():
        members = plain(error.details)
        if error.field:
            members["field"] = error.field
            members["errors"] = [{"field": error.field, "message": told(error)}]
        return problem(error.status, error.code, told(error), **members)
    if isinstance(error, SignInRequired):
        return redirect(url_for("accounts.sign_in", next=this_page()))
    return error_page(error.status, told(error), code=error.code)


def answer_unavailable(error: Busy | Unavailable) -> Answer:
    """503 without asking the database anything, for it is what cannot answer. Worth a line in the log, but no defect."""
    draw_alone()
    log.warning("database %s at %s %s: %s", error.code, request.method, request.endpoint, cause_of(error))
    said = words(error.message)
    made = make_response(problem(error.status, error.code, said) if wants_problem() else error_page(error.status, said, code=error.code))
    made.headers["Retry-After"] = COME_BACK_AFTER
    return made


def answer_database_error(error: DBAPIError | PoolExhausted) -> Answer:
    """The database's own trouble is said as such; anything else it complains of is a bug."""
    try:
        refuse_fault(error)
    except (Busy, Unavailable) as trouble:
        return answer_unavailable(trouble)
    return answer_fault(error)


def draw_alone() -> None:
    """From here on this answer asks the database nothing: a reader not known by now is a stranger."""
    g.setdefault("actor", ANONYMOUS)
    g.draws_alone = True


def answer_http_error(error: HTTPException) -> Answer | HTTPException:
    status = error.code or 500
    if status < 400:
        return error
    title = words(TITLES.get(status, TITLES[400] if status < 500 else TITLES[500]))
    if wants_problem():
        answer: Answer = problem(status, code_of(status), title)
    elif request.environ.get(STRANGE_HOST):
        answer = error_page(status, code="unknown_host", home=current_app.config["PUBLIC_URL"])  # our own pages are not at this host
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
        413: "too_large", 414: "address_too_long", 415: "unsupported_media_type", 429: "too_many_attempts", 503: "busy",
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


def error_page(status: int, message: str = "", *, code: str, **more: str) -> tuple[str, int]:
    """A page that says what happened, what is safe and what to do: in its own words unless a refusal brings better ones."""
    reference = g.get("request_id", "")
    if code != "unknown_host" and (request.method == "POST" or status == 503) and (back := this_page()) != "/":
        more["back"] = back  # the page the form was on, or this one again
    return render_template("layout/error.html", status=status, message=message, code=code, reference=reference, **more), status


def answers_a_form() -> bool:
    """Whether this page answers a form that was sent. The script then has the browser's history forget the sending (app.js)."""
    return has_request_context() and request.method == "POST"


def csp_nonce() -> str:
    """The nonce of this answer's script policy."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def picture_source() -> str:
    """Where pictures come from besides the shop itself: the bucket, when there is one."""
    where = urlsplit(current_app.config["S3_BUCKET_URL"])
    return f" {where.scheme}://{where.netloc}" if where.netloc else ""


FOR_EVERY_ANSWER = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(self), geolocation=(self), microphone=(), payment=()"),
)


def headers_for(response: Response) -> Iterator[tuple[str, str]]:
    """What this answer carries, unless the view has said something else."""
    mine = g._get_current_object()  # looked up once: each word said to the proxy costs half a dozen calls
    yield from FOR_EVERY_ANSWER
    yield "X-Request-ID", mine.get("request_id", "")
    if response.mimetype == "text/html":
        script = f"'self' 'nonce-{mine.csp_nonce}'" if "csp_nonce" in mine else "'self'"
        yield (
            "Content-Security-Policy",
            f"default-src 'self'; script-src {script}; style-src 'self'; img-src 'self' data:{picture_source()}; object-src 'none'; "
            f"base-uri 'none'; frame-ancestors 'none'; form-action 'self'{mine.get('form_targets', '')}",
        )
        actor = mine.get("actor")
        yield "Cache-Control", "no-store" if actor is not None and actor.is_signed_in else "no-cache, private"
    elif wants_problem():  # what the API says is one caller's, and today's
        yield "Cache-Control", "no-store"
    if response.status_code in MAY_PASS and mine.get("retry_after"):
        yield "Retry-After", str(mine.retry_after)
    if mine.get("sends_hsts"):
        yield "Strict-Transport-Security", "max-age=31536000; includeSubDomains"


def varies(response: Response, names: tuple[str, ...]) -> None:
    """Say what an answer varies by; written as a whole where nothing was said yet, which is nearly always."""
    if "Vary" in response.headers:
        response.vary.update(names)
    else:
        response.headers["Vary"] = ", ".join(names)


def add_headers(response: Response) -> Response:
    if response.mimetype == "text/html":
        varies(response, ("Cookie",) if language_of_address() else ("Cookie", "Accept-Language"))
    said = {name.lower() for name, _value in response.headers}
    for name, value in headers_for(response):
        if name.lower() not in said:
            response.headers.add(name, value)
    return response


def init_app(app: Flask) -> None:
    secure = bool(app.config["COOKIES_SECURE"])

    @app.before_request
    def turn_away() -> None:
        asked = this_request()
        if secure:
            g.sends_hsts = True
        if not gate.is_readable(asked.path):  # no text of ours holds control characters, and PostgreSQL refuses to be asked about NUL
            raise NotFound()
        if asked.environ.get(STRANGE_HOST):
            draw_alone()
            raise BadRequest()

    protection.init_app(app)  # after the above: what it asks for is asked of requests that are for us
    app.after_request(add_headers)
    app.register_error_handler(ShopError, answer_refusal)
    app.register_error_handler(CSRFError, answer_expired_form)
    app.register_error_handler(HTTPException, answer_http_error)
    app.register_error_handler(Unavailable, answer_unavailable)
    app.register_error_handler(DBAPIError, answer_database_error)
    app.register_error_handler(PoolExhausted, answer_database_error)
    app.register_error_handler(Exception, answer_fault)
    app.jinja_env.globals.update(csp_nonce=csp_nonce, answers_a_form=answers_a_form, this_page=this_page)
