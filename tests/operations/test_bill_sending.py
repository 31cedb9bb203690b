"""From held money to a written-off bill, whatever the biller answers, or does not answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from shop.bills import jobs, operations, queries, rules
from shop.bills.answers import Answer, Order
from shop.bills.gateway import HttpBiller
from shop.kernel import clock
from shop.kernel.db import database, perform, reading, transaction
from shop.models.accounts import Role
from shop.models.bills import AttemptKind, AttemptOutcome, Bill, Biller, BillPayment, BillPaymentItem, BillPaymentState, BillState
from shop.models.payments import Payment, Refund
from shop.models.platform import AuditEntry, Notice
from shop.platform import outbox, partners
from simulators.biller.channel import Channel
from tests.support import bills
from tests.support.books import assert_books_are_right
from tests.support.factories import Factories, actor_of
from tests.support.money import balance, fund

WINDOW = timedelta(seconds=60)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every call is made, however many in a row bring nothing: what one lost answer does is looked at here."""
    monkeypatch.setattr(partners, "FAILURES", 1_000_000)


@pytest.fixture
def biller(app: Flask) -> Iterator[Channel]:
    with bills.billers_running(app) as channel:
        channel.control(lost_answer="close")
        yield channel
        assert_books_are_right(leave_out=("plumbing",))


class Died(BaseException):
    """Stands for a worker that is gone: nothing of it is caught or cleaned up."""


def held(make: Factories, biller: str, account_no: str, **wishes: object) -> BillPayment:
    """A payment that is held and not yet sent."""
    user = make.user()
    fund(user, 100_000)
    return bills.pay(user, bills.add(user, biller, account_no), **wishes)  # type: ignore[arg-type]


def kinds_of_notices(user_id: int) -> list[str]:
    return list(reading().scalars(sa.select(Notice.kind).where(Notice.user_id == user_id).order_by(Notice.id)))


def is_paid_right(made: BillPayment) -> None:
    """Everything a written-off payment has, once."""
    now = bills.payment(made.ref)
    assert now.state is BillPaymentState.POSTED
    assert now.receipt_no
    assert now.biller_serial
    assert balance(f"biller:{made.biller_id}") == made.total.fen
    assert balance("bill_hold") == 0
    assert balance(f"wallet:{made.user_id}") == 100_000 - made.total.fen
    assert kinds_of_notices(made.user_id) == ["bill.paid"]
    (facts,) = reading().scalars(sa.select(Notice.facts).where(Notice.user_id == made.user_id))
    assert set(facts["biller"]) == {"zh", "en"}, "named in the language it is read in, not in the one of the day it was written"
    states = reading().scalars(sa.select(Bill.state).join(BillPaymentItem).where(BillPaymentItem.bill_payment_id == made.id)).all()
    assert set(states) <= {BillState.PAID}


def is_returned_right(made: BillPayment) -> None:
    """Everything a refused payment leaves behind: the money is back, the bill is due again, nobody was told twice."""
    now = bills.payment(made.ref)
    assert now.state is BillPaymentState.REFUNDED
    assert now.failure_code
    assert balance(f"wallet:{made.user_id}") == 100_000
    assert balance("bill_hold") == balance(f"biller:{made.biller_id}") == 0
    assert reading().scalars(sa.select(Refund.amount)).all() == [made.total]
    paid_by = reading().scalars(sa.select(Payment).where(Payment.bill_payment_id == made.id)).one()
    assert paid_by.refunded_amount == made.total
    assert not reading().scalars(sa.select(BillPaymentItem).where(BillPaymentItem.is_live)).all()
    assert kinds_of_notices(made.user_id) == ["bill.returned"]


@pytest.mark.parametrize(
    ("number", "ends"),
    [
        ("5110000012", "posted"), ("5110000013", "refunded"), ("5110000014", "posted"), ("5110000015", "posted"),
        ("5110000016", "posted"), ("5110000017", "posted"), ("5110000018", "posted"), ("5110000019", "posted"),
    ],
)  # fmt: skip
def test_every_last_digit_ends_in_its_state_without_anything_more_to_do(biller: Channel, make: Factories, number: str, ends: str) -> None:
    biller.control(slow_ms=200, late_post_ms=None)
    made = held(make, "power", number)
    bills.until_settled()
    assert bills.payment(made.ref).state.value == ends
    (is_paid_right if ends == "posted" else is_returned_right)(made)
    assert biller.books()["posted_more_than_once"] == []
    assert biller.books()["posted"] == (1 if ends == "posted" else 0)


