"""Bills paid by card, and several accounts at once: held when the money is there, never without it, all of it or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from shop.bills import operations
from shop.bills.errors import AlreadyBeingPaid, BillPaymentNotFound, FiguresChanged, NothingChosen
from shop.bills.operations import Wish
from shop.bills.queries import AccountView
from shop.kernel import clock, ids
from shop.kernel.db import perform, reading
from shop.kernel.errors import ShopError
from shop.kernel.money import Money
from shop.models.accounts import User
from shop.models.bills import BillPayment, BillPaymentItem, BillPaymentState
from shop.models.orders import PaymentMethod
from shop.models.payments import Payment, PaymentState, Refund, RefundState
from shop.models.platform import Notice
from shop.payments.checkout import open_session
from shop.platform import outbox
from shop.settlement import inquiry, jobs
from shop.settlement.operations import Outcome
from shop.wallet.errors import InsufficientFunds
from shop.wallet.rules import Proof
from simulators.biller.channel import Channel
from tests.support import bills
from tests.support.books import assert_books_are_right
from tests.support.factories import Factories, actor_of
from tests.support.money import balance, fund
from tests.support.provider import CardProvider, card_provider, payment_of
from tests.support.shopping import at_once

CARD, WALLET = PaymentMethod.STRIPE, PaymentMethod.WALLET


@pytest.fixture
def biller(app: Flask) -> Iterator[Channel]:
    with bills.billers_running(app) as channel:
        yield channel
        assert_books_are_right(leave_out=("plumbing",))


@pytest.fixture
def stripe(app: Flask) -> Iterator[CardProvider]:
    with card_provider(app) as provider:
        yield provider


def wish(view: AccountView, **changes: Any) -> Wish:
    said = {"seen_total": view.total, "request_key": ids.secret(), "account_ref": view.account.ref}
    return Wish(**{**said, "bill_refs": tuple(bill.ref for bill in view.due), **changes})


def pay(user: User, wishes: Sequence[Wish], method: PaymentMethod = CARD) -> list[BillPayment]:
    return perform(operations.pay_together, actor_of(user), wishes, method, Proof(user.id) if method is WALLET else None)


def paid_with(made: BillPayment) -> int:
    assert made.paid_with_id is not None
    return made.paid_with_id


def nothing_was_begun(user: User) -> None:
    reading().rollback()
    for table in (BillPayment, BillPaymentItem):
        assert reading().scalar(sa.select(sa.func.count()).select_from(table)) == 0
    bill = sa.select(sa.func.count()).select_from(Payment).where(Payment.bill_payment_id.is_not(None))
    assert reading().scalar(bill) == 0
    assert balance("bill_hold") == 0


def power_and_water(user: User) -> list[AccountView]:
    return [bills.add(user, "power", "5110000015"), bills.add(user, "water-city", "80000015")]


def test_a_newcomer_without_a_wallet_pays_a_bill_by_card(biller: Channel, stripe: CardProvider, make: Factories) -> None:
    user = make.user()
    view = bills.add(user, "power", "5110000015")
    (made,) = pay(user, [wish(view)])
    assert (made.state, made.held_at) == (BillPaymentState.CREATED, None)
    outbox.run_due()
    assert bills.payment(made.ref).state is BillPaymentState.CREATED, "nothing is sent before the money is there"
    stripe.pay(paid_with(made))
    assert inquiry.settle(paid_with(made)) is Outcome.PAID
    assert balance("bill_hold") == view.total.fen
    bills.until_settled()
    assert bills.payment(made.ref).state is BillPaymentState.POSTED
    assert balance("bill_hold") == 0
    assert inquiry.settle(paid_with(made)) is Outcome.KNOWN
    assert [payment["times_posted"] for payment in biller.books()["payments"]] == [1]


def test_what_the_biller_refuses_goes_back_to_the_card(biller: Channel, stripe: CardProvider, make: Factories) -> None:
    user = make.user()
    view = bills.add(user, "power", "5110000013")
    (made,) = pay(user, [wish(view)])
    stripe.pay(paid_with(made))
    inquiry.settle(paid_with(made))
    bills.until_settled()
    assert bills.payment(made.ref).state is BillPaymentState.REFUNDED
    refund = reading().scalars(sa.select(Refund)).one()
    assert (refund.amount, refund.state, refund.payment_id) == (view.total, RefundState.SUCCEEDED, made.paid_with_id)
    assert (balance("bill_hold"), balance("refund_due")) == (0, 0)
    assert "bill.returned_to_card" in reading().scalars(sa.select(Notice.kind).where(Notice.user_id == user.id)).all()


def test_nobody_paid_so_the_bills_are_due_again(biller: Channel, stripe: CardProvider, make: Factories) -> None:
    user = make.user()
    view = bills.add(user, "power", "5110000015")
    (made,) = pay(user, [wish(view)])
    assert bills.account(user, view.account.ref).due == ()
    clock.move(timedelta(minutes=31))
    jobs.close_overdue()
    outbox.run_due()
    ended = bills.payment(made.ref)
    assert (ended.state, ended.failure_code) == (BillPaymentState.FAILED, "not_paid")
    assert bills.account(user, view.account.ref).total == view.total
    assert balance("bill_hold") == 0


def test_a_page_that_was_opened_and_left_is_closed_with_its_bills(biller: Channel, stripe: CardProvider, make: Factories) -> None:
    user = make.user()
    (made,) = pay(user, [wish(bills.add(user, "power", "5110000015"))])
    open_session(paid_with(made))
    assert perform(operations.give_up, actor_of(user), made.ref) is True
    outbox.run_due()
    assert payment_of(paid_with(made)).state is PaymentState.CANCELLED
    assert bills.payment(made.ref).state is BillPaymentState.FAILED


def test_giving_up_before_the_page_is_open_ends_it_at_once(biller: Channel, make: Factories) -> None:
    user = make.user()
    (made,) = pay(user, [wish(bills.add(user, "power", "5110000015"))])
    assert perform(operations.give_up, actor_of(user), made.ref) is True
    assert bills.payment(made.ref).state is BillPaymentState.FAILED
    assert perform(operations.give_up, actor_of(user), made.ref) is False
    with pytest.raises(BillPaymentNotFound):
        perform(operations.give_up, actor_of(make.user()), made.ref)


def test_money_that_comes_after_it_was_given_up_goes_back(biller: Channel, stripe: CardProvider, make: Factories) -> None:
    user = make.user()
    (made,) = pay(user, [wish(bills.add(user, "power", "5110000015"))])
    stripe.pay(paid_with(made))
    with_money = payment_of(paid_with(made))
    assert with_money.state is PaymentState.CREATED, "nobody has told us yet"
    perform(operations.drop_unpaid, paid_with(made))
    assert inquiry.settle(paid_with(made)) is Outcome.RETURNED
    outbox.run_due()
    assert (balance("bill_hold"), balance("suspense"), balance("refund_due")) == (0, 0, 0)
    assert bills.payment(made.ref).state is BillPaymentState.FAILED


def test_several_accounts_are_paid_at_once_from_the_wallet(biller: Channel, make: Factories) -> None:
    user = make.user()
    fund(user, 100_000)
    views = power_and_water(user)
    total = sum(view.total.fen for view in views)
    wishes = [wish(view) for view in views]
    made = pay(user, wishes, WALLET)
    assert [payment.state for payment in made] == [BillPaymentState.FUNDS_HELD] * 2
    assert (balance(f"wallet:{user.id}"), balance("bill_hold")) == (100_000 - total, total)
    assert [payment.id for payment in pay(user, wishes, WALLET)] == [payment.id for payment in made], "a second click is the same"
    bills.until_settled()
    assert {bills.payment(payment.ref).state for payment in made} == {BillPaymentState.POSTED}


def test_several_accounts_are_paid_at_once_by_one_card_payment(biller: Channel, stripe: CardProvider, make: Factories) -> None:
    user = make.user()
    views = [bills.add(user, "power", "5110000015"), bills.add(user, "water-city", "80000013")]
    first, second = pay(user, [wish(view) for view in views])
    assert first.paid_with_id == second.paid_with_id
    assert payment_of(paid_with(first)).amount == Money.total(view.total for view in views)
    stripe.pay(paid_with(first))
    assert inquiry.settle(paid_with(first)) is Outcome.PAID
    bills.until_settled()
    states = {bills.payment(payment.ref).state for payment in (first, second)}
    assert states == {BillPaymentState.POSTED, BillPaymentState.REFUNDED}
    (refund,) = reading().scalars(sa.select(Refund)).all()
    assert refund.amount in {view.total for view in views}
    assert (balance("bill_hold"), balance("refund_due")) == (0, 0)


def too_little(user: User, views: list[AccountView]) -> None:
    pay(user, [wish(view) for view in views], WALLET)


def one_sum_wrong(user: User, views: list[AccountView]) -> None:
    pay(user, [wish(views[0]), wish(views[1], seen_total=Money(1))])


def the_same_twice(user: User, views: list[AccountView]) -> None:
    pay(user, [wish(views[0]), wish(views[0])])


def nothing_at_all(user: User, views: list[AccountView]) -> None:
    pay(user, [])


@pytest.mark.parametrize(
    ("press", "refusal"),
    [(too_little, InsufficientFunds), (one_sum_wrong, FiguresChanged), (the_same_twice, AlreadyBeingPaid), (nothing_at_all, NothingChosen)],
)
def test_what_cannot_be_paid_whole_is_not_begun(biller: Channel, make: Factories, press: Any, refusal: type[ShopError]) -> None:
    user = make.user()
    fund(user, 100)
    with pytest.raises(refusal):
        press(user, power_and_water(user))
    nothing_was_begun(user)


@pytest.mark.slow
@pytest.mark.parametrize("_round", range(3))
def test_given_up_and_paid_at_once_is_paid(
    app: Flask, biller: Channel, stripe: CardProvider, make: Factories, _round: int
) -> None:
    user = make.user()
    (made,) = pay(user, [wish(bills.add(user, "power", "5110000015"))])
    payment_id = paid_with(made)
    stripe.pay(payment_id)
    settled, given_up = at_once(app, [lambda: inquiry.settle(payment_id), lambda: perform(operations.give_up, actor_of(user), made.ref)])
    assert (settled, given_up) in {(Outcome.PAID, True), (Outcome.PAID, False)}, (settled, given_up)
    bills.until_settled()
    assert bills.payment(made.ref).state is BillPaymentState.POSTED, "money that came has paid"


@pytest.mark.slow
def test_two_tabs_paying_the_same_accounts_make_one_payment_each(app: Flask, biller: Channel, make: Factories) -> None:
    user = make.user()
    fund(user, 100_000)
    views = power_and_water(user)
    tabs = [[wish(view) for view in views] for _tab in range(4)]
    total = sum(view.total.fen for view in views)
    outcomes = at_once(app, [lambda wishes=wishes: pay(user, wishes, WALLET) for wishes in tabs])
    paid = [outcome for outcome in outcomes if isinstance(outcome, list)]
    assert len(paid) == 1, outcomes
    assert {type(outcome) for outcome in outcomes if not isinstance(outcome, list)} == {AlreadyBeingPaid}
    assert balance("bill_hold") == total
    bills.until_settled()
