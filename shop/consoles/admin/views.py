"""The pages of operators. Auditors and finance may look."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request

from shop.consoles.admin import queries
from shop.kernel.db import reading
from shop.platform.access import staff_only
from shop.platform.actor import Actor

bp = Blueprint("admin", __name__, url_prefix="/admin")
staff = staff_only("operator", "finance", "auditor")


def place() -> int | None:
    """Where the list goes on, from the address."""
    cursor = request.args.get("cursor", "")
    return int(cursor) if cursor.isascii() and cursor.isdigit() and len(cursor) < 16 else None


@bp.get("/")
@staff
def today(actor: Actor) -> Any:
    session = reading()
    dead, _more = queries.jobs(session, "dead", None, limit=10)
    deeds, _more = queries.audit(session, "", None, limit=10)
    return render_template("admin/today.html", section="today", figures=queries.figures(session), jobs=dead, deeds=deeds)


@bp.get("/jobs")
@staff
def jobs(actor: Actor) -> Any:
    state = request.args.get("state", "")
    rows, following = queries.jobs(reading(), state, place())
    return render_template("admin/jobs.html", section="jobs", jobs=rows, next_cursor=following, state=state)


@bp.get("/audit")
@staff
def audit(actor: Actor) -> Any:
    action = request.args.get("action", "").strip()[:60]
    rows, following = queries.audit(reading(), action, place())
    return render_template("admin/audit.html", section="audit", deeds=rows, next_cursor=following, action=action)
