"""Deliveries at a point: counting what came, and saying that it is here. Those of other points are not found."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from flask import flash, redirect, request, url_for

from shop.consoles.station.views import bp, page
from shop.fulfilment import operations, queries
from shop.fulfilment.errors import NothingCounted
from shop.fulfilment.operations import Arrival
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound, ShopError
from shop.platform.access import staff_only
from shop.platform.actor import Actor
from shop.platform.http import told
from shop.platform.language import gettext as _
from shop.platform.language import ngettext

MOST_COUNTED = 1_000


@bp.get("/deliveries/<int:cycle_id>")
@staff_only("keeper")
def delivery(actor: Actor, cycle_id: int) -> Any:
    """Count a batch against what was ordered."""
    return counting_page(actor, cycle_id)


def counting_page(actor: Actor, cycle_id: int, ticked: Collection[str] | None = None, trouble: str = "") -> str:
    """The page to count on: everything ticked at first, later what was ticked already."""
    return page("delivery", actor, "today", ticked=ticked, trouble=trouble, **batch_facts(actor, cycle_id))


@bp.get("/deliveries/<int:cycle_id>/print")
@staff_only("keeper")
def counting_list(actor: Actor, cycle_id: int) -> Any:
    """The same on paper."""
    return page("counting_list", actor, "today", **batch_facts(actor, cycle_id))


def batch_facts(actor: Actor, cycle_id: int) -> dict[str, Any]:
    found = queries.point_delivery(reading(), actor.points("keeper"), cycle_id)
    if found is None:
        raise NotFound()
    return {"delivery": found, "parts": queries.incoming(reading(), cycle_id)}


@bp.post("/arrivals")
@staff_only("keeper")
def arrive(actor: Actor) -> Any:
    """The ticked deliveries are here; from a counting page, of one delivery what was counted.

    Every resident gets a message that cannot be called back, so a delivery of another day is asked about first.
    """
    cycle_ids = {int(value) for value in request.form.getlist("cycles") if value.isascii() and value.isdigit() and len(value) < 16}
    if not cycle_ids:
        flash(_("Tick the deliveries that have arrived."), "error")
        return redirect(url_for("station.today"), 303)
    counted = {number[:40] for number in request.form.getlist("here")[:MOST_COUNTED]} if "counted" in request.form else None
    counted_cycle = next(iter(cycle_ids)) if counted is not None and len(cycle_ids) == 1 else None
    if counted_cycle and not counted:
        return counting_page(actor, counted_cycle, (), told(NothingCounted())), 422
    if "back" in request.form:
        return counting_page(actor, counted_cycle, counted) if counted_cycle else redirect(url_for("station.today"), 303)
    if early := [] if "early" in request.form else queries.early(reading(), actor.points("keeper"), cycle_ids):
        return page("early", actor, "today", early=early, cycle_ids=sorted(cycle_ids), counted=counted, counted_cycle=counted_cycle)
    try:
        arrival = perform(operations.receive, actor, cycle_ids, counted=counted)
    except NotFound:
        raise
    except ShopError as error:
        if counted_cycle:
            return counting_page(actor, counted_cycle, counted, told(error)), error.status
        flash(told(error), "error")
        return redirect(url_for("station.today"), 303)
    say(arrival)
    return redirect(url_for("station.today"), 303)


def say(arrival: Arrival) -> None:
    """What came of it, and what is still to come."""
    if arrival.ready:
        ready = ngettext("%(num)s order is ready", "%(num)s orders are ready", arrival.ready)
        people = ngettext("%(num)s resident was told", "%(num)s residents were told", arrival.people)
        flash(_("%(ready)s; %(people)s.", ready=ready, people=people), "success")
    else:
        flash(_("Nothing has changed."), "info")
    if arrival.missing:
        flash(ngettext("%(num)s order is still missing.", "%(num)s orders are still missing.", arrival.missing), "warning")
