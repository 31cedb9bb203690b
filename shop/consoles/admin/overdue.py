"""What waits too long in the whole city, and ending it before it ends by itself."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, url_for

from shop.consoles.admin.views import REASON, bp, page, place, size
from shop.fulfilment import operations, overdue
from shop.fulfilment.endings import Wait
from shop.fulfilment.permissions import FulfilmentPermission
from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound, ShopError
from shop.platform.access import permitted
from shop.platform.actor import Actor
from shop.platform.asked import address, sent
from shop.platform.http import told
from shop.platform.language import gettext as _
from shop.platform.language import yuan
from shop.platform.sure import ask_first

WAITS = {wait.value: wait for wait in Wait if wait is not Wait.TO_CLAIM}


@bp.get("/overdue", endpoint="overdue")
@permitted(FulfilmentPermission.OVERDUE_READ)
def overdue_list(actor: Actor) -> Any:
    """What waits too long, the longest first; what it waits for, page size and place stand in the address."""
    return overdue_page(actor)


def overdue_page(actor: Actor, number: str = "", typed: str = "", trouble: str = "") -> str:
    wait = WAITS.get(address.word("wait"))
    rows, following = overdue.too_long(reading(), wait=wait, after=place(), limit=size())
    counts = overdue.counts(reading())
    return page(
        "overdue", actor, "overdue", rows=rows, next_cursor=following, wait=wait, waits=list(WAITS.values()),
        counts={one: counts.get(one, 0) for one in WAITS.values()}, size=size(), sizes=overdue.SIZES, now=clock.now(), typed=typed,
        trouble=trouble, trouble_number=number,
    )  # fmt: skip


@bp.post("/overdue/<number>/end")
@permitted(FulfilmentPermission.OVERDUE_END)
def end_overdue(actor: Actor, number: str) -> Any:
    """Do not wait any longer. Why is written into the audit trail."""
    found = overdue.find_by_number(reading(), number)
    if found is None:
        raise NotFound()
    reason = sent.text("reason", REASON)
    if not reason:
        return overdue_page(actor, number, trouble=_("Please say why, in a few words.")), 422
    question = _("End order %(number)s now? What belongs to the buyer of its %(amount)s goes back.", number=number, amount=yuan(found.left))
    if asking := ask_first(question, yes=_("End it now")):
        return asking
    try:
        back = perform(operations.end_now, actor, number, reason)
        flash(_("Ended. %(amount)s went back to the buyer.", amount=yuan(back)), "success")
    except NotFound:
        raise
    except ShopError as error:
        flash(told(error), "error")
    return redirect(url_for("admin.overdue"), 303)
