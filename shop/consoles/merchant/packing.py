"""One order at the packing table: weights, what is not there, packed and not packed after all."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, session, url_for

from shop.consoles.merchant import forms
from shop.consoles.merchant.here import page
from shop.consoles.merchant.views import TABS, bp
from shop.fulfilment import operations as fulfilment
from shop.fulfilment import orders_to_pack
from shop.fulfilment.errors import WeightFarOff
from shop.fulfilment.orders_to_pack import LineToPack, OrderRow
from shop.fulfilment.rules import FAR_PERCENT, is_far_off
from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound, ShopError
from shop.kernel.money import ZERO, Money
from shop.kernel.text import mask_person
from shop.models.orders import SubOrderState
from shop.orders.errors import ReasonMissing
from shop.orders.permissions import OrderPermission
from shop.orders.rules import final_total, paid_for
from shop.platform.access import permitted
from shop.platform.actor import Actor
from shop.platform.asked import address, sent
from shop.platform.bodies import takes
from shop.platform.http import told
from shop.platform.language import gettext as _
from shop.platform.language import grams, moment, name_of, ngettext, yuan
from shop.platform.sure import ask_first
from shop.stock.queries import available

MOST_LINES = 200
LONGEST_REASON = 200


@bp.get("/orders/<number>")
@permitted(OrderPermission.SHOP_READ)
def order(actor: Actor, number: str) -> Any:
    """One order: what is in it, and a weight field for every line sold by weight."""
    found = orders_to_pack.get_order(reading(), actor.merchants(OrderPermission.SHOP_READ), number)
    return order_page(actor, found, {}, {}, None)


def order_page(
    actor: Actor, found: OrderRow, typed: dict[str, str], errors: dict[str, str], preview: dict[int, Any] | None, trouble: str = ""
) -> str:
    lines = lines_of(found)
    can_pack = found.state in TABS["to_pack"]
    return page(
        "order", actor, "orders", order=found, lines=lines, typed=typed, errors=errors, preview=preview, trouble=trouble, can_pack=can_pack,
        can_correct=can_pack or found.state is SubOrderState.PACKED, is_open=found.is_open_at(clock.now()),
        next_order=next_to_pack(found) if not can_pack else None, far_percent=FAR_PERCENT, is_scanned=address.is_on("scanned"),
        unit=forms.unit_of(sent.word("unit") or session.get("scale_unit")), unpack_question=unpack_question(1),
        decline_question=decline_question(found),
    )  # fmt: skip


def lines_of(found: OrderRow) -> list[LineToPack]:
    return orders_to_pack.lines_of(reading(), [found.id])[found.id]


def next_to_pack(found: OrderRow) -> str | None:
    """The next order of the same delivery that is not packed."""
    rows = orders_to_pack.orders_of_cycle(reading(), [found.merchant_id], found.cycle_id)
    return next((row.number for row in rows if row.state in TABS["to_pack"]), None)


@bp.post("/orders/<number>/pack")
@takes(most_fields=500)
@permitted(OrderPermission.SHOP_PACK)
def pack(actor: Actor, number: str) -> Any:
    """First "check" shows what each line will cost and what goes back; then "pack" does it. Both are worked out here.

    A weight far from what was ordered is shown like that first, whatever was pressed, with a tick to say that it is right. What
    somebody weighed differently is asked about, with who weighed it and when.
    """
    found = orders_to_pack.get_order(reading(), actor.merchants(OrderPermission.SHOP_PACK), number)
    typed = sent.beginning_with("grams-", most=MOST_LINES, limit=20)
    unit = session["scale_unit"] = forms.unit_of(sent.word("unit"))  # the scale on this counter stays the same scale
    try:
        weights = forms.weights_of(typed, unit)
        sure = forms.sure_of(sent.beginning_with("sure-", most=MOST_LINES, limit=20))
        if sent.word("do") == "check":
            return order_page(actor, found, typed, {}, preview_of(found, weights, sure))
        instead = corrected(found, weights)
        if instead and not any(shown["is_far"] and not shown["is_sure"] for shown in preview_of(found, weights, sure).values()):
            question, detail = correction_question(instead, weights)
            if asked := ask_first(question, yes=_("Correct it"), no=_("Keep what was written down"), detail=detail):
                return asked
        packed = perform(fulfilment.pack, actor, found.id, weights, sure, {line.id: line.final_grams or 0 for line in instead})
    except NotFound:
        raise
    except WeightFarOff as error:  # shown with its price, to be weighed again or ticked
        return order_page(actor, found, typed, {}, preview_of(found, weights, sure), trouble=told(error)), error.status
    except ShopError as error:
        field = error.field if error.field in typed else None
        errors = {field: told(error)} if field else {}
        return order_page(actor, found, typed, errors, None, trouble="" if errors else told(error)), error.status
    flash(said_of(packed, is_corrected=bool(instead)), "success")
    return redirect(url_for("merchant.order", number=number), 303)


def said_of(packed: fulfilment.Packed, *, is_corrected: bool) -> str:
    """What came of packing, in words."""
    if is_corrected:
        if packed.refunded.fen < 0:
            return _("Corrected. %(amount)s was taken from the buyer's wallet again.", amount=yuan(-packed.refunded))
        return _("Corrected. %(amount)s more went back to the buyer.", amount=yuan(packed.refunded)) if packed.refunded else _("Corrected.")
    if packed.refunded:
        return _("Packed. %(amount)s went back to the buyer at once.", amount=yuan(packed.refunded))
    return _("Packed.")


def corrected(found: OrderRow, weights: dict[int, int]) -> list[LineToPack]:
    """The lines that were weighed already, with another weight than the one that was typed now."""
    return [line for line in lines_of(found) if line.final_grams is not None and weights.get(line.id, line.final_grams) != line.final_grams]


def correction_question(lines: list[LineToPack], weights: dict[int, int]) -> tuple[str, str]:
    """Who weighed what and when, what was typed now, and what that does to the money."""
    said, change = [], ZERO
    for line in lines:
        assert line.final_grams is not None
        assert line.weighed_at is not None
        final = final_total(line, weights[line.id])
        change += (line.final_total or ZERO) - final
        said.append(
            _(
                "%(goods)s: %(who)s weighed %(before)s (%(at)s). You say %(now)s: it would cost %(final)s instead of %(was)s.",
                goods=name_of(line), who=mask_person(line.weighed_by or ""), before=grams(line.final_grams), at=moment(line.weighed_at),
                now=grams(weights[line.id]), final=yuan(final), was=yuan(line.final_total or ZERO),
            )
        )
    if change.fen > 0:
        money = _("%(amount)s more goes back to the buyer at once.", amount=yuan(change))
    elif change.fen < 0:
        money = _("%(amount)s is taken from the buyer's wallet again; the buyer is told.", amount=yuan(-change))
    else:
        money = _("The buyer pays the same.")
    return _("Correct the weight?") if len(lines) == 1 else _("Correct the weights?"), " ".join([*said, money])


def preview_of(found: OrderRow, weights: dict[int, int], sure: dict[int, int]) -> dict[int, Any]:
    """What each weighed line would cost, how much of its ceiling would go back, and how far off it is from what was ordered."""
    weighed: list[LineToPack] = [line for line in lines_of(found) if line.id in weights]
    shown = {}
    for line in weighed:
        weight = weights[line.id]
        final = final_total(line, weight)
        shown[line.id] = {
            "grams": weight, "off": weight - line.nominal_grams, "final": final, "back": line.ceiling - final,
            "is_far": is_far_off(weight, line.nominal_grams), "is_sure": sure.get(line.id) == weight,
        }  # fmt: skip
    return shown


@bp.post("/orders/<number>/unpack")
@permitted(OrderPermission.SHOP_PACK)
def unpack(actor: Actor, number: str) -> Any:
    """Packed by mistake: the order is open again, with its weights."""
    if asked := ask_first(unpack_question(1), yes=_("Open it again"), is_grave=False):
        return asked
    found = orders_to_pack.get_order(reading(), actor.merchants(OrderPermission.SHOP_PACK), number)
    try:
        perform(fulfilment.unpack, actor, [found.id])
        flash(_("The order is open again. Its weights are kept; pack it when it is right."), "success")
    except NotFound:
        raise
    except ShopError as error:
        flash(told(error), "error")
    return redirect(url_for("merchant.order", number=number), 303)


def unpack_question(orders: int) -> str:
    return ngettext("Take back that %(num)s order is packed?", "Take back that %(num)s orders are packed?", orders)


# --- what is not there ---


@bp.get("/orders/<number>/lines/<id:line_id>/missing")
@permitted(OrderPermission.SHOP_DECLINE)
def missing(actor: Actor, number: str, line_id: int) -> Any:
    """How many of a line are there, and why not all."""
    found, line = line_of(actor, number, line_id)
    return missing_page(actor, found, line, {}, {})


def line_of(actor: Actor, number: str, line_id: int) -> tuple[OrderRow, LineToPack]:
    """One line of one of the shop's own orders. Raises `NotFound`."""
    found = orders_to_pack.get_order(reading(), actor.merchants(OrderPermission.SHOP_DECLINE), number)
    line = next((line for line in lines_of(found) if line.id == line_id), None)
    if line is None:
        raise NotFound()
    return found, line


