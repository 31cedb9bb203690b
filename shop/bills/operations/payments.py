"""Paying: the money is held and the payment is written down in one transaction; sending it comes afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.bills import queries, rules
from shop.bills.errors import (
    AlreadyBeingPaid,
    BillerSilent,
    BillNotDue,
    BillPaymentNotFound,
    BillsOfSeveralAccounts,
    FiguresChanged,
    FiguresTooOld,
    NothingChosen,
)
from shop.bills.queries import AccountView
from shop.bills.tags import Done
from shop.kernel import clock, ids
from shop.kernel.db import insert_once, operation
from shop.kernel.errors import Busy, ShopError
from shop.kernel.money import Money
from shop.models.bills import Bill, BillAccount, BillerFlow, BillPayment, BillPaymentItem, BillPaymentState, BillState
from shop.models.orders import PaymentMethod
from shop.models.payments import Payment, PaymentPurpose
from shop.payments import operations as payments
from shop.payments.rules import CARD_MINUTES
from shop.platform import audit, outbox, pauses
from shop.platform.actor import PROVIDER, Actor
from shop.platform.belonging import belonging_to
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
    """Pay one account from the wallet: `pay_together` with one wish."""
    return pay_together(session, actor, [wish], PaymentMethod.WALLET, proof)[0]


@operation
def pay_together(
    session: Session, actor: Actor, wishes: Sequence[Wish], method: PaymentMethod, proof: Proof | None = None
) -> list[BillPayment]:
    """Pay what is due on several accounts, all of it or nothing. The same `request_key`s twice are one payment of each.

    From the wallet the money of each is held now, and each is sent. By card one payment is begun over all of them: they wait for its
    money until it expires. To a biller that does not answer at the moment nothing is paid: no money lies held for nobody knows how long.
    Raises `NothingChosen`, `BillerSilent`, `FiguresTooOld`, `FiguresChanged`, `OlderBillDue`, `BillNotDue`, `AmountNotSold`,
    `AlreadyBeingPaid`, `CardMinimum`, `SendingPaused`, and what `wallet.operations.authorise` and `post` raise; nothing has happened then.
    """
    if not 0 < len(wishes) <= rules.MOST_TOGETHER:
        raise NothingChosen()
    user_id = actor.signed_in_id()
    keys = [f"{user_id}:{wish.request_key}" for wish in wishes]
    if earlier := queries.payments_of(session, keys):
        return earlier
    pauses.check_open(session)
    written: list[BillPayment] = []
    for wish, key in zip(wishes, keys, strict=True):
        try:
            written.append(_write_down(session, actor, wish, key))
        except ShopError:
            # What stands in the way may be this very request, committed on another thread since the look above.
            if not written and (twins := queries.payments_of(session, keys)):
                return twins
            raise
    if method is PaymentMethod.STRIPE:
        _begin_by_card(session, actor, written)
    else:
        _hold_from_wallet(session, actor, written, proof)
    return written


def _write_down(session: Session, actor: Actor, wish: Wish, request_key: str) -> BillPayment:
    """The payment of one account with the bills it takes."""
    view = account_of(session, actor, wish)
    if (until := queries.silent_until(session, view.biller)) is not None:
        raise BillerSilent(until=until)
    bills, total = chosen(view, wish)
    if total != wish.seen_total:
        raise FiguresChanged(total=total, total_minor=total.fen, bills=figures(view))
    moment, ref = clock.now(), ids.dated_reference("B")
    payment_id = insert_once(
        session, BillPayment, ref=ref, serial=f"LL-{ref}", request_key=request_key, user_id=actor.signed_in_id(),
        community_id=belonging_to("user", actor.signed_in_id()),
        biller_id=view.biller.id, bill_account_id=view.account.id, account_no=view.account.account_no,
        holder_masked=view.account.holder_masked, total=total, state=BillPaymentState.CREATED, created_at=moment,
    )
    if payment_id is None:
        raise lost_race(session, view)
    payment = session.get_one(BillPayment, payment_id)
    whose = {"community_id": payment.community_id, "created_at": moment}
    for bill in bills:
        # While a payment of this bill may still succeed, there is no second one: the index decides, not the look before.
        if insert_once(session, BillPaymentItem, bill_payment_id=payment_id, bill_id=bill.id, amount=bill.total, **whose) is None:
            raise AlreadyBeingPaid()
    return payment


def _hold_from_wallet(session: Session, actor: Actor, made: Sequence[BillPayment], proof: Proof | None) -> None:
    """Take the money of each out of the wallet, and have each sent."""
    account_code = wallet.authorise(session, actor, Money.total(payment.total for payment in made), proof)
    for payment in made:
        paid_with = payments.start(
            session, actor, purpose=PaymentPurpose.BILL, method=PaymentMethod.WALLET, amount=payment.total, bill_payment_id=payment.id,
            is_paid=True, community_id=payment.community_id,
        )
        _hold(session, actor, payment, account_code)
        payment.paid_with_id = paid_with.id  # written with its state, in one statement


def _begin_by_card(session: Session, actor: Actor, made: Sequence[BillPayment]) -> None:
    """One payment by card over all of them; it is named after the first."""
    together = payments.start(
        session, actor, purpose=PaymentPurpose.BILL, method=PaymentMethod.STRIPE, amount=Money.total(payment.total for payment in made),
        bill_payment_id=made[0].id, expires_at=clock.now() + CARD_MINUTES, community_id=made[0].community_id,
    )
    for payment in made:
        payment.paid_with_id = together.id
        audit.record(session, actor, Done.BILL_PAYMENT_BEGUN_BY_CARD, "bill_payment", payment.id, total=payment.total.fen)


def _hold(session: Session, actor: Actor, payment: BillPayment, source: str) -> None:
    """The money of a payment is there, on account `source`: hold it for the biller and have it sent."""
    biller = queries.biller_of(session, payment.biller_id).code
    wallet.post(
        session, cause=f"bill_payment:{payment.id}:held", kind=TransferKind.BILL_HOLD, debit=source, credit="bill_hold",
        amount=payment.total, subject=("bill_payment", payment.id),
    )
    payment.state, payment.held_at = BillPaymentState.FUNDS_HELD, clock.now()
    audit.record(session, actor, Done.BILL_PAYMENT_HELD, "bill_payment", payment.id, total=payment.total.fen, biller=biller)
    key = f"bills.send:{payment.id}"
    outbox.enqueue(session, "bills.send", dedupe_key=key, about=("bill_payment", payment.id), payment_id=payment.id, biller=biller)


@operation
def take_card_money(session: Session, payment_id: int, amount: Money) -> bool:
    """The money of a payment by card is there: what it pays for is held, and sent. The caller has locked the payment.

    False, and nothing happens, unless all of it still waits for exactly this money.
    """
    waiting = _paid_with(session, payment_id)
    if Money.total(payment.total for payment in waiting) != amount or any(
        payment.state is not BillPaymentState.CREATED for payment in waiting
    ):
        return False
    for payment in waiting:
        _hold(session, PROVIDER, payment, "provider")
    return True


@operation
def drop_unpaid(session: Session, payment_id: int) -> int:
    """The payment by card that these bills waited for has ended without money: they may be paid again. The number that waited.

    The caller has locked the payment.
    """
    waiting = [payment for payment in _paid_with(session, payment_id) if payment.state is BillPaymentState.CREATED]
    for payment in waiting:
        payment.state, payment.failed_at, payment.failure_code = BillPaymentState.FAILED, clock.now(), rules.NOT_PAID
        free_bills(session, payment.id)
        audit.record(session, PROVIDER, Done.BILL_PAYMENT_NOT_PAID, "bill_payment", payment.id, total=payment.total.fen)
    return len(waiting)


@operation
def give_up(session: Session, actor: Actor, ref: str) -> bool:
    """The person will not pay these bills by card after all: its page is closed, and with it what it was for. False when it is too late.

    Raises `BillPaymentNotFound` for other people's.
    """
    payment = session.scalars(sa.select(BillPayment).where(BillPayment.ref == ref, BillPayment.user_id == actor.signed_in_id())).first()
    if payment is None or payment.paid_with_id is None:
        raise BillPaymentNotFound()
    session.execute(sa.select(Payment.id).where(Payment.id == payment.paid_with_id).with_for_update(key_share=True))
    session.refresh(payment)
    if payment.state is not BillPaymentState.CREATED:
        return False
    if payments.give_up(session, payment_id=payment.paid_with_id):
        drop_unpaid(session, payment.paid_with_id)
    return True


def _paid_with(session: Session, payment_id: int) -> Sequence[BillPayment]:
    """What one payment pays for, by id, as it is now."""
    found = sa.select(BillPayment).where(BillPayment.paid_with_id == payment_id).order_by(BillPayment.id)
    return session.scalars(found.with_for_update(key_share=True).execution_options(populate_existing=True)).all()


def free_bills(session: Session, bill_payment_id: int) -> None:
    """The bills of a payment that has failed may be paid by another one."""
    items = sa.update(BillPaymentItem).where(BillPaymentItem.bill_payment_id == bill_payment_id)
    session.execute(items.values(is_live=False).execution_options(synchronize_session=False))


def lost_race(session: Session, view: AccountView) -> ShopError:
    """Somebody was first: another payment of the same number, or this very request on another thread."""
    there = sa.select(BillPayment.id).where(
        BillPayment.biller_id == view.biller.id, BillPayment.account_no == view.account.account_no, BillPayment.state.in_(rules.ON_ITS_WAY)
    )
    return AlreadyBeingPaid() if session.scalars(there).first() else Busy()


def account_of(session: Session, actor: Actor, wish: Wish) -> AccountView:
    """The saved account that somebody wants to pay for, named by itself or by its bills."""
    if wish.account_ref:
        return queries.get_account(session, actor, wish.account_ref)
    return account_of_bills(session, actor, wish.bill_refs)


def account_of_bills(session: Session, actor: Actor, bill_refs: tuple[str, ...]) -> AccountView:
    """The saved account that some bills are of. Bills of an account that is not the person's are not there (`BillNotDue`)."""
    if not bill_refs:
        raise NothingChosen()
    numbers = {(bill.biller_id, bill.account_hash) for bill in queries.bills_by_refs(session, bill_refs)}
    saved = sa.select(BillAccount).where(
        BillAccount.user_id == actor.signed_in_id(), BillAccount.removed_at.is_(None),
        sa.tuple_(BillAccount.biller_id, BillAccount.account_hash).in_(list(numbers)),
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
