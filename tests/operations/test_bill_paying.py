"""Holding the money of a bill payment: once, by the figures that were seen, oldest first."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from shop.bills import operations
from shop.bills.errors import (
    AccountNotFound,
    AlreadyBeingPaid,
    AmountNotSold,
    BillNotDue,
    FiguresChanged,
    FiguresTooOld,
    NothingChosen,
    OlderBillDue,
)
from shop.bills.operations import Wish
from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.kernel.money import Money
from shop.models.bills import Bill, BillPayment, BillPaymentItem, BillPaymentState
from shop.models.payments import Payment, PaymentPurpose, PaymentState
from shop.wallet.errors import InsufficientFunds, ProofMissing
from simulators.biller.channel import Channel
from tests.support import bills
from tests.support.books import assert_books_are_right
from tests.support.factories import Factories, actor_of
from tests.support.money import balance, fund


@pytest.fixture
def biller(app: Flask) -> Iterator[Channel]:
    with bills.billers_running(app) as channel:
        yield channel
        assert_books_are_right(leave_out=("plumbing",))


def nothing_happened(user_id: int, fen: int) -> None:
    assert balance(f"wallet:{user_id}") == fen
    assert balance("bill_hold") == 0
    for table in (BillPayment, BillPaymentItem, Payment):
        assert reading().scalar(sa.select(sa.func.count()).select_from(table)) == 0


def test_paying_holds_the_money_until_the_biller_answers(biller: Channel, make: Factories) -> None:
    user = make.user()
    fund(user, 100_000)
    view = bills.add(user, "power", "5110000015")
    total = view.total.fen
    made = bills.pay(user, view)
    assert made.state is BillPaymentState.FUNDS_HELD
    assert balance(f"wallet:{user.id}") == 100_000 - total
    assert balance("bill_hold") == total
    paid = reading().scalars(sa.select(Payment).where(Payment.bill_payment_id == made.id)).one()
    assert (paid.purpose, paid.state, paid.amount) == (PaymentPurpose.BILL, PaymentState.SUCCEEDED, Money(total))
    assert biller.books()["posted"] == 0  # sending is a job's work


def test_the_oldest_period_can_be_paid_alone(biller: Channel, make: Factories) -> None:
    user = make.user()
    fund(user, 100_000)
    view = bills.add(user, "water-city", "600018")
    assert len(view.due) == 3
    made = bills.pay(user, view, periods=1)
    assert made.total == view.due[0].total


def test_a_newer_period_before_an_older_one_is_refused_and_nothing_happened(biller: Channel, make: Factories) -> None:
    user = make.user()
    fund(user, 100_000)
    view = bills.add(user, "water-city", "600018")
    newest = view.due[-1]
    with pytest.raises(OlderBillDue):
        bills.pay(user, view, bill_refs=(newest.ref,), seen_total=newest.total)
    nothing_happened(user.id, 100_000)


def test_another_total_than_the_one_seen_is_refused_with_the_new_figures_and_nothing_happened(biller: Channel, make: Factories) -> None:
    user = make.user()
    fund(user, 100_000)
    view = bills.add(user, "power", "5110000015")
    with pytest.raises(FiguresChanged) as refused:
        bills.pay(user, view, seen_total=view.total - Money(1))
    assert refused.value.details["total_minor"] == view.total.fen
    nothing_happened(user.id, 100_000)


def test_figures_older_than_five_minutes_are_refused_and_nothing_happened(biller: Channel, make: Factories) -> None:
    user = make.user()
    fund(user, 100_000)
    view = bills.add(user, "power", "5110000015")
    clock.move(timedelta(minutes=5, seconds=1))
    with pytest.raises(FiguresTooOld):
        bills.pay(user, view)
    nothing_happened(user.id, 100_000)


def test_two_tabs_pay_the_same_bill_once(biller: Channel, make: Factories) -> None:
    user = make.user()
    fund(user, 100_000)
    view = bills.add(user, "power", "5110000015")
    bills.pay(user, view)
    with pytest.raises(AlreadyBeingPaid):
        bills.pay(user, view)
    assert balance("bill_hold") == view.total.fen


@pytest.mark.parametrize("same_form", [True, False])
def test_eight_threads_at_once_pay_the_same_bill_once(app: Flask, biller: Channel, make: Factories, same_form: bool) -> None:
    user = make.user()
    fund(user, 900_000)
    view = bills.add(user, "power", "5110000015")
    start = threading.Barrier(8)

    def try_to_pay(number: int) -> str:
        with app.app_context():
            start.wait()
            try:
                return bills.pay(user, view, request_key="one" if same_form else f"form {number}").ref
            except AlreadyBeingPaid:
                return "refused"

    with ThreadPoolExecutor(8) as threads:
        ends = list(threads.map(try_to_pay, range(8)))
    assert len(set(ends)) == (1 if same_form else 2)
    assert ends.count("refused") == (0 if same_form else 7)
    reading().rollback()  # look at what is there now
    assert balance("bill_hold") == view.total.fen
    assert reading().scalar(sa.select(sa.func.count()).select_from(BillPayment)) == 1


def test_two_people_of_one_household_pay_the_same_bill_once(biller: Channel, make: Factories) -> None:
    mother, daughter = make.user(), make.user()
    for person in (mother, daughter):
        fund(person, 100_000)
    hers = bills.add(mother, "power", "5110000015")
    bills.pay(daughter, bills.add(daughter, "power", "5110000015"))
    with pytest.raises(AlreadyBeingPaid):
        bills.pay(mother, hers)
    assert balance(f"wallet:{mother.id}") == 100_000


def test_a_bill_is_taken_by_the_database_even_when_nobody_looked(biller: Channel, make: Factories) -> None:
    user = make.user()
    view = bills.add(user, "power", "5110000015")
    fund(user, 100_000)
    bills.pay(user, view)
    other = bills.pay(user, bills.add(user, "power", "5110000016"))
    whose = {"bill_payment_id": other.id, "community_id": other.community_id, "created_at": other.created_at}
    with pytest.raises(sa.exc.IntegrityError, match="bill_id"):
        make.save(BillPaymentItem(**whose, bill_id=view.due[0].id, amount=view.total))


def test_a_double_click_makes_one_payment(biller: Channel, make: Factories) -> None:
    user = make.user()
    fund(user, 100_000)
    view = bills.add(user, "power", "5110000015")
    first = bills.pay(user, view, request_key="the form's token")
    second = bills.pay(user, view, request_key="the form's token")
    assert first.id == second.id
    assert balance("bill_hold") == view.total.fen


def test_too_little_money_is_refused_and_nothing_happened(biller: Channel, make: Factories) -> None:
    user = make.user()
    fund(user, 5)
    view = bills.add(user, "power", "5110000015")
    with pytest.raises(InsufficientFunds):
        bills.pay(user, view)
    nothing_happened(user.id, 5)


def test_without_the_pin_nothing_happens(biller: Channel, make: Factories) -> None:
    user = make.user()
    fund(user, 100_000)
    view = bills.add(user, "power", "5110000015")
    wish = Wish(seen_total=view.total, request_key="k", account_ref=view.account.ref, bill_refs=(view.due[0].ref,))
    with pytest.raises(ProofMissing):
        perform(operations.pay, actor_of(user), wish, None)
    nothing_happened(user.id, 100_000)


def test_somebody_elses_account_is_not_there(biller: Channel, make: Factories) -> None:
    user, stranger = make.user(), make.user()
    fund(stranger, 100_000)
    view = bills.add(user, "power", "5110000015")
    with pytest.raises(AccountNotFound):
        bills.pay(stranger, view)
    with pytest.raises(BillNotDue):
        bills.pay(stranger, view, account_ref=None)
    nothing_happened(stranger.id, 100_000)


def test_a_bill_paid_elsewhere_is_withdrawn_and_cannot_be_paid(biller: Channel, make: Factories) -> None:
    user = make.user()
    fund(user, 100_000)
    view = bills.add(user, "power", "5110000015")
    biller.pay_all_due("power", "at-the-counter", "5110000015")
    perform(operations.ask, actor_of(user), view.account.ref, timedelta(0))
    assert bills.account(user, view.account.ref).is_waiting
    bills.let_pass(0)
    assert bills.account(user, view.account.ref).due == ()
    with pytest.raises(BillNotDue):
        bills.pay(user, view)
    assert reading().scalars(sa.select(Bill.state)).one().value == "withdrawn"


def test_a_face_is_bought_for_a_phone_and_no_other_amount(biller: Channel, make: Factories) -> None:
    user = make.user()
    fund(user, 100_000)
    view = bills.add(user, "mobile", "13800000005")
    with pytest.raises(AmountNotSold):
        bills.pay(user, view, amount=4_999)
    with pytest.raises(NothingChosen):
        bills.pay(user, view, periods=1, bill_refs=("x",), seen_total=Money(1))
    nothing_happened(user.id, 100_000)
    assert bills.pay(user, view, amount=5_000).total == Money(5_000)


def test_of_one_phone_one_top_up_is_on_its_way(biller: Channel, make: Factories) -> None:
    user = make.user()
    fund(user, 100_000)
    view = bills.add(user, "mobile", "13800000005")
    bills.pay(user, view, amount=5_000)
    with pytest.raises(AlreadyBeingPaid):
        bills.pay(user, view, amount=3_000)
    assert balance("bill_hold") == 5_000


def test_a_gas_card_takes_its_steps_and_months_are_sold_whole(biller: Channel, make: Factories) -> None:
    user = make.user()
    fund(user, 500_000)
    card = bills.add(user, "gas-city", "80000015")
    assert card.account.holder_masked.startswith("*")
    assert card.offer is not None
    assert card.offer.left_this_month == Money(100_000)
    with pytest.raises(AmountNotSold):
        bills.pay(user, card, amount=1_234)
    bills.pay(user, card, amount=5_000)
    television = bills.add(user, "cable-tv", "90000016")
    assert television.offer is not None
    assert television.offer.months == (1, 3, 6, 12, 24)
    bills.pay(user, television, amount=television.offer.amounts[1].fen)