def missing_page(actor: Actor, found: OrderRow, line: LineToPack, typed: dict[str, str], errors: dict[str, str], trouble: str = "") -> str:
    return page("missing", actor, "orders", order=found, line=line, typed=typed, errors=errors, trouble=trouble)


@bp.post("/orders/<number>/lines/<id:line_id>/missing")
@permitted(OrderPermission.SHOP_DECLINE)
def say_missing(actor: Actor, number: str, line_id: int) -> Any:
    """What of a line is not there goes back at once; the rest of the order comes."""
    found, line = line_of(actor, number, line_id)
    typed = {"there": sent.raw("there", 20), "reason": sent.text("reason", LONGEST_REASON)}
    try:
        there = forms.quantity_of(typed["there"])
        if not typed["reason"]:
            raise ReasonMissing()
        question, detail = missing_question(found, line, there, keep_selling=sent.is_on("keep_selling"))
        if there < line.there and (asked := ask_first(question, yes=_("Give the money back"), detail=detail)):
            return asked
        short = perform(fulfilment.short_line, actor, number, line_id, there, typed["reason"], keep_selling=sent.is_on("keep_selling"))
    except NotFound:
        raise
    except ShopError as error:
        field = {"quantity": "there"}.get(error.field or "", error.field)
        errors = {field: told(error)} if field in typed else {}
        return missing_page(actor, found, line, typed, errors, trouble="" if errors else told(error)), error.status
    if short.is_declined:
        flash(_("Nothing of this order is left. All of the money is on its way back to the buyer."), "success")
    elif short.given_back:
        flash(_("Noted. %(amount)s went back to the buyer, who is told what is missing and why.", amount=yuan(short.given_back)), "success")
    else:
        flash(_("Nothing has changed."), "info")
    return redirect(url_for("merchant.order", number=number), 303)