@pytest.mark.parametrize(("number", "ends"), [("13800000012", "posted"), ("13800000013", "refunded"), ("13800000015", "posted")])
def test_a_phone_top_up_ends_in_its_state_too(biller: Channel, make: Factories, number: str, ends: str) -> None:
    made = held(make, "mobile", number, amount=5_000)
    bills.until_settled()
    assert bills.payment(made.ref).state.value == ends
    (is_paid_right if ends == "posted" else is_returned_right)(made)


def test_a_gas_card_payment_says_that_the_card_must_be_loaded(biller: Channel, make: Factories) -> None:
    made = held(make, "gas-city", "80000015", amount=5_000)
    outbox.run_due()
    assert bills.payment(made.ref).next_step == "load_card"


def test_a_lost_answer_is_unknown_and_asked_about_and_never_sent_again(biller: Channel, make: Factories) -> None:
    made = held(make, "power", "5110000012")
    outbox.run_due()
    now = bills.payment(made.ref)
    assert now.state is BillPaymentState.UNKNOWN
    assert balance("bill_hold") == made.total.fen  # unknown is not failed: the money stays held
    assert now.next_inquiry_at == reading().scalars(sa.select(operations.sending.BillAttempt.ended_at)).one() + timedelta(seconds=5)
    bills.until_settled()
    kinds = [kind for kind, _ in bills.tries(made.ref)]
    assert kinds.count("post") == 1
    is_paid_right(made)


def test_an_answer_that_takes_too_long_is_unknown(app: Flask, make: Factories) -> None:
    with bills.billers_running(app, timeout_seconds=0.3) as channel:
        channel.control(slow_ms=1_000)
        user = make.user()
        fund(user, 100_000)
        channel.control(per_account={"5110000015": {"behaviour": "slow"}})
        made = bills.pay(user, bills.add(user, "power", "5110000015"))
        outbox.run_due()
        assert bills.payment(made.ref).state is BillPaymentState.UNKNOWN
        assert bills.tries(made.ref) == [("post", "unclear")]
        bills.until_settled()
        is_paid_right(made)


def test_a_payment_that_never_arrived_is_sent_again_under_the_same_serial_after_the_settle_window(biller: Channel, make: Factories) -> None:
    made = held(make, "power", "5110000015")
    biller.control(per_account={"5110000015": {"behaviour": "dropped"}})
    outbox.run_due()
    for seconds in (5, 10, 15):
        bills.let_pass(seconds)
    assert bills.tries(made.ref) == [("post", "unclear"), ("inquiry", "not_found"), ("inquiry", "not_found"), ("inquiry", "not_found")]
    biller.control(per_account={})
    bills.let_pass(31)
    assert bills.tries(made.ref)[-2:] == [("inquiry", "not_found"), ("post", "accepted")]
    assert [found["serial"] for found in biller.books()["payments"]] == [made.serial]
    is_paid_right(made)


def test_not_found_that_is_posted_late_is_posted_once(biller: Channel, make: Factories) -> None:
    """The biller's "not found" counts only after its settle window; whatever comes before it is not acted on."""
    made = held(make, "power", "5110000015")
    biller.control(per_account={"5110000015": {"behaviour": "not_found_then_posted", "late_post_ms": 600}})
    bills.until_settled(really_wait=0.3)
    is_paid_right(made)
    assert [kind for kind, _ in bills.tries(made.ref)].count("post") == 1
    assert biller.posted() == {made.serial: 1}


def test_a_biller_that_is_down_when_we_send_gets_the_payment_when_it_is_back(biller: Channel, make: Factories) -> None:
    made = held(make, "power", "5110000015")
    biller.control(down=["power"])
    outbox.run_due()
    bills.let_pass(300)
    assert bills.payment(made.ref).state is BillPaymentState.UNKNOWN
    biller.control(down=[])
    bills.until_settled()
    is_paid_right(made)


def test_what_is_not_known_after_a_day_goes_to_a_person_and_is_still_not_refunded(biller: Channel, make: Factories) -> None:
    operator = make.user()
    make.grant(operator, Role.OPERATOR)
    made = held(make, "power", "5110000015")
    biller.control(down=["power"])
    bills.until_settled(hours=23, really_wait=0)
    assert bills.payment(made.ref).handed_over_at is None
    bills.until_settled(hours=4, really_wait=0)
    now = bills.payment(made.ref)
    assert now.state is BillPaymentState.UNKNOWN
    assert now.handed_over_at is not None
    assert balance("bill_hold") == made.total.fen
    assert kinds_of_notices(operator.id) == ["bill.needs_a_person"]
    assert [view.payment.id for view in queries.with_a_person(reading())] == [made.id]
    # Once a person has it, nothing is sent again by itself; the truth is still taken when it comes.
    biller.control(down=[])
    bills.until_settled(hours=13, really_wait=0)
    assert [kind for kind, _ in bills.tries(made.ref)].count("post") == 1
    assert bills.payment(made.ref).state is BillPaymentState.UNKNOWN


