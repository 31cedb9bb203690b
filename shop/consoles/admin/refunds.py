"""Money that goes back by a person's hand: what did not arrive, what waits for another's yes, an amount of an order."""

from __future__ import annotations

from typing import Any

from flask import current_app, flash, redirect, url_for
from werkzeug.wrappers import Response

from shop.consoles.admin import cases
from shop.consoles.admin.views import bp, page, told_of
from shop.kernel import clock, gate, ids, quantities
from shop.kernel.db import perform, reading
from shop.kernel.errors import Invalid, NotFound, ShopError, sentence
from shop.kernel.money import Money
from shop.models.payments import RefundMethod
from shop.orders import queries as orders
from shop.orders.permissions import OrderPermission
from shop.payments import operations as payments
from shop.platform.access import permitted
from shop.platform.actor import Actor
from shop.platform.asked import address, sent
from shop.platform.http import told
from shop.platform.language import gettext as _
from shop.platform.sure import ask_first
from shop.settlement import giving_back
from shop.settlement.errors import NeedsAnother
from shop.settlement.permissions import SettlementPermission

REASON = 200
REFERENCE = 60
ONCE = 64
WAYS = {"card": RefundMethod.STRIPE, "wallet": RefundMethod.WALLET}


class ReasonMissing(Invalid):
    code, field = "reason_missing", "reason"
    message = sentence("Please say why, in a few words.")


class ReferenceMissing(Invalid):
    code, field = "reference_missing", "reference"
    message = sentence("Please write the reference of the bank transfer.")


class AmountUnreadable(Invalid):
    code, field = "amount_unreadable", "amount"
    message = sentence("Please enter an amount in yuan, such as 12.80.")


def reason() -> str:
    """Why. Raises `ReasonMissing`."""
    said = sent.text("reason", REASON)
    if not said:
        raise ReasonMissing()
    return said


def once() -> str:
    """What makes a double click one deed: the form's own number, or a new one where none was sent that can be one."""
    return gate.word(sent.word("once", ONCE), ONCE) or ids.secret()


def amount() -> Money:
    """Raises `AmountUnreadable`, `UnclearComma`."""
    try:
        said = quantities.yuan(sent.raw("amount", quantities.MOST_CHARACTERS + 1))
    except quantities.UnclearComma as unclear:
        unclear.field = "amount"
        raise
    if said is None or not said:
        raise AmountUnreadable()
    return said


@bp.get("/refunds")
@permitted(SettlementPermission.REFUND_READ)
def refunds(actor: Actor) -> Any:
    """Money that has not gone back, and what waits for another person's yes."""
    return refunds_page(actor)


def refunds_page(actor: Actor, error: ShopError | None = None, ref: str = "") -> Any:
    rows = cases.not_back(reading())
    shown = page(
        "refunds", actor, "refunds", rows=rows, proposals=cases.proposals(reading()), now=clock.now(),
        once=ids.secret(), typed=typed(error), errors=errors(error), wrong=ref, person=actor.user_id,
    )  # fmt: skip
    return (shown, error.status) if error else shown


FIELDS = ("part", "amount", "reason", "reference")


def typed(error: ShopError | None) -> dict[str, str]:
    """What was typed, where it comes back to be put right."""
    return {name: sent.raw(name, REASON) if error else "" for name in FIELDS}


def errors(error: ShopError | None) -> dict[str, str]:
    """What is wrong, by field."""
    return {name: told(error) if error and error.field == name else "" for name in FIELDS}


@bp.post("/refunds/<ref>/again")
@permitted(SettlementPermission.REFUND_SEND_AGAIN)
def send_again(actor: Actor, ref: str) -> Any:
    """Send what did not arrive once more: to the card, or into the wallet."""
    way = WAYS[sent.choice("way", WAYS, "card")]
    row = row_of(ref)
    if row is not None:
        question = question_of(row, way)
        if asked := ask_first(question, yes=_("Send it"), is_grave=False):
            return asked
    try:
        moved = perform(giving_back.try_again, actor, ref, way)
        flash(_("¥%(amount)s goes back. The buyer has been told.", amount=moved), "success")
    except NotFound:
        raise
    except ShopError as error:
        flash(told(error), "error")
    return redirect(url_for("admin.refunds"), 303)


def row_of(ref: str) -> cases.NotBack | None:
    return next((row for row in cases.not_back(reading()) if row.ref == ref), None)


def question_of(row: cases.NotBack, way: RefundMethod) -> str:
    if way is RefundMethod.WALLET:
        return _("Put ¥%(amount)s of %(ref)s into the wallet of its owner?", amount=row.left, ref=row.ref)
    return _("Send ¥%(amount)s of %(ref)s to the card again?", amount=row.left, ref=row.ref)


bp.add_app_template_global(lambda row: question_of(row, RefundMethod.STRIPE), "card_question")
bp.add_app_template_global(lambda row: question_of(row, RefundMethod.WALLET), "wallet_question")