def missing_question(found: OrderRow, line: LineToPack, there: int, *, keep_selling: bool) -> tuple[str, str]:
    """What would be missing, what it costs the shop, and what of the shelf is then no longer sold."""
    gone = line.there - there
    back: Money = line.ceiling - paid_for(line, there) if gone > 0 else ZERO
    others = any(other.there for other in lines_of(found) if other.id != line.id)
    unsold = 0 if keep_selling else available(reading(), [line.variant_id]).get(line.variant_id, 0)
    shelf = " " + ngettext(
        "The %(num)s on the shelf is then no longer sold. If it is good, go back and tick that there is more.",
        "The %(num)s on the shelf are then no longer sold. If they are good, go back and tick that there is more.",
        unsold,
    ) if unsold > 0 else ""  # fmt: skip
    if not there and not others:
        detail = _("%(amount)s goes back.", amount=yuan(found.kept)) + shelf
        return _("Nothing is left then. Give back all of the money for this order?"), detail
    return (
        _("%(goods)s: %(gone)s of %(all)s are not there?", goods=name_of(line), gone=gone, all=line.quantity),
        _("%(amount)s goes back to the buyer at once, who is told why. The rest of the order comes.", amount=yuan(back)) + shelf,
    )


@bp.post("/orders/<number>/decline")
@permitted(OrderPermission.SHOP_DECLINE)
def decline(actor: Actor, number: str) -> Any:
    """The order cannot be delivered: the money goes back, the buyer is told why."""
    try:
        reason = sent.text("reason", LONGEST_REASON)
        if not reason:
            flash(_("Please say why, in a few words."), "error")
            return redirect(url_for("merchant.order", number=number), 303)
        found = orders_to_pack.get_order(reading(), actor.merchants(OrderPermission.SHOP_DECLINE), number)
        if asked := ask_first(decline_question(found), yes=_("Give it back")):
            return asked
        perform(fulfilment.decline, actor, number, reason)
        flash(_("Noted. The money is on its way back to the buyer, who reads why."), "success")
    except NotFound:
        raise
    except ShopError as error:
        flash(told(error), "error")
    return redirect(url_for("merchant.order", number=number), 303)


def decline_question(found: OrderRow) -> str:
    return _("Deliver nothing of this order, and give back %(amount)s?", amount=yuan(found.kept))