def test_a_person_can_have_the_biller_asked_at_once(biller: Channel, make: Factories) -> None:
    operator = make.user()
    made = held(make, "power", "5110000012")
    outbox.run_due()
    bills.let_pass(0)
    biller.wait_until_posted("power", made.serial)
    assert perform(operations.ask_again, actor_of(operator), made.ref)
    outbox.run_due()
    is_paid_right(made)
    assert not perform(operations.ask_again, actor_of(operator), made.ref)


def test_a_biller_without_inquiries_is_sent_to_once_and_then_a_person_looks(biller: Channel, make: Factories) -> None:
    with transaction() as session:
        session.execute(sa.update(Biller).where(Biller.code == "power").values(answers_inquiries=False))
    biller.control(no_inquiry=["power"], lose_request_rate=1.0)
    made = held(make, "power", "5110000015")
    bills.until_settled(hours=48, really_wait=0)
    assert bills.tries(made.ref) == [("post", "unclear")]
    assert bills.payment(made.ref).handed_over_at is not None


def test_a_biller_that_forgets_serials_is_never_sent_the_same_payment_twice(biller: Channel, make: Factories) -> None:
    with transaction() as session:
        session.execute(sa.update(Biller).where(Biller.code == "power").values(is_idempotent=False))
    biller.control(no_idempotency=["power"], lose_request_rate=1.0)
    made = held(make, "power", "5110000015")
    bills.until_settled(hours=30, really_wait=0)
    assert [kind for kind, _ in bills.tries(made.ref)].count("post") == 1
    assert bills.payment(made.ref).handed_over_at is not None


def test_a_second_acknowledgement_changes_nothing(biller: Channel, make: Factories) -> None:
    biller.control(double_ack=True)
    made = held(make, "power", "5110000015")
    outbox.run_due()
    receipt = bills.payment(made.ref).receipt_no
    with transaction() as session:
        session.execute(sa.update(BillPayment).values(next_inquiry_at=clock.now()))
    outbox.run_due()
    perform(jobs_inquire)
    outbox.run_due()
    assert bills.payment(made.ref).receipt_no == receipt
    is_paid_right(made)


def jobs_inquire(session: object) -> None:
    """The periodic net asks nothing about payments whose end is known."""
    assert queries.due_for_a_step(session, clock.now() + timedelta(days=1)) == []  # type: ignore[arg-type]


def test_a_biller_that_posts_what_it_called_failed_is_put_before_the_operators(biller: Channel, make: Factories) -> None:
    operator = make.user()
    make.grant(operator, Role.OPERATOR)
    made = held(make, "power", "5110000015")
    biller.control(per_account={"5110000015": {"behaviour": "failed_then_posted", "late_post_ms": 700}})
    outbox.run_due()
    bills.let_pass(6)
    is_returned_right(made)
    biller.wait_until_posted("power", made.serial)
    bills.let_pass(601)
    assert kinds_of_notices(operator.id) == ["bill.contradiction"]
    assert bills.payment(made.ref).contradicted_at is not None
    actions = reading().scalars(sa.select(AuditEntry.action).where(AuditEntry.subject_type == "bill_payment")).all()
    assert "bill_payment.contradicted" in actions
    is_returned_right(made)  # no machine moves the money a second time
    bills.until_settled(hours=30)
    assert kinds_of_notices(operator.id) == ["bill.contradiction"]


@pytest.mark.parametrize(
    ("place", "arrived"), [("bill.before_send", False), ("bill.after_send", True), ("bill.before_record", True)]
)
def test_a_worker_that_dies_leaves_sending_and_the_next_one_asks_first(
    biller: Channel, make: Factories, monkeypatch: pytest.MonkeyPatch, place: str, arrived: bool
) -> None:
    made = held(make, "power", "5110000015")

    def die(name: str) -> None:
        if name == place:
            raise Died

    with monkeypatch.context() as patched:
        patched.setattr(jobs, "crashpoint", die)
        patched.setattr(operations.sending, "crashpoint", die)
        with pytest.raises(Died):
            outbox.run_due()
    database.session.rollback()
    assert bills.payment(made.ref).state is BillPaymentState.SENDING
    assert bool(biller.books()["posted"]) is arrived
    bills.let_pass(60)
    assert [kind for kind, _ in bills.tries(made.ref)] == ["post"]  # its lease still runs
    bills.let_pass(61)
    assert [kind for kind, _ in bills.tries(made.ref)][:2] == ["post", "inquiry"]
    bills.until_settled()
    assert biller.posted() == {made.serial: 1}
    is_paid_right(made)


