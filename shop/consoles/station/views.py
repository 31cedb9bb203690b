"""The pages of a keeper. Everything is said to one of the keeper's own points; other points' things are not found."""

from __future__ import annotations

import unicodedata
from datetime import date
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from shop.catalog.views import picture_url
from shop.communities.queries import Point, directory
from shop.fulfilment import operations, queries, rules
from shop.fulfilment.operations import HandoverEvent, LookUp
from shop.fulfilment.rules import Reason
from shop.kernel import clock, ids
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound, ShopError
from shop.kernel.text import clean
from shop.models.pickup import Pass
from shop.pickup import passes, visits
from shop.platform.access import staff_only
from shop.platform.actor import Actor
from shop.platform.http import told
from shop.platform.language import gettext as _
from shop.platform.language import name_of, spoken_moment, words

bp = Blueprint("station", __name__, url_prefix="/station")

MOST_TYPED = 200
MOST_FIGURES = 8  # six, and the blanks people put between them
SIZES = (50, 100, 200)


def point_of(actor: Actor) -> Point:
    """The point this keeper works at now: the one chosen in this session if it is theirs, else their first."""
    point_id = rules.keeps(actor.points("keeper"), session.get("station")) or rules.keeps(actor.points("keeper"), None)
    point = directory(reading()).points_by_id.get(point_id or 0)
    if point is None:
        raise NotFound()
    return point


def page(template: str, actor: Actor, section: str, **values: Any) -> str:
    """A page of this console, with what its layout needs."""
    places = directory(reading()).points_by_id
    own = [places[point_id] for point_id in actor.points("keeper") if point_id in places]
    return render_template(
        f"station/{template}.html", section=section, point=point_of(actor), own_points=own, picture_url=picture_url, now=clock.now(),
        **values,
    )  # fmt: skip


@bp.get("/")
@staff_only("keeper")
def today(actor: Actor) -> Any:
    point = point_of(actor)
    data = reading()
    return page(
        "today", actor, "today", deliveries=queries.expected(data, point.id), figures=queries.point_figures(data, point.id),
        events=queries.desk_events(data, point.id, limit=6), reason_words=reason_words,
    )  # fmt: skip


@bp.post("/point")
@staff_only("keeper")
def choose_point(actor: Actor) -> Response:
    """Work at another of one's own points."""
    chosen = next((point_id for point_id in actor.points("keeper") if str(point_id) == request.form.get("point")), None)
    if chosen is None:
        raise NotFound()
    session["station"] = chosen
    return redirect(url_for("station.today"), 303)


@bp.get("/waiting")
@staff_only("keeper")
def waiting(actor: Actor) -> Any:
    """Who has goods here; the end of a phone number, order, page size and place stand in the address."""
    return page("waiting", actor, "waiting", **waiting_facts(actor))


@bp.get("/waiting/print")
@staff_only("keeper")
def waiting_list(actor: Actor) -> Any:
    """The same on paper, to look through the shelf with."""
    return page("waiting_list", actor, "waiting", **waiting_facts(actor, limit=500))


def waiting_facts(actor: Actor, limit: int | None = None) -> dict[str, Any]:
    tail = "".join(figure for figure in unicodedata.normalize("NFKC", request.args.get("tail", "")) if figure in "0123456789")[:11]
    sort = request.args.get("sort", "")
    sort = sort if sort.removeprefix("-") in queries.WAITING_SORTS else "until"
    size = next((size for size in SIZES if str(size) == request.args.get("size")), SIZES[0])
    only_overdue = request.args.get("overdue") == "1"
    rows, following = queries.waiting_at(
        reading(), point_of(actor).id, tail=tail, only_overdue=only_overdue, sort=sort, after=place(), limit=limit or size
    )
    return {"rows": rows, "next_cursor": following, "tail": tail, "sort": sort, "overdue": only_overdue, "size": size, "sizes": SIZES}


def place() -> int | None:
    """Where the list goes on, from the address."""
    cursor = request.args.get("cursor", "")
    return int(cursor) if cursor.isascii() and cursor.isdigit() and len(cursor) < 16 else None


@bp.get("/desk")
@staff_only("keeper")
def desk(actor: Actor) -> Any:
    """The counter: one field, and what came of the last hand-over."""
    done = queries.told(reading(), actor.points("keeper"), request.args.get("done", "")[:80])
    return desk_page(actor, done=done)


def desk_page(actor: Actor, **values: Any) -> str:
    given = {"done": None, "refusal": "", "matches": [], "expired_ref": "", "typed": "", "parcel": None, "trouble": "", **values}
    point_id, data = point_of(actor).id, reading()
    return page(
        "desk", actor, "desk", reason_words=reason_words, figures=queries.point_figures(data, point_id),
        events=queries.desk_events(data, point_id, limit=5), **given,
    )  # fmt: skip


