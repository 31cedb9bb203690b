"""Pages that pay bills: one account or several, from the wallet or by card; figures too old to pay by are asked for first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from shop.bills import door, operations, queries, rules
from shop.bills.errors import (
    AlreadyBeingPaid,
    FiguresChanged,
    FiguresTooOld,
    NothingChosen,
    TooManyLookUps,
    TooManyNumbers,
)
from shop.bills.forms import PayForm
from shop.bills.operations import Wish
from shop.bills.queries import AccountView
from shop.bills.views import GIVE_UP_FOR, bp, is_slow
from shop.kernel import clock, ids
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound, ShopError
from shop.kernel.money import Money
from shop.models.bills import Bill, BillerFlow, BillPayment, BillPaymentState, LookUpOutcome
from shop.models.orders import PaymentMethod
from shop.payments import checkout as provider
from shop.payments.rules import CARD_MINIMUM
from shop.platform.access import signed_in
from shop.platform.actor import Actor
from shop.platform.asked import address, sent
from shop.platform.http import told
from shop.wallet import queries as wallet

MOST_FEN = 999_999_999
MOST_PERIODS = 999


@dataclass(frozen=True, slots=True)
class Share:
    """What is paid on one account: these bills, or for a prepaid one an amount."""

    view: AccountView
    bills: tuple[Bill, ...]
    total: Money

    @property
    def months(self) -> int:
        return months_of(self.view, self.total)


@bp.route("/accounts/<ref>/pay", methods=["GET", "POST"])
@signed_in
def pay(actor: Actor, ref: str) -> Any:
    """Look once more, choose the tender, pay. Figures too old to pay by are asked for again first, by itself."""
    return paying(actor, [ref], url_for("bills.account", ref=ref), lambda **more: url_for("bills.pay", ref=ref, **choice(), **more))


@bp.route("/together", methods=["GET", "POST"])
@signed_in
def together(actor: Actor) -> Any:
    """The same over several accounts at once: everything that is due on each."""
    refs = list(dict.fromkeys(address.each("account", most=rules.MOST_TOGETHER)))
    if not refs:
        flash(told(NothingChosen()), "error")
        return redirect(url_for("bills.index"), 303)
    return paying(actor, refs, url_for("bills.index"), lambda **more: url_for("bills.together", account=refs, **more))


def paying(actor: Actor, refs: list[str], back: str, here: Callable[..., str]) -> Any:
    """The page that pays these accounts, at the address that `here` gives."""
    form = PayForm(method=None)
    if request.method == "POST":
        try:
            if not form.validate():
                raise NotFound()
            made = door.pay(actor, wishes_of(refs, form), PaymentMethod(form.method.data), form.pin.data, form.code.data)
            return onward(made)
        except FiguresTooOld:
            flash(_("This page was open for a while. Nothing was paid yet; please look at the newest amount and enter your PIN again."))
            return redirect(here(), 303)
        except (FiguresChanged, AlreadyBeingPaid) as error:
            return look_again(back, error)
        except ShopError as error:
            if error.field in {"bill_ids", "amount_minor"} or error.status == 404:
                return look_again(back, error)
            form.show(error)
    views = [queries.get_account(reading(), actor, ref) for ref in refs]
    if "HX-Request" in request.headers and not any(view.is_waiting for view in views):  # from here on as without script
        return Response(headers={"HX-Redirect": request.full_path})
    if len(views) == 1 and views[0].on_its_way is not None:
        return look_again(back, AlreadyBeingPaid())
    asking, silent = newest_first(actor, [view for view in views if view.on_its_way is None])
    if asking:
        seen = address.number("seen", Money.total(share.total for share in shares_of(views)).fen, MOST_FEN)
        slow = any(view.look_up is not None and is_slow(view.look_up) for view in asking)
        return render_template("bills/asking.html", views=asking, onward=here(seen=seen), is_slow=slow, back=back)
    shares = [share for share in shares_of([view for view in views if view not in silent]) if share.total and not share.view.on_its_way]
    if not shares:
        return redirect(back, 303)
    return pay_page(actor, shares, silent, form, back, here)


def newest_first(actor: Actor, views: list[AccountView]) -> tuple[list[AccountView], list[AccountView]]:
    """The accounts whose newest figures are still to come, asked for where nobody has; and those whose biller gives none now."""
    asking, silent, moment = [], [], clock.now()
    for view in views:
        if view.biller.flow is BillerFlow.PAY_ONLY or rules.is_payable(view.account.fetched_at, moment, rules.TYPING_TIME):
            continue
        asked = view.look_up
        if not view.is_waiting:
            if asked is not None and asked.asked_at > moment - GIVE_UP_FOR and asked.outcome is not LookUpOutcome.FOUND:
                silent.append(view)
                continue
            try:
                perform(operations.ask, actor, view.account.ref, rules.PAYABLE_FOR - rules.TYPING_TIME)
            except (TooManyLookUps, TooManyNumbers) as too_many:
                flash(told(too_many), "error")
                silent.append(view)
                continue
        asking.append(view)
    return asking, silent


def choice() -> dict[str, Any]:
    """What the address chooses to pay, for the next address."""
    return {name: said for name in ("periods", "amount") if (said := address.word(name))}


def shares_of(views: list[AccountView]) -> list[Share]:
    """What the address chooses on each account."""
    return [Share(view, *chosen_of(view)) for view in views]


def chosen_of(view: AccountView) -> tuple[tuple[Bill, ...], Money]:
    """The bills that the address chooses, and what is to be paid."""
    if view.biller.flow is not BillerFlow.FETCH_PAY:
        return (), Money(address.number("amount", 0, MOST_FEN))
    bills = view.due[: address.number("periods", len(view.due), MOST_PERIODS)]
    return bills, Money.total(bill.total for bill in bills)


def pay_page(
    actor: Actor, shares: list[Share], silent: list[AccountView], form: PayForm, back: str, here: Callable[..., str]
) -> Any:
    """The page that asks how to pay, for what its address chooses. Who cannot pay from a wallet now is offered the card first."""
    total = Money.total(share.total for share in shares)
    seen = Money(address.number("seen", total.fen, MOST_FEN))
    means = wallet.means(reading(), actor.signed_in_id(), total)
    needs_code = bool(form.code.errors) or address.is_on("code") or (means is not None and means.needs_code)
    can_use_wallet = means is not None and means.can_pay
    if form.method.data is None:
        form.method.data = PaymentMethod.WALLET.value if can_use_wallet or total < CARD_MINIMUM else PaymentMethod.STRIPE.value
    g.form_targets = provider.form_targets()
    page = render_template(
        "bills/pay.html", shares=shares, silent=silent, total=total, means=means, form=form, needs_code=needs_code,
        token=form.token.data if request.method == "POST" else ids.secret()[:32], spaced=rules.spaced_phone,
        seen=seen if seen != total else None, back=back, this_page=here, can_use_wallet=can_use_wallet, card_minimum=CARD_MINIMUM,
    )  # fmt: skip
    return page, 422 if request.method == "POST" else 200


def onward(made: list[BillPayment]) -> Response:
    """After paying: to the provider's page by card; else to the payment, or to the list where there are several."""
    if made[0].state is BillPaymentState.CREATED and made[0].paid_with_id is not None:
        url = door.payment_page(made[0].paid_with_id)
        return redirect(url or url_for("payments.onward", ref=queries.payment_ref(reading(), made[0])), 303)
    if len(made) == 1:
        return redirect(url_for("bills.payment", ref=made[0].ref), 303)
    total = Money.total(payment.total for payment in made)
    words = ngettext(
        "%(num)s bill is being paid, ¥%(total)s.", "%(num)s bills are being paid, ¥%(total)s in all.", len(made), total=total
    )
    flash(words, "success")
    return redirect(url_for("bills.index"), 303)


