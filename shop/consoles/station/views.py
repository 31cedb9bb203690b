"""The pages of a keeper. Everything is said to one of the keeper's own points; other points' things are not found."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, render_template, session, url_for
from werkzeug.wrappers import Response

from shop.catalog.views import picture_url
from shop.communities.queries import Point, directory
from shop.consoles.station import seen
from shop.counter import operations, queries, rules, scans
from shop.counter.errors import TooManyGuesses
from shop.counter.operations import HandoverEvent, Outcome
from shop.counter.permissions import CounterPermission
from shop.counter.rules import Reason
from shop.fulfilment import operations as fulfilment
from shop.fulfilment import overdue
from shop.fulfilment.operations import LookUp
from shop.fulfilment.queries import expected
from shop.kernel import clock, gate, identifiers, ids
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound, ShopError
from shop.models.pickup import HandoverOutcome, Pass
from shop.pickup import codes, passes, visits
from shop.pickup.permissions import PickupPermission
from shop.pickup.visits import Visit
from shop.platform.access import access_of, permitted
from shop.platform.actor import Actor
from shop.platform.asked import address, sent
from shop.platform.bodies import takes
from shop.platform.http import told
from shop.platform.language import gettext as _
from shop.platform.language import name_of, spoken_deadline, spoken_moment, words

bp = Blueprint("station", __name__, url_prefix="/station")

MOST_TYPED = 200
MOST_PARTS = 200
MOST_FIGURES = 8  # six, and the blanks people put between them
SIZES = (50, 100, 200)


def point_of(actor: Actor) -> Point:
    """The point this keeper works at now: the one chosen in this session if it is theirs, else their first."""
    own = actor.points(CounterPermission.POINT_READ)
    point_id = rules.keeps(own, session.get("station")) or rules.keeps(own, None)
    point = directory(reading()).points_by_id.get(point_id or 0)
    if point is None:
        raise NotFound()
    return point


def opens_here(actor: Actor, endpoint: str) -> bool:
    """Whether a door of this console lets the person in at the point where they work now."""
    permission = access_of(endpoint).permission
    return permission is not None and point_of(actor).id in actor.points(permission)


def page(template: str, actor: Actor, section: str, **values: Any) -> str:
    """A page of this console, with what its layout needs."""
    places = directory(reading()).points_by_id
    own = [places[point_id] for point_id in actor.points(CounterPermission.POINT_READ) if point_id in places]
    return render_template(
        f"station/{template}.html", section=section, point=point_of(actor), own_points=own, picture_url=picture_url, now=clock.now(),
        may_open=partial(opens_here, actor), **values,
    )  # fmt: skip


@bp.get("/")
@permitted(CounterPermission.POINT_READ)
def today(actor: Actor) -> Any:
    point = point_of(actor)
    data = reading()
    return page(
        "today", actor, "today", deliveries=expected(data, point.id), figures=queries.point_figures(data, point.id),
        events=scans.desk_events(data, point.id, limit=6), reason_words=reason_words,
        overdue=overdue.counts(data, point_id=point.id),
    )  # fmt: skip


@bp.post("/point")
@permitted(CounterPermission.POINT_READ)
def choose_point(actor: Actor) -> Response:
    """Work at another of one's own points."""
    chosen = next((point_id for point_id in actor.points(CounterPermission.POINT_READ) if str(point_id) == sent.word("point")), None)
    if chosen is None:
        raise NotFound()
    session["station"] = chosen
    return redirect(url_for("station.today"), 303)


@bp.get("/waiting")
@permitted(CounterPermission.POINT_READ)
def waiting(actor: Actor) -> Any:
    """Who has goods here; the end of a phone number, order, page size and place stand in the address."""
    return page("waiting", actor, "waiting", **waiting_facts(actor))


@bp.get("/waiting/print")
@permitted(CounterPermission.POINT_READ)
def waiting_list(actor: Actor) -> Any:
    """The same on paper, to look through the shelf with."""
    return page("waiting_list", actor, "waiting", **waiting_facts(actor, limit=500))


def waiting_facts(actor: Actor, limit: int | None = None) -> dict[str, Any]:
    tail = identifiers.phone_tail(address.raw("tail", MOST_TYPED))
    sort, size, only_overdue = address.sort(queries.WAITING_SORTS, "until"), address.size(SIZES), address.is_on("overdue")
    rows, following = queries.waiting_at(
        reading(), point_of(actor).id, tail=tail, only_overdue=only_overdue, sort=sort, after=address.place(), limit=limit or size
    )
    return {"rows": rows, "next_cursor": following, "tail": tail, "sort": sort, "overdue": only_overdue, "size": size, "sizes": SIZES}


