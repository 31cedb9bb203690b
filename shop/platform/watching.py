"""Every request, seen from outside: its number, how long it took, what it asked of the database, how it ended.

The number comes in as `X-Request-ID` when it is one that a machine made, else it is ours; it goes out with the answer and stands on
every line. A request is told by its route, never by its path: what stands in paths, addresses and bodies is people's.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, Response, g, request

from shop.kernel import work
from shop.kernel.work import Work
from shop.platform import figures
from shop.platform.here import this_request

log = logging.getLogger("shop.requests")

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

MADE_BY_A_MACHINE = re.compile(r"(?=[0-9-]*[a-f])[0-9a-f]{8}[0-9a-f-]{8,56}", re.ASCII | re.IGNORECASE)
"""Sixteen hexadecimal digits and more, with or without hyphens, a letter among them: no telephone, identity or account number is one."""

NO_ROUTE = "none"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
LISTENS = "linli.work"


def request_number(offered: str) -> str:
    """The number somebody in front of us gave this request, if it can be one; else a new one."""
    return offered if MADE_BY_A_MACHINE.fullmatch(offered) else secrets.token_hex(8)


class Watch:
    """WSGI around everything else. A request is told when its answer is made; sending it may take its reader longer."""

    def __init__(self, application: Application) -> None:
        self.application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        outcome: dict[str, Any] = {}

        def begin_answer(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            outcome["status"] = int(status[:3])
            outcome["bytes"] = next((int(value) for name, value in headers if name.lower() == "content-length" and value.isdigit()), None)
            return start_response(status, headers, *more)

        with work.begun("request", NO_ROUTE) as seen:
            environ[LISTENS] = seen
            answer = self.application(environ, begin_answer)
            if outcome:
                tell(seen, environ.get("REQUEST_METHOD", ""), outcome["status"], outcome["bytes"])
        return answer


def tell(seen: Work, said: str, status: int, size: int | None) -> None:
    """Count a request that is over, and write it down."""
    method = said if said in METHODS else "other"
    figures.REQUESTS.labels(seen.place, method, str(status)).observe(seconds := seen.seconds)
    if log.isEnabledFor(logging.INFO):
        facts = {
            "route": seen.place, "method": method, "status": status, "actor": seen.actor, "ms": round(seconds * 1000, 1),
            "statements": seen.statements, "database_ms": round(seen.database_seconds * 1000, 1), "bytes": size,
        }  # fmt: skip
        log.info("request", extra={"facts": facts})


def init_app(app: Flask) -> None:
    """Before any other hook: what is said of a request later carries its number."""

    @app.before_request
    def name_request() -> None:
        asked = this_request()
        g.request_id = number = request_number(asked.environ.get("HTTP_X_REQUEST_ID", ""))
        seen: Work | None = asked.environ.get(LISTENS)
        if seen is not None:
            seen.number = number
            seen.place = asked.url_rule.rule if asked.url_rule else NO_ROUTE

    @app.after_request
    def name_actor(response: Response) -> Response:
        seen: Work | None = request.environ.get(LISTENS)
        if seen is not None and (actor := g.get("actor")) is not None:
            seen.actor = actor.user_id
        return response

    app.wsgi_app = Watch(app.wsgi_app)  # type: ignore[method-assign]
