"""Paying: the money is held and the payment is written down in one transaction; sending it comes afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.bills import queries, rules
from shop.bills.errors import (
    AlreadyBeingPaid,
    BillNotDue,
    BillsOfSeveralAccounts,
    FiguresChanged,
    FiguresTooOld,
    NothingChosen,
)
from shop.bills.queries import AccountView
from shop.kernel import clock, ids
from shop.kernel.db import insert_once, operation
from shop.kernel.errors import Busy, ShopError
from shop.kernel.money import Money
from shop.models.bills import Bill, BillAccount, BillerFlow, BillPayment, BillPaymentItem, BillPaymentState, BillState
from shop.models.orders import PaymentMethod
from shop.models.payments import PaymentPurpose
from shop.payments import operations as payments
from shop.platform import audit, outbox
from shop.platform.actor import Actor
from shop.wallet import operations as wallet
from shop.wallet.operations import TransferKind
from shop.wallet.rules import Proof


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to pay, and the total they saw. Bills by reference, or for a prepaid account an amount."""

    seen_total: Money
    request_key: str
    account_ref: str | None = None
    bill_refs: tuple[str, ...] = ()
    amount: Money | None = None


@operation
def pay(session: Session, actor: Actor, wish: Wish, proof: Proof | None) -> BillPayment:
    """Hold the money of a bill payment and have it sent. The same `request_key` twice is one payment.

    Raises `FiguresTooOld`, `FiguresChanged`, `OlderBillDue`, `BillNotDue`, `AmountNotSold`, `AlreadyBeingPaid` and what
    `wallet.operations.authorise` and `post` raise; nothing has happened then.
    """
    user_id = actor.signed_in_id()
    request_key = f"{user_id}:{wish.request_key}"
    if (earlier := payment_of(session, request_key)) is not None:
        return earlier
    try:
        view = account_of(session, actor, wish)
        bills, total = chosen(view, wish)
        if total != wish.seen_total:
            raise FiguresChanged(total=total, total_minor=total.fen, bills=figures(view))
    except ShopError:
        # What stands in the way may be this very request, committed on another thread since the look above.
        if (twin := payment_of(session, request_key)) is not None:
            return twin
        raise
    moment, ref = clock.now(), ids.dated_reference("B")
    payment_id = insert_once(
        session, BillPayment, ref=ref, serial=f"LL-{ref}", request_key=request_key, user_id=user_id, biller_id=view.biller.id,
        bill_account_id=view.account.id, account_no=view.account.account_no, holder_masked=view.account.holder_masked, total=total,
        state=BillPaymentState.CREATED, created_at=moment,
    )
    if payment_id is None:
        return lost_race(session, request_key, view)
    for bill in bills:
        # While a payment of this bill may still succeed, there is no second one: the index decides, not the look before.
        if insert_once(session, BillPaymentItem, bill_payment_id=payment_id, bill_id=bill.id, amount=bill.total) is None:
            raise AlreadyBeingPaid()
    payments.start(
        session, actor, purpose=PaymentPurpose.BILL, method=PaymentMethod.WALLET, amount=total, bill_payment_id=payment_id, is_paid=True
    )
    account_code = wallet.authorise(session, actor, total, proof)
    wallet.post(
        session, cause=f"bill_payment:{payment_id}:held", kind=TransferKind.BILL_HOLD, debit=account_code, credit="bill_hold", amount=total,
        subject=("bill_payment", payment_id),
    )
    payment = session.get_one(BillPayment, payment_id)
    payment.state = BillPaymentState.FUNDS_HELD
    audit.record(session, actor, "bill_payment.held", "bill_payment", payment_id, total=total.fen, biller=view.biller.code)
    outbox.enqueue(session, "bills.send", dedupe_key=f"bills.send:{payment_id}", payment_id=payment_id)
    return payment


def payment_of(session: Session, request_key: str) -> BillPayment | None:
    """The payment that a request has made already."""
    return session.scalars(sa.select(BillPayment).where(BillPayment.request_key == request_key)).first()


def lost_race(session: Session, request_key: str, view: AccountView) -> BillPayment:
    """Somebody was first: this very request on another thread, or another payment of the same number."""
    if (twin := payment_of(session, request_key)) is not None:
        return twin
    there = sa.select(BillPayment.id).where(
        BillPayment.biller_id == view.biller.id, BillPayment.account_no == view.account.account_no, BillPayment.state.in_(rules.ON_ITS_WAY)
    )
    raise AlreadyBeingPaid() if session.scalars(there).first() else Busy()


def account_of(session: Session, actor: Actor, wish: Wish) -> AccountView:
    """The saved account that somebody wants to pay for, named by itself or by its bills."""
    if wish.account_ref:
        return queries.get_account(session, actor, wish.account_ref)
    return account_of_bills(session, actor, wish.bill_refs)


def account_of_bills(session: Session, actor: Actor, bill_refs: tuple[str, ...]) -> AccountView:
    """The saved account that some bills are of. Bills of an account that is not the person's are not there (`BillNotDue`)."""
    if not bill_refs:
        raise NothingChosen()
    numbers = {(bill.biller_id, bill.account_no) for bill in queries.bills_by_refs(session, bill_refs)}
    saved = sa.select(BillAccount).where(
        BillAccount.user_id == actor.signed_in_id(), BillAccount.removed_at.is_(None),
        sa.tuple_(BillAccount.biller_id, BillAccount.account_no).in_(list(numbers)),
    )  # fmt: skip
    accounts = list(session.scalars(saved)) if numbers else []
    if not accounts or len(accounts) != len(numbers):
        raise BillNotDue()
    if len(accounts) > 1:
        raise BillsOfSeveralAccounts()
    return queries.views_of(session, accounts)[0]


def chosen(view: AccountView, wish: Wish) -> tuple[tuple[Bill, ...], Money]:
    """The bills a wish names and what they cost now, checked by the biller's rules."""
    if view.on_its_way is not None or (view.being_paid and {bill.ref for bill in view.being_paid} & set(wish.bill_refs)):
        raise AlreadyBeingPaid()
    if view.biller.flow is not BillerFlow.PAY_ONLY and not rules.is_payable(view.account.fetched_at, clock.now()):
        raise FiguresTooOld(total_minor=view.total.fen, bills=figures(view))
    if view.biller.flow is not BillerFlow.FETCH_PAY:
        if wish.amount is None or wish.bill_refs:
            raise NothingChosen("amount_minor")
        rules.check_amount(view.biller.amount_rule, wish.amount, view.offer)
        return (), wish.amount
    if wish.amount is not None:
        raise NothingChosen()
    rules.check_oldest_first([rules.Period(bill.ref, bill.period, bill.total) for bill in view.due], wish.bill_refs)
    bills = tuple(bill for bill in view.due if bill.ref in wish.bill_refs)
    assert all(bill.state is BillState.DUE for bill in bills)
    return bills, Money.total(bill.total for bill in bills)


def figures(view: AccountView) -> list[dict[str, Any]]:
    """What is due now, for a refusal to show."""
    return [{"id": bill.ref, "period": bill.period, "total_minor": bill.total.fen} for bill in view.due]