def test_two_workers_at_once_send_once(biller: Channel, make: Factories) -> None:
    made = held(make, "power", "5110000015")
    first = perform(operations.begin, made.id, WINDOW)
    assert first is not None
    assert perform(operations.begin, made.id, WINDOW) is None


def test_a_late_unclear_answer_of_an_old_call_changes_nothing(biller: Channel, make: Factories) -> None:
    made = held(make, "power", "5110000015")
    old = perform(operations.begin, made.id, WINDOW)
    assert old is not None
    clock.move(rules.CALL_LEASE + timedelta(seconds=1))
    new = perform(operations.begin, made.id, WINDOW)
    assert new is not None
    assert new.kind is AttemptKind.INQUIRY
    before = bills.payment(made.ref).next_inquiry_at
    perform(operations.finish, old, Answer(AttemptOutcome.UNCLEAR), WINDOW)
    assert bills.payment(made.ref).next_inquiry_at == before
    # A definite answer counts, whoever brings it.
    perform(operations.finish, new, Answer(AttemptOutcome.ACCEPTED, biller_serial="b", receipt_no="r"), WINDOW)
    is_paid_right(made)


def test_a_payment_whose_job_is_gone_is_found_again(biller: Channel, make: Factories) -> None:
    made = held(make, "power", "5110000012")
    outbox.run_due()
    with transaction() as session:
        session.execute(sa.delete(outbox.Job))
    clock.move(timedelta(minutes=5))
    biller.wait_until_posted("power", made.serial)
    jobs.inquire()
    outbox.run_due()
    is_paid_right(made)


class Careless(HttpBiller):
    """What a shop without the guard does: every try is a payment of its own, under a serial of its own."""

    def pay(self, biller: str, order: Order) -> Answer:
        self.tries = getattr(self, "tries", 0) + 1
        return super().pay(biller, replace(order, serial=f"{order.serial}-{self.tries}"))


def many_top_ups(make: Factories, count: int) -> list[BillPayment]:
    """Top-ups of ten yuan by twenty people."""
    made = []
    for person in range(20):
        user = make.user()
        fund(user, 100_000)
        for number in range(count // 20):
            view = bills.add(user, "mobile", f"139{person:04d}{number:03d}5")
            made.append(bills.pay(user, view, amount=1_000))
    return made


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.usefixtures("patient")
def test_200_payments_under_lost_answers_are_each_posted_once_and_none_is_left(biller: Channel, make: Factories) -> None:
    biller.control(lose_answer_rate=0.3, lose_request_rate=0.2, double_ack=True)
    made = many_top_ups(make, 200)
    bills.until_settled(really_wait=0)
    books = biller.books()
    assert books["posted_more_than_once"] == []
    assert biller.posted() == {payment.serial: 1 for payment in made}
    states = reading().scalars(sa.select(BillPayment.state)).all()
    assert set(states) == {BillPaymentState.POSTED}
    assert balance("bill_hold") == 0
    assert balance(f"biller:{made[0].biller_id}") == books["posted_fen"] == 200_000
    posts = [kind for payment in made for kind, _ in bills.tries(payment.ref)]
    assert posts.count("post") > 200  # some never arrived and were sent again: the guard was needed


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.usefixtures("patient")
def test_without_the_guard_the_same_losses_do_post_twice(app: Flask, make: Factories, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: it shows that the test above can fail, and that the invariants see it."""

    def send_again(standing: rules.Standing, settle_window: timedelta, moment: object) -> AttemptKind | None:
        is_open = standing.state in (BillPaymentState.FUNDS_HELD, BillPaymentState.SENDING, BillPaymentState.UNKNOWN)
        return AttemptKind.POST if is_open else None

    monkeypatch.setattr(rules, "next_move", send_again)
    with bills.billers_running(app) as biller:
        biller.control(lose_answer_rate=0.3, lost_answer="close")
        careful = app.extensions["biller"]
        monkeypatch.setitem(app.extensions, "biller", Careless(careful.base, careful.key, 8))
        made = many_top_ups(make, 60)
        bills.until_settled(really_wait=0)
        assert biller.books()["posted"] > len(made)
        with pytest.raises(AssertionError, match=r"bills\.asked_before_sent_again"):
            assert_books_are_right()