@bp.get("/desk")
@permitted(CounterPermission.POINT_READ)
def desk(actor: Actor) -> Any:
    """The counter: one field, and what came of the last hand-over."""
    done = scans.told(reading(), actor.points(CounterPermission.POINT_READ), address.word("done"))
    return desk_page(actor, done=done)


def desk_page(actor: Actor, **values: Any) -> str:
    given = {
        "done": None, "refusal": "", "matches": [], "expired_ref": "", "typed": "", "parcel": None, "trouble": "", "left_open": None,
        **values,
    }  # fmt: skip
    point_id, data = point_of(actor).id, reading()
    return page(
        "desk", actor, "desk", reason_words=reason_words, figures=queries.point_figures(data, point_id),
        events=scans.desk_events(data, point_id, limit=5), **given,
    )  # fmt: skip


@bp.post("/desk")
@permitted(CounterPermission.PASS_FIND)
def find(actor: Actor) -> Any:
    """Look up what was scanned or typed. A code is not an address, so it is sent, never put into one.

    Scanned while another pass is open, it hands nothing over: what was open is named on the page it leads to.
    """
    point = point_of(actor)
    open_ref = sent.word("open")
    try:
        text = sent.text("code", MOST_TYPED)
        if not text:  # a gun that presses Enter twice
            return redirect(where_it_was(actor, open_ref), 303)
        found = perform(fulfilment.look_up, actor, point.id, text)
    except NotFound:
        raise
    except ShopError as error:
        typed = kept(sent.word("code", MOST_TYPED))
        return desk_page(actor, refusal=told(error), typed=typed, left_open=left_open(actor, open_ref)), error.status
    if found.ref:
        return redirect(url_for("station.collect", ref=found.ref, after=(open_ref if open_ref != found.ref else "") or None), 303)
    if found.cycle_id:
        return redirect(url_for("station.delivery", cycle_id=found.cycle_id), 303)
    before = left_open(actor, open_ref)
    if found.parcel:
        return desk_page(actor, parcel=found.parcel, left_open=before)
    matches = [visit for ref in found.matches if (visit := visits.at_points(reading(), [point.id], ref))]
    if matches:
        return desk_page(actor, matches=matches, left_open=before)
    refusal = refusal_words(found.reason, found.pass_id)
    status = TooManyGuesses.status if found.reason is Reason.TOO_MANY_ATTEMPTS else 422
    return desk_page(actor, refusal=refusal, expired_ref=expired_ref(found), typed=kept(text), left_open=before), status


def where_it_was(actor: Actor, open_ref: str) -> str:
    """The page an empty field was sent from: an open pass, the last hand-over, or the desk."""
    if visits.at_points(reading(), actor.points(CounterPermission.POINT_READ), open_ref):
        return url_for("station.collect", ref=open_ref)
    return url_for("station.desk", done=sent.word("done") or None)


def left_open(actor: Actor, ref: str) -> Visit | None:
    """A pass that was open when the next code came, while something on it still waits."""
    visit = visits.at_points(reading(), actor.points(CounterPermission.POINT_READ), ref) if ref else None
    return visit if visit is not None and visit.waiting else None


def kept(text: str) -> str:
    """What was typed by hand stays in its field, to be put right; what a scanner read is scanned again."""
    return text.strip() if len(text.strip()) <= MOST_FIGURES or identifiers.is_phone(text) else ""


@bp.get("/desk/<ref>")
@permitted(CounterPermission.PASS_FIND)
def collect(actor: Actor, ref: str) -> Any:
    """Whose pass this is and everything that waits on it; `after` is the pass that was open before."""
    before = address.word("after")
    return collect_page(actor, visit_of(actor, ref), left_open=left_open(actor, before) if before != ref else None)


def visit_of(actor: Actor, ref: str) -> Visit:
    visit = visits.at_points(reading(), actor.points(CounterPermission.POINT_READ), ref)
    if visit is None:
        raise NotFound()
    return visit


def collect_page(actor: Actor, visit: Visit, **values: Any) -> str:
    """The goods of a pass, ready to be handed over: with a number of its own and the moment at which they were shown."""
    client_id = f"desk-{ids.secret()}"
    given = {"left_open": None, "trouble": "", "outcome": None, "earlier": [], "ticked": None, **values}
    lines = sum(len(part.lines) for part in visit.waiting)
    return page(
        "collect", actor, "desk", visit=visit, client_id=client_id, shown=seen.stamp(visit.ref, client_id), reason_words=reason_words,
        reading_time=rules.reading_time(lines), called=lambda part: words(part.called), **given,
    )  # fmt: skip