@bp.post("/desk")
@staff_only("keeper")
def find(actor: Actor) -> Any:
    """Look up what was scanned or typed. A code is not an address, so it is sent, never put into one."""
    point = point_of(actor)
    text = request.form.get("code", "")[:MOST_TYPED]
    if not text.strip():
        return redirect(url_for("station.desk"), 303)
    try:
        found = perform(operations.look_up, actor, point.id, text)
    except NotFound:
        raise
    except ShopError as error:
        return desk_page(actor, refusal=told(error), typed=kept(text)), error.status
    if found.ref:
        return redirect(url_for("station.collect", ref=found.ref), 303)
    if found.cycle_id:
        return redirect(url_for("station.delivery", cycle_id=found.cycle_id), 303)
    if found.parcel:
        return desk_page(actor, parcel=found.parcel)
    matches = [visit for ref in found.matches if (visit := visits.at_points(reading(), [point.id], ref))]
    if matches:
        return desk_page(actor, matches=matches)
    return desk_page(actor, refusal=refusal_words(found.reason, found.pass_id), expired_ref=expired_ref(found), typed=kept(text)), 422


def kept(text: str) -> str:
    """What was typed by hand stays in its field, to be put right; what a scanner read is scanned again."""
    return text.strip() if len(text.strip()) <= MOST_FIGURES else ""


@bp.get("/desk/<ref>")
@staff_only("keeper")
def collect(actor: Actor, ref: str) -> Any:
    """Whose pass this is and everything that waits on it."""
    visit = visits.at_points(reading(), actor.points("keeper"), ref)
    if visit is None:
        raise NotFound()
    return page("collect", actor, "desk", visit=visit, client_id=f"desk-{ids.secret()}")


@bp.post("/desk/<ref>")
@staff_only("keeper")
def hand_over(actor: Actor, ref: str) -> Response:
    """Hand over the ticked orders. The page's own number makes a double click one hand-over."""
    visit = visits.at_points(reading(), actor.points("keeper"), ref)
    if visit is None:
        raise NotFound()
    client_id = request.form.get("client_id", "")[:80] or f"desk-{ids.secret()}"
    chosen = tuple(number[:40] for number in request.form.getlist("sub_orders")[:200])
    if not chosen:
        flash(_("Tick what is handed over."), "error")
        return redirect(url_for("station.collect", ref=ref), 303)
    event = HandoverEvent(client_id, visit.ref, chosen, clock.now(), visit.pickup_point_id)
    perform(operations.hand_over, actor, event)
    return redirect(url_for("station.desk", done=client_id), 303)


@bp.post("/take-back")
@staff_only("keeper")
def take_back(actor: Actor) -> Any:
    """A hand-over went to the wrong person: its goods wait here again. Why is written into the audit trail."""
    client_id = request.form.get("client_id", "")[:80]
    try:
        reason = clean(request.form.get("reason", ""), MOST_TYPED, field="reason")
        if not reason:
            done = queries.told(reading(), actor.points("keeper"), client_id)
            return desk_page(actor, done=done, trouble=_("Please say why, in a few words.")), 422
        perform(operations.take_back, actor, client_id, reason)
    except NotFound:
        raise
    except ShopError as error:
        flash(told(error), "error")
    return redirect(url_for("station.desk", done=client_id), 303)


@bp.post("/desk/<ref>/extend")
@staff_only("keeper")
def extend(actor: Actor, ref: str) -> Response:
    until = perform(passes.extend, actor, ref)
    flash(_("This pass is good until %(until)s.", until=spoken_moment(until)), "success")
    return redirect(url_for("station.collect", ref=ref), 303)


@bp.get("/log")
@staff_only("keeper")
def log(actor: Actor) -> Any:
    """Every scan of this point, refused ones with their reason; outcome, day and place stand in the address."""
    outcome, day = request.args.get("outcome", ""), day_of(request.args.get("day", ""))
    size = next((size for size in SIZES if str(size) == request.args.get("size")), SIZES[0])
    events = queries.desk_events(reading(), point_of(actor).id, limit=size + 1, outcome=outcome, day=day, before=place())
    following = events[size - 1].id if len(events) > size else None
    return page(
        "log", actor, "log", events=events[:size], next_cursor=following, outcome=outcome, day_wanted=day, size=size, sizes=SIZES,
        reason_words=reason_words,
    )  # fmt: skip


def day_of(text: str) -> date | None:
    """A day such as `2026-11-25`; anything else is no day."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def reason_words(reason: str | None) -> str:
    """A reason in the reader's language."""
    return words(rules.WORDS[Reason(reason)]) if reason else ""


def expired_ref(found: LookUp) -> str:
    """The pass a keeper may let run on, when that is all that is wrong with it."""
    if found.reason is not Reason.PASS_EXPIRED or found.pass_id is None:
        return ""
    return reading().scalars(sa.select(Pass.ref).where(Pass.id == found.pass_id)).one()


def refusal_words(reason: Reason | None, pass_id: int | None) -> str:
    """Why a pass opens nothing, with the fact that helps: which point, since when."""
    found = reading().get(Pass, pass_id) if pass_id else None
    if found is not None and reason is Reason.WRONG_POINT:
        point = directory(reading()).points_by_id[found.pickup_point_id]
        return _("This pass belongs to another pick-up point: %(point)s.", point=name_of(point))
    if found is not None and reason is Reason.PASS_EXPIRED:
        return _("This pass ran out: %(until)s.", until=spoken_moment(found.valid_until))
    if found is not None and reason is Reason.PASS_USED and found.used_at:
        return _("Everything on this pass was collected: %(at)s.", at=spoken_moment(found.used_at))
    return reason_words(reason)