@bp.post("/<ref>/give-up")
@signed_in
def give_up(actor: Actor, ref: str) -> Response:
    """Not to be paid by card after all. Nothing is lost by it: the bills are due as before."""
    if not perform(operations.give_up, actor, ref):
        flash(_("It was paid or has ended already."), "info")
    return redirect(url_for("bills.payment", ref=ref), 303)


def months_of(view: AccountView, total: Money) -> int:
    """How many months an amount pays, where whole months are sold; else 0."""
    offer = view.offer
    return dict(zip(offer.amounts, offer.months, strict=False)).get(total, 0) if offer else 0


def wishes_of(refs: list[str], form: PayForm) -> list[Wish]:
    """What the form asks to be paid, account by account."""
    amount = address.number("amount", 0, MOST_FEN)
    return [
        Wish(
            seen_total=Money(sent.number(f"seen-{ref}", 0, MOST_FEN)), request_key=f"page:{form.token.data}:{ref}", account_ref=ref,
            bill_refs=tuple(sent.each(f"bill-{ref}", most=MOST_PERIODS)), amount=Money(amount) if amount else None,
        )
        for ref in refs
        if sent.has(f"seen-{ref}")
    ]  # fmt: skip


def look_again(back: str, error: ShopError) -> Response:
    """Say why nothing was paid and show what is due."""
    flash(told(error), "error")
    return redirect(back, 303)
