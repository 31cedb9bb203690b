"""One press for many orders: accept, pack, print. Each order is decided by itself; those that were refused stay ticked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from flask import flash, redirect, url_for
from werkzeug.wrappers import Response

from shop.consoles.merchant import operations
from shop.consoles.merchant.packing import unpack_question
from shop.consoles.merchant.views import MOST_TICKED, TABS, bp
from shop.fulfilment import operations as fulfilment
from shop.fulfilment import orders_to_pack
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
from shop.platform.sure import ask_first

KEPT = ("tab", "point", "number", "sort", "size", "cursor")
"""What the list keeps in its address."""


QUESTIONS: dict[str, Callable[[int], tuple[str, str]]] = {
    "accept": lambda orders: (
        ngettext(
            "Accept %(num)s order? Its buyer can no longer cancel it then.",
            "Accept %(num)s orders? Their buyers can no longer cancel them then.", orders,
        ),
        _("Accept"),
    ),
    "pack": lambda orders: (ngettext("Is %(num)s order packed?", "Are %(num)s orders packed?", orders), _("Packed")),
    "unpack": lambda orders: (unpack_question(orders), _("Open them again")),
}  # fmt: skip
"""What is asked before each deed, by how many orders it is about; and the words of the yes."""


@bp.post("/orders/bulk")
@takes(most_fields=500)
@permitted(OrderPermission.SHOP_PACK)
def bulk(actor: Actor) -> Any:
    """Do one thing with all ticked orders, after asking, and come back to the same list at the same place."""
    numbers = list(dict.fromkeys(sent.each("ticked", most=MOST_TICKED)))
    deed = sent.word("do")
    if not numbers:
        flash(_("Tick the orders first."), "error")
        return back_to_the_list([])
    if deed in ("slips", "labels"):
        return redirect(url_for("merchant.papers", paper=deed, number=numbers), 303)
    if deed not in QUESTIONS:
        raise NotFound()
    question, yes = QUESTIONS[deed](len(numbers))
    if asked := ask_first(question, yes=yes, is_grave=False):
        return asked
    if deed == "accept":
        return back_to_the_list(accept(actor, numbers))
    if deed == "unpack":
        return back_to_the_list(unpack(actor, numbers))
    refused, packed = pack(actor, numbers)
    return back_to_the_list(refused, packed)


def accept(actor: Actor, numbers: list[str]) -> list[str]:
    """Accept what waits for it; what is on its way already is passed over. The numbers that were refused."""
    return all_together(
        operations.accept_several, actor, numbers, lambda moved: ngettext("%(num)s order accepted.", "%(num)s orders accepted.", moved)
    )


def unpack(actor: Actor, numbers: list[str]) -> list[str]:
    """Open again what is packed; what has left is passed over. The numbers that were refused."""
    return all_together(
        operations.unpack_several, actor, numbers,
        lambda moved: ngettext("%(num)s order is open again.", "%(num)s orders are open again.", moved),
    )


def all_together(step: Callable[..., int], actor: Actor, numbers: list[str], said: Callable[[int], str]) -> list[str]:
    """Take one step with all of these orders or, when one was cancelled or sent meanwhile, with none; the numbers that were refused."""
    try:
        moved = perform(step, actor, numbers)
    except NotFound:
        raise
    except ShopError as error:
        flash(told(error), "error")
        return numbers
    if moved:
        flash(said(moved), "success")
    say_passed_over(len(numbers) - moved)
    return []


def pack(actor: Actor, numbers: list[str]) -> tuple[list[str], list[str]]:
    """Pack each by itself: one that must be weighed first does not hold up the others, and what is packed or gone already is passed over.

    The numbers that were refused, and those that are packed now.
    """
    orders = orders_to_pack.orders_named(reading(), actor.merchants(OrderPermission.SHOP_PACK), numbers)
    if len(orders) < len(numbers):
        raise NotFound()
    waiting = [order for order in orders if order.state in TABS["to_pack"]]
    packed, refused = list[str](), dict[str, list[str]]()
    for order in waiting:
        try:
            if perform(fulfilment.pack, actor, order.id).is_new:
                packed.append(order.number)
        except NotFound:
            raise
        except ShopError as error:
            refused.setdefault(told(error), []).append(order.number)
    if packed:
        flash(ngettext("%(num)s order packed.", "%(num)s orders packed.", len(packed)), "success")
    for reason, those in refused.items():
        left = ngettext("%(num)s order is not packed and still ticked.", "%(num)s orders are not packed and still ticked.", len(those))
        flash(_("%(left)s %(reason)s", left=left, reason=reason), "warning")
    say_passed_over(len(orders) - len(waiting))
    return [number for those in refused.values() for number in those], packed


def say_passed_over(orders: int) -> None:
    """How many of the ticked orders there was nothing to do for."""
    if orders:
        flash(ngettext("%(num)s order needed nothing.", "%(num)s orders needed nothing.", orders), "info")


def back_to_the_list(still_ticked: list[str], packed: list[str] | None = None) -> Response:
    """The list the form came from, with what it kept in its address. Only names we know are taken over. What was packed just now stands
    there too, so that it can be taken back with one press.
    """
    if cycle_id := sent.place("cycle"):
        return redirect(url_for("merchant.delivery", cycle_id=cycle_id, ticked=still_ticked, packed=packed), 303)
    kept: dict[str, Any] = {name: value[:64] for name, value in parse_qsl(sent.word("back", 500), errors="replace") if name in KEPT}
    return redirect(url_for("merchant.orders", ticked=still_ticked, packed=packed, **kept), 303)
