"""Pages of bills: the list, adding an account, what is due, and where a payment stands. Paying is `shop.bills.paying`.

No page waits for a biller: questions and payments go out by jobs, and the page looks again by itself until the answer is there.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from shop.bills import operations, queries, rules
from shop.bills.capitals import in_capitals
from shop.bills.errors import (
    AccountNotFound,
    TooManyLookUps,
    TooManyNumbers,
)
from shop.bills.forms import AccountForm, LabelForm
from shop.bills.queries import AccountView, PaymentView
from shop.bills.terms import CATEGORIES, account_hint, category_icon, failure_words, period_words, state_words, steps_of, tone_of
from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.kernel.errors import ShopError
from shop.kernel.money import Money, divide_half_up
from shop.models.bills import Bill, BillerFlow, BillLookUp, BillState, LookUpOutcome
from shop.platform.access import signed_in
from shop.platform.actor import Actor
from shop.platform.asked import address
from shop.platform.http import told
from shop.platform.language import yuan
from shop.platform.sure import ask_first

bp = Blueprint("bills", __name__, url_prefix="/bills")

TYPED = "bill_number"
ASK_AGAIN_BY_ITSELF = timedelta(minutes=1)
GIVE_UP_FOR = rules.LOOK_UP_PATIENCE + ASK_AGAIN_BY_ITSELF
WATCH_FOR = timedelta(minutes=10)


@bp.app_template_filter("capitals")
def capitals(amount: Money) -> str:
    """An amount in Chinese capital numerals."""
    return in_capitals(amount)


bp.add_app_template_filter(period_words, "period")


@bp.get("")
@signed_in
def index(actor: Actor) -> str:
    session = reading()
    saved = queries.accounts(session, actor)
    recent, more = queries.payments(session, actor, limit=5)
    return render_template(
        "bills/index.html", saved=saved, recent=recent, has_more=more is not None, icon_of=category_icon, state_words=state_words,
        tone_of=tone_of, total=Money.total(view.total for view in saved),
        payable=[view for view in saved if view.total and view.on_its_way is None][: rules.MOST_TOGETHER],
    )  # fmt: skip


@bp.get("/add")
@signed_in
def add(actor: Actor) -> str:
    """Choose the biller."""
    known = queries.billers(reading())
    groups = [
        (label, icon, [biller for biller in known if biller.category == category]) for category, (label, icon) in CATEGORIES.items()
    ]
    return render_template("bills/add.html", groups=[group for group in groups if group[2]])


@bp.route("/add/<code>", methods=["GET", "POST"])
@signed_in
def add_account(actor: Actor, code: str) -> Any:
    biller = queries.get_biller(reading(), code)
    form = AccountForm(account_no=typed_before()).of(biller)
    status = 200
    if request.method == "POST":
        status = 422
        try:
            if form.validate():
                made = perform(operations.save_account, actor, code, form.account_no.data, form.label.data)
                session[TYPED] = {"ref": made.ref, "number": form.account_no.data}
                return redirect(url_for("bills.account", ref=made.ref), 303)
        except ShopError as error:
            form.show(error)
    return render_template("bills/add_account.html", biller=biller, form=form, hint=account_hint(biller)), status


def typed_before() -> str:
    """The number that a biller did not know, for who wants to correct it. It is kept on the person's own device, and nowhere here."""
    typed = session.get(TYPED) or {}
    return str(typed.get("number", "")) if typed and typed.get("ref") == address.word("again") else ""


@bp.get("/accounts/<ref>")
@signed_in
def account(actor: Actor, ref: str) -> str:
    try:
        view = queries.get_account(reading(), actor, ref)
    except AccountNotFound:
        return unknown_account(actor, ref)
    limit_reached = False
    if asks_by_itself(view):
        try:
            perform(operations.ask, actor, ref, rules.KEPT_FOR)
        except (TooManyLookUps, TooManyNumbers):
            limit_reached = True
        view = queries.get_account(reading(), actor, ref)
    history, _more = queries.payments(reading(), actor, account_id=view.account.id, limit=5)
    return render_template(
        "bills/account.html", view=view, limit_reached=limit_reached, faces=rules.FACES,
        is_slow=view.look_up is not None and is_slow(view.look_up), history=history,
        is_unavailable=has_outcome(view, LookUpOutcome.UNAVAILABLE), is_unknown=has_outcome(view, LookUpOutcome.UNKNOWN_ACCOUNT),
        is_silent=view.look_up is not None and view.look_up.outcome is None and not view.is_waiting, today=clock.today(),
        asked_again_at=asked_again_at(view),
        spaced=rules.spaced_phone, state_words=state_words, label_form=LabelForm(label=view.account.label),
        periods=[period_point(bill) for bill in queries.history_of(reading(), view.account)],
    )  # fmt: skip


