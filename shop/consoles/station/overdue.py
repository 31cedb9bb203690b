"""What should be at a point and is not, and what lies there too long. Other points' orders are not found."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, url_for

from shop.consoles.station.deliveries import say
from shop.consoles.station.views import MOST_TYPED, SIZES, bp, page, point_of
from shop.counter.permissions import CounterPermission
from shop.fulfilment import operations, overdue
from shop.fulfilment.overdue import Waiting
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound, ShopError
from shop.orders.permissions import OrderPermission
from shop.platform.access import permitted
from shop.platform.actor import Actor
from shop.platform.asked import address, sent
from shop.platform.http import told
from shop.platform.language import gettext as _
from shop.platform.language import yuan
from shop.platform.permissions import Permission
from shop.platform.sure import ask_first


@bp.get("/overdue", endpoint="overdue")
@permitted(CounterPermission.POINT_READ)
def overdue_list(actor: Actor) -> Any:
    """Missing and late orders, and goods whose pass ran out, the longest first; page size and place stand in the address."""
    return overdue_page(actor)


def overdue_page(actor: Actor, number: str = "", typed: str = "", trouble: str = "") -> str:
    data, size = reading(), address.size(SIZES)
    rows, following = overdue.too_long(data, point_id=point_of(actor).id, after=address.place(), limit=size)
    return page(
        "overdue", actor, "overdue", rows=rows, holders=overdue.holders(data, rows), next_cursor=following, size=size, sizes=SIZES,
        typed=typed, trouble=trouble, trouble_number=number,
    )  # fmt: skip


def here(actor: Actor, number: str, permission: Permission) -> Waiting:
    """An order that comes to one of the points where the actor may do this. Raises `NotFound`."""
    found = overdue.find_by_number(reading(), number)
    if found is None or found.pickup_point_id not in actor.points(permission):
        raise NotFound()
    return found


@bp.post("/overdue/<number>/found")
@permitted(OrderPermission.ARRIVAL_RECEIVE)
def found(actor: Actor, number: str) -> Any:
    """A missing order has turned up: it is ready, and its buyer is told."""
    missing = here(actor, number, OrderPermission.ARRIVAL_RECEIVE)
    question = _("Is order %(number)s here? Its buyer gets a message with the code.", number=missing.number)
    if asking := ask_first(question, yes=_("It is here"), is_grave=False):
        return asking
    try:
        say(perform(operations.receive, actor, {missing.cycle_id}, counted={missing.number}))
    except NotFound:
        raise
    except ShopError as error:
        flash(told(error), "error")
    return redirect(url_for("station.overdue"), 303)


@bp.post("/overdue/<number>/clear")
@permitted(CounterPermission.SHELF_CLEAR)
def clear(actor: Actor, number: str) -> Any:
    """Goods whose pass ran out leave the shelf. Why is written into the audit trail."""
    left = here(actor, number, CounterPermission.SHELF_CLEAR)
    reason = sent.text("reason", MOST_TYPED)
    if not reason:
        return overdue_page(actor, number, trouble=_("Please say why, in a few words.")), 422
    question = _("Take order %(number)s off the shelf? Its buyer can no longer collect it.", number=left.number)
    if asking := ask_first(question, yes=_("Take it off")):
        return asking
    try:
        back = perform(operations.clear, actor, number, reason)
        flash(_("Off the shelf. %(amount)s went back to the buyer.", amount=yuan(back)), "success")
    except NotFound:
        raise
    except ShopError as error:
        flash(told(error), "error")
    return redirect(url_for("station.overdue"), 303)
