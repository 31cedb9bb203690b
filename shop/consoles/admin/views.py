"""The pages of operators. Auditors and finance may look; only operators press anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from shop.accounts.queries import user_by_phone
from shop.bills import operations as bills
from shop.consoles.admin import cases, deeds, filters, health, queries
from shop.consoles.admin.queries import Deed, Trail
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

for said in (deeds.actor_words, deeds.action_words, deeds.subject_words, deeds.fact_words, deeds.role_words):
    bp.add_app_template_filter(said)

REASON = 200


def page(template: str, actor: Actor, section: str, **values: Any) -> str:
    """A page of this console."""
    return render_template(f"admin/{template}.html", section=section, may_act="operator" in actor.roles, **values)


def place() -> int | None:
    """Where the list goes on, from the address."""
    return filters.number_of(request.args.get("cursor", ""))


def size() -> int:
    """How many rows a page shows, from the address."""
    return next((size for size in queries.SIZES if str(size) == request.args.get("size")), queries.SIZES[0])


@bp.get("/")
@staff
def today(actor: Actor) -> Any:
    """What is out of the ordinary, what gave up, and what was done last."""
    session = reading()
    dead, _more = queries.jobs(session, "dead", None, limit=10)
    last, _more = queries.audit(session, Trail(), None, limit=10)
    troubles = [found for found in health.readings(session) if found.tone != "good"]
    return page(
        "today", actor, "today", figures=queries.figures(session), jobs=dead, troubles=troubles, **told_of(last),
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
    """The trail; every filter stands in the address, so that a view of it can be sent to somebody.

    A mobile number is looked up and does not stay there: the address names the person by number.
    """
    asked = filters.read(request.args)
    if asked.phone and not asked.errors:
        if person := user_by_phone(reading(), asked.phone):
            named: dict[str, Any] = {**request.args, "actor_id": person.id}
            return redirect(url_for("admin.audit", **named))
        asked.errors["actor_id"] = _("Nobody has this mobile number.")
    wanted = asked.wanted
    rows, following = ([], None) if asked.errors else queries.audit(reading(), wanted, place(), size())
    shown = page(
        "audit", actor, "audit", **told_of(rows), next_cursor=following, wanted=wanted, typed=asked.typed, errors=asked.errors,
        actions=deeds.action_choices(wanted.action), subjects=deeds.subject_choices(wanted.subject_type),
        actors=deeds.actor_choices(wanted.actor_kind), size=size(), sizes=queries.SIZES,
    )  # fmt: skip
    return shown, 422 if asked.errors else 200


def told_of(rows: Sequence[Deed]) -> dict[str, Any]:
    """Deeds, with the billers and people they speak of."""
    return {"deeds": rows, "billers": queries.billers_of(reading(), rows), "people": queries.people_of(reading(), rows)}


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