def period_point(bill: Bill) -> dict[str, Any]:
    """A period as a column of the chart, its sum to the nearest yuan above it; what is still due stands out."""
    used = f" · {bill.usage}" if bill.usage else ""
    return {
        "label": period_words(bill.period, is_short=True), "value": bill.total.fen, "text": f"{yuan(bill.total)}{used}",
        "short": f"¥{divide_half_up(bill.total.fen, 100)}", "mark": bill.state is BillState.DUE,
    }  # fmt: skip


def unknown_account(actor: Actor, ref: str) -> str:
    """The biller does not know the number: say so; nothing else is left to show."""
    asked = queries.last_look_up(reading(), actor, ref)
    if asked is None or asked.outcome is not LookUpOutcome.UNKNOWN_ACCOUNT:
        raise AccountNotFound()
    return render_template("bills/unknown.html", biller=queries.biller_of(reading(), asked.biller_id), ref=ref)


def is_slow(asked: BillLookUp) -> bool:
    """Whether an answer takes longer than people expect."""
    return asked.asked_at < clock.now() - timedelta(seconds=5)


def has_outcome(view: AccountView, outcome: LookUpOutcome) -> bool:
    return view.look_up is not None and view.look_up.outcome is outcome


def asks_by_itself(view: AccountView) -> bool:
    """Whether opening the page asks the biller: the figures are old, and nobody asked just now."""
    if view.biller.flow is BillerFlow.PAY_ONLY or view.is_waiting:
        return False
    moment = clock.now()
    asked_lately = view.look_up is not None and view.look_up.asked_at > moment - ASK_AGAIN_BY_ITSELF
    return not asked_lately and (view.account.fetched_at is None or view.account.fetched_at + rules.KEPT_FOR <= moment)


def asked_again_at(view: AccountView) -> datetime | None:
    """When a biller that did not answer is asked again, if somebody looks then."""
    if view.look_up is None:
        return None
    by_itself = view.look_up.asked_at + ASK_AGAIN_BY_ITSELF
    return max(by_itself, queries.silent_until(reading(), view.biller) or by_itself)


@bp.post("/accounts/<ref>/refresh")
@signed_in
def refresh(actor: Actor, ref: str) -> Response:
    try:
        perform(operations.ask, actor, ref, timedelta(minutes=1))
    except (TooManyLookUps, TooManyNumbers) as error:
        flash(told(error), "error")
    return redirect(url_for("bills.account", ref=ref), 303)


@bp.post("/accounts/<ref>/label")
@signed_in
def rename(actor: Actor, ref: str) -> Response:
    form = LabelForm()
    if form.validate():
        perform(operations.rename_account, actor, ref, form.label.data)
        flash(_("Saved."), "success")
    else:
        flash(next(iter(form.label.errors), _("Please check what you entered.")), "error")
    return redirect(url_for("bills.account", ref=ref), 303)


@bp.post("/accounts/<ref>/remove")
@signed_in
def remove(actor: Actor, ref: str) -> ResponseReturnValue:
    question = _("Take this account off your list? Payments and receipts stay.")
    if page := ask_first(question, yes=_("Take it off my list")):
        return page
    perform(operations.remove_account, actor, ref)
    flash(_("The account is off your list. Payments and receipts stay."), "success")
    return redirect(url_for("bills.index"), 303)


@bp.get("/payments")
@signed_in
def history(actor: Actor) -> str:
    shown, next_cursor = queries.payments(reading(), actor, before=address.place())
    return render_template(
        "bills/payments.html", shown=shown, next_cursor=next_cursor, icon_of=category_icon, state_words=state_words, tone_of=tone_of
    )


@bp.get("/<ref>")
@signed_in
def payment(actor: Actor, ref: str) -> str:
    """Where a payment stands; the receipt once the biller has written it off."""
    view = queries.get_payment(reading(), actor, ref)
    return render_template("bills/payment.html", **payment_facts(view))


@bp.get("/<ref>/print")
@signed_in
def print_receipt(actor: Actor, ref: str) -> Any:
    """The receipt on paper. There is none before the biller has written the payment off."""
    view = queries.get_payment(reading(), actor, ref)
    if not view.is_posted:
        return redirect(url_for("bills.payment", ref=ref), 303)
    return render_template("bills/print.html", **payment_facts(view))


def payment_facts(view: PaymentView) -> dict[str, Any]:
    is_watched = view.is_on_its_way and view.payment.created_at > clock.now() - WATCH_FOR
    return {
        "view": view, "payment": view.payment, "state": state_words(view.payment.state), "tone": tone_of(view.payment.state),
        "steps": steps_of(view.payment, is_by_card=view.is_by_card), "is_watched": is_watched,
        "failure": failure_words(view.payment.failure_code), "is_phone": view.biller.flow is BillerFlow.PAY_ONLY,
        "spaced": rules.spaced_phone,
    }  # fmt: skip
