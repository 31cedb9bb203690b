"""The pages of operations: what may be looked at and what may be pressed, each by its own permission."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from shop.accounts.permissions import AccountPermission
from shop.accounts.queries import user_by_phone
from shop.bills import operations as bills
from shop.bills.permissions import BillPermission
from shop.consoles.admin import cases, deeds, filters, health, numbers, queries
from shop.consoles.admin.queries import Deed, Trail
from shop.fulfilment import overdue
from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.kernel.errors import Forbidden, NotFound, ShopError
from shop.platform import outbox
from shop.platform.access import opens, permitted
from shop.platform.actor import Actor
from shop.platform.asked import address, sent
from shop.platform.http import told
from shop.platform.language import gettext as _
from shop.platform.permissions import PlatformPermission

bp = Blueprint("admin", __name__, url_prefix="/admin")

for said in (deeds.actor_words, deeds.action_words, deeds.subject_words, deeds.fact_words, deeds.role_words, deeds.reason_words):
    bp.add_app_template_filter(said)

REASON = 200
KIND = 60


def page(template: str, actor: Actor, section: str, **values: Any) -> str:
    """A page of this console."""
    return render_template(f"admin/{template}.html", section=section, may_open=partial(opens, actor), **values)


def place() -> int | None:
    """Where the list goes on, from the address."""
    return address.place()


def size() -> int:
    """How many rows a page shows, from the address."""
    return address.size(queries.SIZES)


@bp.get("/")
@permitted(PlatformPermission.TODAY_READ)
def today(actor: Actor) -> Any:
    """What is out of the ordinary, what gave up, and what was done last."""
    session = reading()
    dead, _more = queries.jobs(session, "dead", None, limit=10)
    last, _more = queries.audit(session, Trail(), None, limit=10)
    troubles = [found for found in health.readings(session) if found.tone != "good"]
    return page(
        "today", actor, "today", figures=queries.figures(session), jobs=dead, troubles=troubles,
        overdue=sum(overdue.counts(session).values()), **told_of(last),
    )  # fmt: skip


@bp.get("/health")
@permitted(PlatformPermission.HEALTH_READ)
def signs(actor: Actor) -> Any:
    """All figures of health, those out of the ordinary first."""
    return page("health", actor, "health", readings=health.readings(reading()))


@bp.get("/jobs")
@permitted(PlatformPermission.JOB_READ)
def jobs(actor: Actor) -> Any:
    state, kind = address.word("state"), address.text("kind", KIND)
    rows, following = queries.jobs(reading(), state, place(), size(), kind)
    return page("jobs", actor, "jobs", jobs=rows, next_cursor=following, state=state, kind=kind, size=size(), sizes=queries.SIZES)


@bp.post("/jobs/<id:job_id>/retry")
@permitted(PlatformPermission.JOB_RETRY)
def retry(actor: Actor, job_id: int) -> Response:
    """Put a job that gave up back into the queue. Why is written into the audit trail."""
    try:
        reason = sent.text("reason", REASON)
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
@permitted(PlatformPermission.AUDIT_READ)
def audit(actor: Actor) -> Any:
    """The trail; every filter stands in the address, so that a view of it can be sent to somebody.

    A mobile number is looked up and does not stay there: the address names the person by number. The number of an order or a delivery
    finds everything about it.
    """
    asked = filters.read(address)
    if asked.phone and not asked.errors:
        if not actor.may(AccountPermission.PHONE_SEARCH):
            raise Forbidden()
        if person := user_by_phone(reading(), asked.phone):
            named: dict[str, Any] = {**asked.given, "actor_id": person.id}
            return redirect(url_for("admin.audit", **named))
        asked.errors["actor_id"] = _("Nobody has this mobile number.")
    wanted = asked.wanted
    meant = numbers.subjects_named(reading(), asked.printed) if asked.printed else None
    if meant == {}:
        asked.errors["subject_id"] = _("Nothing has this number.")
    rows, following = ([], None) if asked.errors else queries.audit(reading(), wanted, place(), size(), meant)
    shown = page(
        "audit", actor, "audit", **told_of(rows), next_cursor=following, wanted=wanted, typed=asked.typed, errors=asked.errors,
        actions=deeds.action_choices(wanted.action), subjects=deeds.subject_choices(wanted.subject_type),
        actors=deeds.actor_choices(wanted.actor_kind), size=size(), sizes=queries.SIZES,
    )  # fmt: skip
    return shown, 422 if asked.errors else 200


def told_of(rows: Sequence[Deed]) -> dict[str, Any]:
    """Deeds, with the billers and people they speak of, and the numbers people know things by."""
    return {
        "deeds": rows, "billers": queries.billers_of(reading(), rows), "people": queries.people_of(reading(), rows),
        "numbers": numbers.numbers_of(reading(), rows),
    }  # fmt: skip


@bp.get("/people")
@permitted(BillPermission.CASE_READ)
def people(actor: Actor) -> Any:
    """Payments that need a person, with what is safe to do about each."""
    which = address.choice("which", cases.WHICH)
    rows, following = cases.cases(reading(), which, place(), size())
    waiting = cases.waiting_at_provider(reading(), clock.now()) if not which else ()
    return page(
        "people", actor, "people", cases=rows, next_cursor=following, which=which, size=size(), sizes=queries.SIZES,
        waiting=waiting, now=clock.now(),
    )  # fmt: skip


@bp.post("/people/bills/<ref>/ask")
@permitted(BillPermission.BILLER_ASK)
def ask_biller(actor: Actor, ref: str) -> Response:
    """Have the biller asked now. Asking moves no money and pays nothing again."""
    if perform(bills.ask_again, actor, ref):
        flash(_("The biller is being asked. The answer shows here in a moment."), "success")
    else:
        flash(_("The end of this payment is known already. Nothing was asked."), "info")
    return redirect(url_for("admin.people", which=sent.choice("which", cases.WHICH) or None), 303)
