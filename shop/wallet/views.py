"""The wallet's pages: balance and statement, opening, PIN, and the code by SMS that lifts the day's limit."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import groupby
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from shop.accounts import operations as accounts
from shop.accounts.errors import TooManyCodes
from shop.accounts.rules import local_path, person
from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.kernel.errors import ShopError
from shop.models.accounts import CodePurpose
from shop.platform import limits
from shop.platform.access import signed_in
from shop.platform.actor import Actor
from shop.platform.asked import address, sent
from shop.platform.http import told
from shop.platform.language import day, month_name, reader_locale, short_month, yuan
from shop.wallet import operations, pin, queries, rules, statements, words
from shop.wallet.custody import custodian
from shop.wallet.errors import NoMoreCodes
from shop.wallet.forms import PinForm

bp = Blueprint("wallet", __name__)


@bp.get("/wallet")
@signed_in
def show(actor: Actor) -> Any:
    session = reading()
    wallet = queries.find(session, actor.signed_in_id())
    if wallet is None:
        return render_template("wallet/closed.html", wallet_class=rules.class_for(actor.verification_level), custodian=custodian())
    month = shown_month(wallet.opened_at)
    entries, following = statements.statement(session, wallet.account_id, month=month, before=address.place())
    facts = statements.subjects(session, entries)
    spent = queries.spent(session, wallet.account_id, wallet.wallet_class, clock.now())
    months = statements.recent_months(session, wallet.account_id, month)
    return render_template(
        "wallet/show.html", wallet=wallet, custodian=custodian(), month=month_name(month), next_cursor=following,
        totals=months[-1][1], neighbours=neighbours(month, wallet.opened_at), chart=chart_of(months),
        days=by_day([line_of(entry, facts.get((entry.subject_type, entry.subject_id))) for entry in entries]),
        class_limit=rules.class_limit(wallet.wallet_class), class_left=rules.left_of(rules.class_limit(wallet.wallet_class), spent.period),
        day_left=rules.left_of(wallet.day_limit, spent.today),
        pin_limit=rules.DAY_LIMIT_PIN, can_upgrade=can_upgrade(actor, wallet),
    )  # fmt: skip


def can_upgrade(actor: Actor, wallet: queries.WalletFacts) -> bool:
    allowed = rules.class_for(actor.verification_level)
    return allowed is not None and len(allowed) > len(wallet.wallet_class)


def shown_month(opened_at: Any) -> date:
    """The month asked for, within the life of the wallet; this month when none is asked for."""
    present = clock.today().replace(day=1)
    month = address.month() or present
    return min(max(month, clock.local(opened_at).date().replace(day=1)), present)


def neighbours(month: date, opened_at: Any) -> tuple[tuple[str, str], ...]:
    """The months before and after, as addresses write them and as people say them; empty where there is nothing to see."""
    before, after = (month - timedelta(days=1)).replace(day=1), (month + timedelta(days=32)).replace(day=1)
    first = clock.local(opened_at).date().replace(day=1)
    shown = (before if before >= first else None, after if after <= clock.today() else None)
    return tuple((f"{other:%Y-%m}", month_name(other)) if other else ("", "") for other in shown)


def chart_of(months: list[tuple[date, statements.MonthTotals]]) -> list[dict[str, Any]]:
    """The months as columns; none before the first in which anything moved."""
    busy = [place for place, (_month, totals) in enumerate(months) if totals.came_in or totals.went_out]
    return [
        {
            "label": short_month(month), "first": totals.came_in.fen, "first_text": yuan(totals.came_in),
            "second": totals.went_out.fen, "second_text": yuan(totals.went_out),
        }
        for month, totals in months[busy[0] if busy else len(months):]
    ]  # fmt: skip


def by_day(lines: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Entries under the day they happened on."""
    return [(label, list(entries)) for label, entries in groupby(lines, key=lambda line: day(line["at"]))]


def line_of(entry: statements.Entry, facts: statements.SubjectFacts | None) -> dict[str, Any]:
    """An entry as the page draws it."""
    what, number = (facts.what, facts.number) if facts else ("", "")
    links = {"order": "orders.show", "bill": "bills.payment", "top_up": "payments.progress"}
    arguments: dict[str, Any] = {"number": number} if what == "order" else {"ref": number}
    return {
        "title": words.headline(entry, facts), "purpose": words.purpose(entry, facts), "number": number if what == "order" else "",
        "at": entry.at, "amount": entry.amount,
        "href": url_for(links[what], **arguments) if what in links else "",
    }


@bp.post("/wallet/open")
@signed_in
def open_wallet(actor: Actor) -> Response:
    perform(operations.open_wallet_for, actor)
    flash(_("Your wallet is open. Now choose a PIN for it."), "success")
    return redirect(url_for("wallet.pin_page"), 303)


@bp.post("/wallet/upgrade")
@signed_in
def upgrade(actor: Actor) -> Response:
    if perform(operations.upgrade, actor):
        flash(_("Your wallet has its new class."), "success")
    return redirect(url_for("wallet.show"), 303)


@bp.get("/wallet/pin")
@signed_in
def pin_page(actor: Actor) -> Any:
    wallet = queries.find(reading(), actor.signed_in_id())
    if wallet is None:
        return redirect(url_for("wallet.show"), 303)
    return pin_form_page(PinForm(), wallet.has_pin)


@bp.post("/wallet/pin")
@signed_in
@limits.trying_codes
def set_pin(actor: Actor) -> Any:
    """Set the PIN, or change it with the old one. Wrong old ones are counted like any other try."""
    wallet = queries.find(reading(), actor.signed_in_id())
    if wallet is None:
        return redirect(url_for("wallet.show"), 303)
    form, status = PinForm(), 422
    try:
        if form.validate() and same_twice(form):
            rules.check_new_pin(form.pin.data, actor.phone)
            proof = shown_old(actor, form.old_pin.data) if wallet.has_pin else None
            perform(operations.set_pin, actor, form.pin.data, proof)
            flash(_("Your PIN is set."), "success")
            return redirect(way_back(), 303)
    except ShopError as error:
        form.show(error)
        status = error.status
    return pin_form_page(form, wallet.has_pin), status


def pin_form_page(form: PinForm, has_pin: bool) -> str:
    return render_template(
        "wallet/pin.html", form=form, has_pin=has_pin, back=way_back(), following=local_path(address.path(), "")
    )


def way_back() -> str:
    """The page that asked for a PIN, else the wallet."""
    return local_path(address.path(), url_for("wallet.show"))


def same_twice(form: PinForm) -> bool:
    if form.pin.data == form.again.data:
        return True
    form.again.errors = [_("The two new PINs are not the same.")]
    return False


def shown_old(actor: Actor, old_pin: str) -> operations.Proof:
    """The proof of the present PIN; a refusal belongs beside the old one's field."""
    try:
        return pin.require(actor, old_pin)
    except ShopError as error:
        error.field = "old_pin"
        raise


@bp.post("/wallet/codes")
@signed_in
def send_code(actor: Actor) -> Response:
    """Send the code that lifts the day's limit, and go back to where it is typed."""
    try:
        perform(accounts.request_code, actor.phone, CodePurpose.STEP_UP, reader_locale(), person(actor.signed_in_id()))
        flash(_("A code is on its way to your phone."), "success")
    except TooManyCodes as error:
        flash(told(NoMoreCodes(until=error.details["until"])), "warning")
    except ShopError as error:
        flash(told(error), "info")
    return redirect(local_path(sent.path(), url_for("wallet.show")), 303)
