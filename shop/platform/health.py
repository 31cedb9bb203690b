"""Probes for whoever keeps the shop running."""

from __future__ import annotations

import sqlalchemy as sa
from flask import Blueprint, current_app
from werkzeug.exceptions import ServiceUnavailable

from shop.kernel.db import reading
from shop.platform.access import public_file

bp = Blueprint("health", __name__)


@bp.get("/healthz")
@public_file
def alive() -> tuple[str, int, dict[str, str]]:
    """The process answers. No I/O."""
    return "ok\n", 200, {"Content-Type": "text/plain"}


@bp.get("/readyz")
@public_file
def ready() -> tuple[str, int, dict[str, str]]:
    """The database answers and has the newest schema."""
    try:
        version = reading().scalar(sa.text("SELECT version_num FROM alembic_version"))
    except sa.exc.DBAPIError as error:
        raise ServiceUnavailable() from error
    if version != current_app.config["SCHEMA_HEAD"]:
        raise ServiceUnavailable()
    return "ready\n", 200, {"Content-Type": "text/plain"}
