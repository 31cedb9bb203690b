"""Pages of bills: the list, adding an account, what is due, paying, and where a payment stands.

No page waits for a biller: questions and payments go out by jobs, and the page looks again by itself until the answer is there.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from shop.bills import door, operations, queries, rules
from shop.bills.capitals import in_capitals
from shop.bills.errors import AccountNotFound, AlreadyBeingPaid, FiguresChanged, FiguresTooOld, TooManyLookUps, TooManyNumbers
from shop.bills.forms import AccountForm, LabelForm, PayForm
from shop.bills.operations import Wish
from shop.bills.queries import AccountView, PaymentView
from shop.bills.terms import CATEGORIES, account_hint, category_icon, failure_words, period_words, state_words, steps_of, tone_of
from shop.kernel import clock, ids
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound, ShopError
from shop.kernel.money import ZERO, Money
from shop.models.bills import Bill, BillerFlow, BillLookUp, BillState, LookUpOutcome
from shop.platform.access import signed_in
from shop.platform.actor import Actor
from shop.platform.http import told
from shop.platform.language import yuan
from shop.wallet import queries as wallet
from shop.wallet.rules import DAY_LIMIT_PIN

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
    return str(typed.get("number", "")) if typed and typed.get("ref") == request.args.get("again") else ""


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
        spaced=rules.spaced_phone, state_words=state_words, label_form=LabelForm(label=view.account.label),
        periods=[period_point(bill) for bill in queries.history_of(reading(), view.account)],
    )  # fmt: skip


def period_point(bill: Bill) -> dict[str, Any]:
    """A period as a column of the chart; what is still due stands out."""
    used = f" · {bill.usage}" if bill.usage else ""
    return {
        "label": period_words(bill.period, is_short=True), "value": bill.total.fen, "text": f"{yuan(bill.total)}{used}",
        "short": f"¥{bill.total.fen // 100}", "mark": bill.state is BillState.DUE,
    }  # fmt: skip


def unknown_account(actor: Actor, ref: str) -> str:
    """The biller does not know the number: say so; nothing else is left to show."""
    asked = queries.last_look_up(reading(), actor, ref)
    if asked is None or asked.outcome is not LookUpOutcome.UNKNOWN_ACCOUNT:
        raise AccountNotFound()
    return render_template("bills/unknown.html", biller=queries.biller_of(reading(), asked.biller_id), ref=ref)


def is_slow(asked: BillLookUp) -> bool:
    """Whether an answer takes longer than people expect."""
    return asked.asked_at < clock.now() - timedelta(seconds=15)


def has_outcome(view: AccountView, outcome: LookUpOutcome) -> bool:
    return view.look_up is not None and view.look_up.outcome is outcome


def asks_by_itself(view: AccountView) -> bool:
    """Whether opening the page asks the biller: the figures are old, and nobody asked just now."""
    if view.biller.flow is BillerFlow.PAY_ONLY or view.is_waiting:
        return False
    moment = clock.now()
    asked_lately = view.look_up is not None and view.look_up.asked_at > moment - ASK_AGAIN_BY_ITSELF
    return not asked_lately and (view.account.fetched_at is None or view.account.fetched_at + rules.KEPT_FOR <= moment)


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
def remove(actor: Actor, ref: str) -> Response:
    perform(operations.remove_account, actor, ref)
    flash(_("The account is off your list. Payments and receipts stay."), "success")
    return redirect(url_for("bills.index"), 303)


@bp.route("/accounts/<ref>/pay", methods=["GET", "POST"])
@signed_in
def pay(actor: Actor, ref: str) -> Any:
    """Look once more, type the PIN, pay. Figures too old to pay by are asked for again first, by itself."""
    form = PayForm()
    if request.method == "POST":
        try:
            if not form.validate():
                raise NotFound()
            wish = wish_of(ref, form)
            return redirect(url_for("bills.payment", ref=door.pay(actor, wish, form.pin.data, form.code.data).ref), 303)
        except FiguresTooOld:
            flash(_("This page was open for a while. Nothing was paid yet; please look at the newest amount and enter your PIN again."))
            return redirect(url_for("bills.pay", ref=ref, **choice()), 303)
        except (FiguresChanged, AlreadyBeingPaid) as error:
            return look_again(ref, error)
        except ShopError as error:
            if error.field in {"bill_ids", "amount_minor"} or error.status == 404:
                return look_again(ref, error)
            form.show(error)
    view = queries.get_account(reading(), actor, ref)
    if "HX-Request" in request.headers and not view.is_waiting:  # the page that waits has its answer: from here on as without script
        return Response(headers={"HX-Redirect": request.full_path})
    if view.on_its_way is not None:
        return look_again(ref, AlreadyBeingPaid())
    if view.biller.flow is not BillerFlow.PAY_ONLY and not rules.is_payable(view.account.fetched_at, clock.now(), rules.TYPING_TIME):
        return newest_first(actor, view)
    return pay_page(actor, view, form)


def newest_first(actor: Actor, view: AccountView) -> Any:
    """Wait for the newest figures, and go on to paying by itself; back to the account where the biller has no answer now.

    The address keeps the sum somebody has seen, so that the page can say when it changed.
    """
    ref, seen = view.account.ref, request.args.get("seen", "") or str(chosen_of(view)[1].fen)
    asked = view.look_up
    if not view.is_waiting:
        if asked is not None and asked.asked_at > clock.now() - GIVE_UP_FOR and asked.outcome is not LookUpOutcome.FOUND:
            return redirect(url_for("bills.account", ref=ref), 303)
        try:
            perform(operations.ask, actor, ref, rules.PAYABLE_FOR - rules.TYPING_TIME)
        except (TooManyLookUps, TooManyNumbers) as too_many:
            return look_again(ref, too_many)
    onward = url_for("bills.pay", ref=ref, seen=seen, **choice())
    return render_template("bills/asking.html", view=view, onward=onward, is_slow=asked is not None and is_slow(asked))


def choice() -> dict[str, Any]:
    """What the address chooses to pay, for the next address."""
    return {name: request.args[name] for name in ("periods", "amount") if name in request.args}


def chosen_of(view: AccountView) -> tuple[tuple[Bill, ...], Money]:
    """The bills that the address chooses, and what is to be paid."""
    if view.biller.flow is not BillerFlow.FETCH_PAY:
        return (), Money(whole_number("amount", 0))
    bills = view.due[: whole_number("periods", len(view.due))]
    return bills, Money.total(bill.total for bill in bills)


def pay_page(actor: Actor, view: AccountView, form: PayForm) -> Any:
    """The page that asks for the PIN, for what its address chooses."""
    bills, total = chosen_of(view)
    seen = Money(whole_number("seen", total.fen))
    if total == ZERO:
        return redirect(url_for("bills.account", ref=view.account.ref), 303)
    purse = wallet.find(reading(), actor.signed_in_id())
    needs_code = bool(form.code.errors) or request.args.get("code") == "1"
    if purse is not None and not needs_code and purse.day_limit > DAY_LIMIT_PIN:  # else no code lifts it
        needs_code = wallet.spent(reading(), purse.account_id, purse.wallet_class, clock.now()).today + total > DAY_LIMIT_PIN
    page = render_template(
        "bills/pay.html", view=view, bills=bills, total=total, purse=purse, form=form, needs_code=needs_code,
        token=form.token.data if request.method == "POST" else ids.secret()[:32], spaced=rules.spaced_phone,
        months=months_of(view, total), seen=seen if seen != total else None,
        chosen={"periods": len(bills)} if bills else {"amount": total.fen},
    )  # fmt: skip
    return page, 422 if request.method == "POST" else 200


def months_of(view: AccountView, total: Money) -> int:
    """How many months an amount pays, where whole months are sold; else 0."""
    offer = view.offer
    return dict(zip(offer.amounts, offer.months, strict=False)).get(total, 0) if offer else 0


def wish_of(ref: str, form: PayForm) -> Wish:
    """What the form asks to be paid."""
    amount = whole_number("amount", 0)
    return Wish(
        seen_total=Money(int(form.seen_total.data)), request_key=f"page:{form.token.data}", account_ref=ref,
        bill_refs=tuple(request.form.getlist("bill")), amount=Money(amount) if amount else None,
    )  # fmt: skip


def look_again(ref: str, error: ShopError) -> Response:
    """Say why nothing was paid and show the account."""
    flash(told(error), "error")
    return redirect(url_for("bills.account", ref=ref), 303)


def whole_number(name: str, otherwise: int) -> int:
    """A small whole number from the address; what makes no sense is left out."""
    raw = request.args.get(name, "")
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 10 else otherwise


@bp.get("/payments")
@signed_in
def history(actor: Actor) -> str:
    before = whole_number("cursor", 0) or None
    shown, next_cursor = queries.payments(reading(), actor, before=before)
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
        "steps": steps_of(view.payment), "is_watched": is_watched, "failure": failure_words(view.payment.failure_code),
        "is_phone": view.biller.flow is BillerFlow.PAY_ONLY, "spaced": rules.spaced_phone,
    }  # fmt: skip
