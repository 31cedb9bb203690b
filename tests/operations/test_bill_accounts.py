"""Saving customer numbers and asking billers about them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from shop.bills import jobs, operations, rules
from shop.bills.errors import AccountNotFound, BillerNotFound, MalformedAccountNumber, TooManyLookUps, TooManyNumbers
from shop.bills.gateway import BillerUnavailable, HttpBiller
from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.models.bills import Bill, BillAccount, BillLookUp, BillState, LookUpOutcome
from shop.platform import outbox
from simulators.biller.channel import Channel
from tests.support import bills
from tests.support.factories import Factories, actor_of
from tests.support.money import fund


@pytest.fixture
def biller(app: Flask) -> Iterator[Channel]:
    with bills.billers_running(app) as channel:
        yield channel


def test_an_account_is_saved_with_what_is_due_and_only_masked(biller: Channel, make: Factories) -> None:
    user = make.user()
    view = bills.add(user, "power", "5110 0000 18")
    told = biller.query("power", "5110000018")
    assert view.account.account_no == "5110000018"
    assert view.account.holder_masked == "*" + told["holder"][1:]
    assert told["address"].startswith(view.account.address_masked)
    assert view.account.address_masked.endswith("栋")
    assert [bill.total.fen for bill in view.due] == [period["total_fen"] for period in told["periods"]]
    assert [bill.period for bill in view.due] == sorted(bill.period for bill in view.due)
    assert view.due[0].late_fee.fen > 0


def test_of_a_number_the_biller_does_not_know_only_the_question_stays(biller: Channel, make: Factories) -> None:
    user = make.user()
    made = perform(operations.save_account, actor_of(user), "power", "5110000010")
    outbox.run_due()
    with pytest.raises(AccountNotFound):
        bills.account(user, made.ref)
    assert reading().scalar(sa.select(sa.func.count()).select_from(BillAccount)) == 0
    asked = reading().scalars(sa.select(BillLookUp)).one()
    assert asked.outcome is LookUpOutcome.UNKNOWN_ACCOUNT
    assert "5110000010" not in asked.account_key


def test_the_same_number_saved_twice_is_one_account(biller: Channel, make: Factories) -> None:
    user = make.user()
    first = bills.add(user, "power", "5110000015")
    again = perform(operations.save_account, actor_of(user), "power", "5110000015", "home")
    assert again.id == first.account.id
    assert again.label == "home"


def test_of_a_removed_account_nothing_stays_where_nothing_was_paid(biller: Channel, make: Factories) -> None:
    user = make.user()
    view = bills.add(user, "power", "5110000015")
    perform(operations.remove_account, actor_of(user), view.account.ref)
    assert reading().scalar(sa.select(sa.func.count()).select_from(BillAccount)) == 0


def test_a_removed_account_comes_back_with_its_payments(biller: Channel, make: Factories) -> None:
    user = make.user()
    fund(user, 100_000)
    view = bills.add(user, "power", "5110000015")
    bills.pay(user, view)
    perform(operations.remove_account, actor_of(user), view.account.ref)
    perform(operations.remove_account, actor_of(user), view.account.ref)
    with pytest.raises(AccountNotFound):
        bills.account(user, view.account.ref)
    [left] = reading().scalars(sa.select(BillAccount))
    assert (left.label, left.holder_masked, left.address_masked) == ("", "", "")
    assert bills.add(user, "power", "5110000015").account.id == view.account.id


@pytest.mark.parametrize(("code", "number", "refusal"), [("power", "51", MalformedAccountNumber), ("gold", "5110000015", BillerNotFound)])
def test_what_is_not_a_number_of_the_biller_is_refused(
    biller: Channel, make: Factories, code: str, number: str, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        perform(operations.save_account, actor_of(make.user()), code, number)
    assert reading().scalar(sa.select(sa.func.count()).select_from(BillAccount)) == 0


def test_an_answer_is_kept_for_ten_minutes(biller: Channel, make: Factories) -> None:
    user = make.user()
    view = bills.add(user, "power", "5110000015")
    assert perform(operations.ask, actor_of(user), view.account.ref, rules.KEPT_FOR) is None
    clock.move(timedelta(minutes=10, seconds=1))
    assert perform(operations.ask, actor_of(user), view.account.ref, rules.KEPT_FOR) is not None


def test_a_question_still_open_is_not_asked_twice(biller: Channel, make: Factories) -> None:
    user = make.user()
    made = perform(operations.save_account, actor_of(user), "power", "5110000015")
    again = perform(operations.ask, actor_of(user), made.ref, timedelta(0))
    assert again is not None
    assert reading().scalar(sa.select(sa.func.count()).select_from(BillLookUp)) == 1


def test_a_number_is_looked_up_at_most_ten_times_a_day(biller: Channel, make: Factories) -> None:
    user = make.user()
    view = bills.add(user, "power", "5110000015")
    for _more in range(9):
        perform(operations.ask, actor_of(user), view.account.ref, timedelta(0))
        outbox.run_due()
    with pytest.raises(TooManyLookUps):
        perform(operations.ask, actor_of(user), view.account.ref, timedelta(0))
    clock.move(timedelta(days=1))
    assert perform(operations.ask, actor_of(user), view.account.ref, timedelta(0)) is not None


def test_nobody_walks_through_the_numbers_of_a_street(biller: Channel, make: Factories) -> None:
    user = make.user()
    for number in range(20):
        perform(operations.save_account, actor_of(user), "water-city", f"60{number:04d}")
    with pytest.raises(TooManyNumbers):
        perform(operations.save_account, actor_of(user), "water-city", "700001")


def test_a_biller_that_does_not_answer_costs_no_question_and_changes_nothing(biller: Channel, make: Factories) -> None:
    user = make.user()
    view = bills.add(user, "power", "5110000015")
    biller.control(down=["power"])
    for _more in range(12):
        perform(operations.ask, actor_of(user), view.account.ref, timedelta(0))
        outbox.run_due()
    now = bills.account(user, view.account.ref)
    assert now.look_up is not None
    assert now.look_up.outcome is LookUpOutcome.UNAVAILABLE
    assert now.due == view.due
    assert now.account.fetched_at == view.account.fetched_at


def test_a_question_answered_twice_is_kept_once(biller: Channel, make: Factories) -> None:
    user = make.user()
    bills.add(user, "power", "5110000015")
    asked = reading().scalars(sa.select(BillLookUp)).one()
    assert not perform(operations.record_answer, asked.id, LookUpOutcome.UNKNOWN_ACCOUNT)
    jobs.fetch(asked.id)
    assert reading().scalar(sa.select(sa.func.count()).select_from(BillAccount)) == 1


def test_a_bill_that_is_being_paid_is_not_changed_by_a_newer_answer(biller: Channel, make: Factories) -> None:
    user = make.user()
    fund(user, 100_000)
    view = bills.add(user, "power", "5110000015")
    bills.pay(user, view)
    biller.pay_all_due("power", "elsewhere", "5110000015")
    perform(operations.ask, actor_of(user), view.account.ref, timedelta(0))
    asked = reading().scalars(sa.select(BillLookUp.id).order_by(BillLookUp.id.desc())).first()
    assert asked is not None
    reading().rollback()
    jobs.fetch(asked)
    assert reading().scalars(sa.select(Bill.state)).all() == [BillState.DUE]


def test_a_bill_that_was_paid_stays_paid_whatever_an_old_answer_says(biller: Channel, make: Factories) -> None:
    user = make.user()
    fund(user, 100_000)
    view = bills.add(user, "power", "5110000015")
    old = HttpBiller(f"http://{biller.host}", biller.key, 5).look_up("power", "5110000015", prepaid=False)
    bills.pay(user, view)
    outbox.run_due()
    perform(operations.ask, actor_of(user), view.account.ref, timedelta(0))
    asked = reading().scalars(sa.select(BillLookUp.id).order_by(BillLookUp.id.desc())).first()
    assert asked is not None
    reading().rollback()
    perform(operations.record_answer, asked, LookUpOutcome.FOUND, old)
    assert reading().scalars(sa.select(Bill.state)).all() == [BillState.PAID]


def test_without_a_line_or_with_the_wrong_key_the_biller_is_unavailable(biller: Channel) -> None:
    for gateway in (HttpBiller("http://127.0.0.1:1", "demo-biller-key", 1), HttpBiller(f"http://{biller.host}", "wrong", 1)):
        with pytest.raises(BillerUnavailable):
            gateway.look_up("power", "5110000015", prepaid=False)
        assert gateway.inquire("power", "x").outcome.value == "unclear"
