"""Deliveries at a point: counting what came, and saying that it is here. Those of other points are not found."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from flask import flash, redirect, url_for

from shop.consoles.station.views import bp, page
from shop.counter.permissions import CounterPermission
from shop.fulfilment import operations, queries
from shop.fulfilment.errors import NothingCounted
from shop.fulfilment.operations import Arrival
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound, ShopError
from shop.orders.permissions import OrderPermission
from shop.platform.access import permitted
from shop.platform.actor import Actor
from shop.platform.asked import sent
from shop.platform.bodies import takes
from shop.platform.http import told
from shop.platform.language import gettext as _
from shop.platform.language import ngettext

MOST_COUNTED = 1_000


@bp.get("/deliveries/<id:cycle_id>")
@permitted(CounterPermission.POINT_READ)
def delivery(actor: Actor, cycle_id: int) -> Any:
    """Count a batch against what was ordered."""
    return counting_page(actor, cycle_id)


def counting_page(actor: Actor, cycle_id: int, ticked: Collection[str] | None = None, trouble: str = "") -> str:
    """The page to count on: everything ticked at first, later what was ticked already."""
    return page("delivery", actor, "today", ticked=ticked, trouble=trouble, **batch_facts(actor, cycle_id))


@bp.get("/deliveries/<id:cycle_id>/print")
@permitted(CounterPermission.POINT_READ)
def counting_list(actor: Actor, cycle_id: int) -> Any:
    """The same on paper."""
    return page("counting_list", actor, "today", **batch_facts(actor, cycle_id))


def batch_facts(actor: Actor, cycle_id: int) -> dict[str, Any]:
    found = queries.point_delivery(reading(), actor.points(CounterPermission.POINT_READ), cycle_id)
    if found is None:
        raise NotFound()
    return {"delivery": found, "parts": queries.incoming(reading(), cycle_id)}


@bp.post("/arrivals")
@takes(most_fields=MOST_COUNTED + 200)
@permitted(OrderPermission.ARRIVAL_RECEIVE)
def arrive(actor: Actor) -> Any:
    """The ticked deliveries are here; from a counting page, of one delivery what was counted.

    Every resident gets a message that cannot be called back, so a delivery of another day is asked about first.
    """
    cycle_ids = set(sent.numbers("cycles", most=MOST_COUNTED))
    if not cycle_ids:
        flash(_("Tick the deliveries that have arrived."), "error")
        return redirect(url_for("station.today"), 303)
    counted = set(sent.each("here", most=MOST_COUNTED)) if sent.has("counted") else None
    counted_cycle = next(iter(cycle_ids)) if counted is not None and len(cycle_ids) == 1 else None
    if counted_cycle and not counted:
        return counting_page(actor, counted_cycle, (), told(NothingCounted())), 422
    if sent.has("back"):
        return counting_page(actor, counted_cycle, counted) if counted_cycle else redirect(url_for("station.today"), 303)
    if early := [] if sent.has("early") else queries.early(reading(), actor.points(OrderPermission.ARRIVAL_RECEIVE), cycle_ids):
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