@bp.post("/refunds/<ref>/transfer")
@permitted(SettlementPermission.REFUND_PROPOSE)
def ask_transfer(actor: Actor, ref: str) -> Any:
    """Ask that what did not arrive be transferred by hand. Somebody else says yes."""
    try:
        reference = sent.text("reference", REFERENCE)
        why = reason()
        if not reference:
            raise ReferenceMissing()
        perform(giving_back.ask_to_transfer, actor, ref, key=once(), reason=why, reference=reference)
        flash(_("Asked for. Nothing has moved: somebody else of operations or finance says yes."), "success")
    except NotFound:
        raise
    except Invalid as error:
        return refunds_page(actor, error, ref)
    except ShopError as error:
        flash(told(error), "error")
    return redirect(url_for("admin.refunds"), 303)


@bp.post("/refunds/<ref>/cover")
@permitted(SettlementPermission.REFUND_COVER)
def cover(actor: Actor, ref: str) -> Response:
    """Take from the wallet what the provider gave back of its top-up."""
    try:
        moved = perform(payments.cover, actor, ref)
        flash(_("¥%(amount)s was taken from the wallet. Its owner has been told.", amount=moved), "success")
    except NotFound:
        raise
    except ShopError as error:
        flash(told(error), "error")
    return redirect(url_for("admin.refunds"), 303)


@bp.post("/proposals/<id:proposal_id>/<decision>")
@permitted(SettlementPermission.REFUND_DECIDE)
def decide(actor: Actor, proposal_id: int, decision: str) -> Any:
    """Say yes to what somebody else asked for, or no."""
    if decision not in ("agree", "refuse"):
        raise NotFound()
    row = next((row for row in cases.proposals(reading()) if row.id == proposal_id), None)
    if row is not None and decision == "agree":
        question = _("Give ¥%(amount)s back, as was asked for? The money moves at once.", amount=row.amount)
        if asked := ask_first(question, yes=_("Yes, give it back")):
            return asked
    try:
        if perform(giving_back.decide, actor, proposal_id, agrees=decision == "agree"):
            flash(_("Agreed. The money goes back, and the buyer has been told."), "success")
        else:
            flash(_("Refused. Nothing was moved."), "info")
    except NotFound:
        raise
    except ShopError as error:
        flash(told(error), "error")
    return redirect(url_for("admin.refunds"), 303)


@bp.get("/orders")
@permitted(OrderPermission.CITY_READ)
def find_order(actor: Actor) -> Any:
    """To an order by the number people know it by."""
    number = address.text("number", 40).upper()
    try:
        found, _user = orders.of_number(reading(), number)
    except NotFound:
        flash(_("There is no order with this number."), "error")
        return redirect(url_for("admin.refunds"), 303)
    return redirect(url_for("admin.order", number=found.number), 303)


@bp.get("/orders/<number>")
@permitted(OrderPermission.CITY_READ)
def order(actor: Actor, number: str) -> Any:
    """One order: what was paid, what went back, everything that was done about it, and money to give back."""
    return order_page(actor, number)


def order_page(actor: Actor, number: str, error: ShopError | None = None) -> Any:
    session = reading()
    found, user_id = orders.of_number(session, number)
    shown = page(
        "order", actor, "refunds", order=found, user_id=user_id, payment=orders.latest_payment(session, found.id),
        refunds=cases.refunds_of(session, found.id), once=ids.secret(), alone_up_to=alone_up_to(),
        typed=typed(error), errors=errors(error), **told_of(cases.deeds_of(session, found.id)),
    )  # fmt: skip
    return (shown, error.status) if error else shown


def alone_up_to() -> Money:
    """What one person may give back without another's yes."""
    return Money(int(current_app.config["REFUND_ALONE_UP_TO_FEN"]))


@bp.post("/orders/<number>/give-back")
@permitted(SettlementPermission.REFUND_PROPOSE)
def give_back(actor: Actor, number: str) -> Any:
    """Give an amount of one part back: at once up to the limit, else by another's yes, and by transfer always so."""
    found, _user = orders.of_number(reading(), number)
    part = sent.choice("part", {part.number for part in found.sub_orders}, found.sub_orders[0].number)
    key = once()
    try:
        money, why, reference = amount(), reason(), sent.text("reference", REFERENCE)
        if sent.is_on("by_hand") and not reference:
            raise ReferenceMissing()
        reference = reference if sent.is_on("by_hand") else ""
        if reference or money > alone_up_to() or not actor.may(SettlementPermission.REFUND_GIVE):
            perform(giving_back.ask_to_give_part_back, actor, part, key=key, amount=money, reason=why, reference=reference)
            flash(_("Asked for. Nothing has moved: somebody else of operations or finance says yes."), "success")
            return redirect(url_for("admin.order", number=found.number), 303)
        question = _("Give ¥%(amount)s of order %(number)s back to the buyer?", amount=money, number=part)
        if asked := ask_first(question, yes=_("Yes, give it back")):
            return asked
        try:
            perform(giving_back.give_part_back, actor, part, key=key, amount=money, reason=why, alone_up_to=alone_up_to())
            flash(_("¥%(amount)s goes back. The buyer has been told.", amount=money), "success")
        except NeedsAnother:  # with what was given back of this order before
            perform(giving_back.ask_to_give_part_back, actor, part, key=key, amount=money, reason=why)
            flash(_("Asked for. Nothing has moved: somebody else of operations or finance says yes."), "success")
    except NotFound:
        raise
    except ShopError as error:
        if error.field:
            return order_page(actor, number, error)
        flash(told(error), "error")
    return redirect(url_for("admin.order", number=found.number), 303)


