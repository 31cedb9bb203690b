"""`/metrics`: the figures of this machine's processes and of the database, for Prometheus and nobody else.

With METRICS_TOKEN set, whoever shows it may read. Without one the door is shut in production, and elsewhere open to this machine.
"""

from __future__ import annotations

import hmac
import ipaddress

from flask import Blueprint, Response, current_app, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from shop.consoles.admin.standing import Standing
from shop.kernel.errors import NotFound, SignInRequired
from shop.platform import figures
from shop.platform.access import provider_only
from shop.platform.door import METRICS

bp = Blueprint("metrics", __name__)

STANDING = Standing()
DATABASE = CollectorRegistry()
DATABASE.register(STANDING)


@bp.get(METRICS)
@provider_only
def metrics() -> Response:
    """What this machine's processes counted, and how things stand in the database. Not kept by anybody on the way."""
    admit()
    answer = Response(figures.told() + generate_latest(DATABASE), content_type=CONTENT_TYPE_LATEST)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def admit() -> None:
    """Raises `SignInRequired` for the wrong token, `NotFound` where the door is shut."""
    token = str(current_app.config["METRICS_TOKEN"])
    if token:
        scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(shown.strip().encode(), token.encode()):
            raise SignInRequired()
    elif current_app.config["APP_ENV"] == "production" or not is_here(request.remote_addr or ""):
        raise NotFound()


def is_here(address: str) -> bool:
    """Whether somebody asks from this machine."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
