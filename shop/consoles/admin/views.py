"""The pages of operators. Auditors and finance may look; only operators press anything."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from shop.bills import operations as bills
from shop.consoles.admin import cases, deeds, health, queries
from shop.consoles.admin.queries import Trail
from shop.kernel import text
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound, ShopError
from shop.platform import outbox
from shop.platform.access import staff_only
from shop.platform.actor import Actor
from shop.platform.http import told
from shop.platform.language import gettext as _

bp = Blueprint("admin", __name__, url_prefix="/admin")
staff = staff_only("operator", "finance", "auditor")
operator = staff_only("operator")

for said in (deeds.actor_words, deeds.action_words, deeds.subject_words, deeds.fact_words):
    bp.add_app_template_filter(said)

REASON = 200


def page(template: str, actor: Actor, section: str, **values: Any) -> str:
    """A page of this console."""
    return render_template(f"admin/{template}.html", section=section, may_act="operator" in actor.roles, **values)


def number_of(text: str) -> int | None:
    """A whole number from the address; anything else is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def place() -> int | None:
    """Where the list goes on, from the address."""
    return number_of(request.args.get("cursor", ""))


def size() -> int:
    """How many rows a page shows, from the address."""
    return next((size for size in queries.SIZES if str(size) == request.args.get("size")), queries.SIZES[0])


def day_of(text: str) -> date | None:
    """A day such as `2026-11-25`; anything else is no day."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@bp.get("/")
@staff
def today(actor: Actor) -> Any:
    """What is out of the ordinary, what gave up, and what was done last."""
    session = reading()
    dead, _more = queries.jobs(session, "dead", None, limit=10)
    last, _more = queries.audit(session, Trail(), None, limit=10)
    troubles = [found for found in health.readings(session) if found.tone != "good"]
    return page(
        "today", actor, "today", figures=queries.figures(session), jobs=dead, deeds=last, billers=queries.billers_of(session, last),
        troubles=troubles,
    )  # fmt: skip


@bp.get("/health")
@staff
def signs(actor: Actor) -> Any:
    """All figures of health, those out of the ordinary first."""
    return page("health", actor, "health", readings=health.readings(reading()))


@bp.get("/jobs")
@staff
def jobs(actor: Actor) -> Any:
    state, kind = request.args.get("state", ""), request.args.get("kind", "").strip()[:60]
    rows, following = queries.jobs(reading(), state, place(), size(), kind)
    return page("jobs", actor, "jobs", jobs=rows, next_cursor=following, state=state, kind=kind, size=size(), sizes=queries.SIZES)


@bp.post("/jobs/<int:job_id>/retry")
@operator
def retry(actor: Actor, job_id: int) -> Response:
    """Put a job that gave up back into the queue. Why is written into the audit trail."""
    try:
        reason = text.clean(request.form.get("reason", ""), REASON, field="reason")
        if not reason:
            flash(_("Please say why, in a few words."), "error")
        else:
            kind = perform(outbox.retry, actor, job_id, reason)
            flash(_("Job %(number)s (%(kind)s) is in the queue again.", number=job_id, kind=kind), "success")
    except NotFound:
        raise
    except ShopError as error:
        flash(told(error), "error")
    return redirect(url_for("admin.jobs", state="dead"), 303)


@bp.get("/audit")
@staff
def audit(actor: Actor) -> Any:
    """The trail; every filter stands in the address, so that a view of it can be sent to somebody."""
    given = request.args
    wanted = Trail(
        action=given.get("action", "").strip()[:60], actor_kind=given.get("actor", "") if given.get("actor") in deeds.ACTORS else "",
        actor_id=number_of(given.get("actor_id", "").strip()), subject_type=given.get("subject", "").strip()[:60],
        subject_id=number_of(given.get("subject_id", "").strip()), since=day_of(given.get("since", "")),
        until=day_of(given.get("until", "")),
    )  # fmt: skip
    rows, following = queries.audit(reading(), wanted, place(), size())
    return page(
        "audit", actor, "audit", deeds=rows, billers=queries.billers_of(reading(), rows), next_cursor=following, wanted=wanted,
        actions=deeds.action_choices(wanted.action), subjects=deeds.subject_choices(wanted.subject_type), actors=deeds.actor_choices(),
        size=size(), sizes=queries.SIZES,
    )  # fmt: skip


@bp.get("/people")
@staff
def people(actor: Actor) -> Any:
    """Payments that need a person, with what is safe to do about each."""
    which = request.args.get("which", "") if request.args.get("which") in cases.WHICH else ""
    rows, following = cases.cases(reading(), which, place(), size())
    refunds = cases.failed_refunds(reading()) if not which else ()
    return page(
        "people", actor, "people", cases=rows, next_cursor=following, which=which, refunds=refunds, size=size(), sizes=queries.SIZES
    )


@bp.post("/people/bills/<ref>/ask")
@operator
def ask_biller(actor: Actor, ref: str) -> Response:
    """Have the biller asked now. Asking moves no money and pays nothing again."""
    if perform(bills.ask_again, actor, ref):
        flash(_("The biller is being asked. The answer shows here in a moment."), "success")
    else:
        flash(_("The end of this payment is known already. Nothing was asked."), "info")
    return redirect(url_for("admin.people", which=request.form.get("which") or None), 303)