@bp.post("/desk/<ref>")
@takes(most_fields=MOST_PARTS + 50)
@permitted(CounterPermission.HAND_OVER)
def hand_over(actor: Actor, ref: str) -> Any:
    """Hand over the ticked orders: all of them, or none when one has changed since they were shown.

    The page's own number makes a double click one hand-over. Pressed before the goods can have been read, by a scanner gun or a
    finger, nothing leaves and the page is shown again.
    """
    visit = visit_of(actor, ref)
    client_id, chosen = sent.word("client_id"), tuple(sent.each("sub_orders", most=MOST_PARTS))
    lines = sum(len(part.lines) for part in visit.waiting)
    if not seen.was_read(sent.word("shown"), visit.ref, client_id, lines):
        too_quick = _("That was too quick. Nothing was handed over; please look at the goods first.")
        return collect_page(actor, visit, ticked=chosen, trouble=too_quick), 422
    if not chosen:
        return collect_page(actor, visit, ticked=chosen, trouble=_("Tick what is handed over.")), 422
    event = HandoverEvent(client_id, visit.ref, chosen, None, visit.pickup_point_id, only_whole=True)
    outcome = perform(operations.hand_over, actor, event)
    if outcome.outcome in (HandoverOutcome.ACCEPTED, HandoverOutcome.DUPLICATE):
        return redirect(url_for("station.desk", done=client_id), 303)
    return changed_page(actor, visit, outcome, chosen), 409


def changed_page(actor: Actor, visit: Visit, outcome: Outcome, chosen: Sequence[str]) -> str:
    """Nothing was handed over: what has changed since the goods were shown, what left before and with whom, and what is here now."""
    asked = [number for number, _reason in outcome.stayed]
    earlier = scans.earlier(reading(), actor.points(CounterPermission.POINT_READ), asked)
    return collect_page(actor, visit_of(actor, visit.ref), outcome=outcome, earlier=earlier, ticked=chosen)


@bp.post("/take-back")
@takes(most_fields=MOST_PARTS + 50)
@permitted(CounterPermission.HAND_OVER_TAKE_BACK)
def take_back(actor: Actor) -> Any:
    """A hand-over went to the wrong person: its goods wait here again. Why is written into the audit trail."""
    client_id = sent.word("client_id")
    numbers = sent.each("sub_orders", most=MOST_PARTS) if sent.is_on("some") else None
    try:
        reason = sent.text("reason", MOST_TYPED)
        trouble = _("Please say why, in a few words.") if not reason else _("Tick what came back.") if numbers == [] else ""
        if trouble:
            done = scans.told(reading(), actor.points(CounterPermission.POINT_READ), client_id)
            return desk_page(actor, done=done, trouble=trouble), 422
        perform(operations.take_back, actor, client_id, reason, numbers)
    except NotFound:
        raise
    except ShopError as error:
        flash(told(error), "error")
    return redirect(url_for("station.desk", done=client_id), 303)


@bp.post("/desk/<ref>/extend")
@permitted(PickupPermission.PASS_EXTEND)
def extend(actor: Actor, ref: str) -> Response:
    until = perform(passes.extend, actor, ref)
    flash(_("This pass is good until %(until)s.", until=spoken_deadline(until)), "success")
    return redirect(url_for("station.collect", ref=ref), 303)


@bp.get("/log")
@permitted(CounterPermission.POINT_READ)
def log(actor: Actor) -> Any:
    """Every scan of this point, refused ones with their reason; outcome, day, order and place stand in the address."""
    outcome, size = address.word("outcome"), address.size(SIZES)
    typed = address.raw("day", MOST_TYPED)
    day = gate.day(typed)
    wanted = address.raw("number", MOST_TYPED)
    number = codes.order_meant(wanted)
    events = scans.desk_events(
        reading(), point_of(actor).id, limit=size + 1, outcome=outcome, day=day, number=number, before=address.place()
    )
    if wanted.strip() and not number:
        events = []
    following = events[size - 1].id if len(events) > size else None
    day_error = words(gate.NO_DAY, text=typed) if typed and day is None else ""
    number_error = _("This is no number of an order.") if wanted.strip() and not number else ""
    shown = page(
        "log", actor, "log", events=events[:size], next_cursor=following, outcome=outcome, day_wanted=day, day_error=day_error, size=size,
        sizes=SIZES, reason_words=reason_words, number=number or wanted, number_error=number_error,
    )  # fmt: skip
    return shown, 422 if day_error or number_error else 200


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
