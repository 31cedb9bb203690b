"""What the card provider moves on our account is booked to the fen: in another currency, late, told twice, or never told at all."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from shop.consoles.admin.cases import NEVER_TOLD, waiting_at_provider
from shop.kernel import clock
from shop.kernel.db import perform, reading, transaction
from shop.kernel.money import Money
from shop.models.accounts import Role, User
from shop.models.payments import MovementKind, Payment, ProviderMovement
from shop.models.platform import AuditEntry
from shop.payments import queries
from shop.payments.checkout import open_session
from shop.payments.foreign import Dispute, Foreign, Movement
from shop.platform import outbox
from shop.settlement import inquiry, jobs, operations
from tests.support.books import assert_books_are_right
from tests.support.factories import Factories, actor_of
from tests.support.money import balance, fund
from tests.support.people import sign_in
from tests.support.plans import plan_of, statements
from tests.support.provider import CardProvider, deliver, payment_of

HKD = {"settlement": "hkd", "exchange_rate": 1.09, "dispute_fee": 10_900}


@pytest.fixture(autouse=True)
def books_are_right() -> Iterator[None]:
    yield
    assert_books_are_right()


@pytest.fixture
def user(make: Factories) -> User:
    made = make.user()
    fund(made)
    return made


@pytest.fixture
def pay(user: User, stripe: CardProvider) -> Callable[[], Payment]:
    """Top up by 50.02 at the provider; nobody here knows of it yet."""

    def paid() -> Payment:
        payment = perform(operations.start_top_up, actor_of(user), Money(5_002))
        open_session(payment.id)
        assert stripe.pay(payment.id).status_code == 303
        return payment

    return paid


def movements() -> list[ProviderMovement]:
    reading().rollback()
    return list(reading().scalars(sa.select(ProviderMovement).order_by(ProviderMovement.id)))


def disputed(stripe: CardProvider, payment: Payment, *ends: str) -> None:
    intent = payment_of(payment.id).provider_intent
    stripe.account.control("/dispute", payment_intent=intent)
    for end in ends:
        stripe.account.control("/dispute", payment_intent=intent, status=end)


def tell(stripe: CardProvider, client: FlaskClient, *, only: str = "", again: int = 1) -> None:
    """Have the events come in, newest first, each as often as wanted."""
    for body in reversed(stripe.events()):
        if json.loads(body)["type"].startswith(only):
            for _time in range(again):
                assert deliver(client, body, int(time.time())) == 200
    outbox.run_due()


def dispute_entries() -> list[AuditEntry]:
    reading().rollback()
    return list(reading().scalars(sa.select(AuditEntry).where(AuditEntry.action == "payment.disputed")))


def what_people_see(make: Factories, client: FlaskClient) -> str:
    """The operators' page of payments that need a person."""
    operator = make.user()
    make.grant(operator, Role.OPERATOR)
    sign_in(client, operator, second_factor=True)
    return client.get("/admin/people").text


# --- Another currency ---


def test_the_fee_of_an_account_in_another_currency_is_booked_in_yuan(stripe: CardProvider, pay: Callable[[], Payment]) -> None:
    stripe.account.control(**HKD)
    payment = pay()
    inquiry.settle(payment.id)
    inquiry.settle(payment.id)
    assert payment_of(payment.id).provider_fee == Money(145)
    assert (balance("provider_fee"), balance("provider")) == (-145, -5_002 + 145)
    (kept,) = movements()
    assert (kept.kind, kept.currency, kept.amount, kept.fee, kept.exchange_rate) == (MovementKind.CHARGE, "HKD", 5_452, 158, "1.09")
    assert (kept.source_currency, kept.source_amount, kept.booked_amount, kept.booked_fee) == ("CNY", 5_002, Money(5_002), Money(145))


@pytest.mark.parametrize(("ends", "lost"), [((), 5_002), (("lost",), 5_002), (("won",), 0)])
def test_a_dispute_settled_in_another_currency_is_booked_in_yuan(
    stripe: CardProvider, pay: Callable[[], Payment], client: FlaskClient, ends: tuple[str, ...], lost: int
) -> None:
    stripe.account.control(**HKD)
    payment = pay()
    inquiry.settle(payment.id)
    disputed(stripe, payment)
    stripe.account.control(exchange_rate=1.1)  # what is given back is turned at the rate of its own day
    for end in ends:
        stripe.account.control("/dispute", payment_intent=payment_of(payment.id).provider_intent, status=end)
    for _round in range(2):
        tell(stripe, client, again=3)
    assert (balance("disputed"), balance("provider_fee")) == (-lost, -145 - 10_000)
    assert balance("provider") == -5_002 + 145 + 10_000 + lost
    kept = [(each.currency, each.amount, each.fee, each.booked_amount) for each in movements()][1:]
    back = [("HKD", 5_502, 0, Money(5_002))] if not lost else []
    assert kept == [("HKD", -5_452, 10_900, Money(-5_002)), *back]


@pytest.mark.parametrize(
    ("settlement", "rate", "charge_fee", "dispute_fee", "booked"), [("jpy", 20.5, 146, 2_050, 10_000), ("usd", 0.1405, 142, 1_500, 10_676)]
)
def test_a_currency_of_other_decimals_is_booked_in_yuan(
    stripe: CardProvider, pay: Callable[[], Payment], settlement: str, rate: float, charge_fee: int, dispute_fee: int, booked: int
) -> None:
    stripe.account.control(settlement=settlement, exchange_rate=rate, dispute_fee=dispute_fee)
    payment = pay()
    inquiry.settle(payment.id)
    disputed(stripe, payment)
    jobs.look_for_disputes()
    assert (balance("disputed"), balance("provider_fee")) == (-5_002, -charge_fee - booked)


def test_what_nobody_knows_in_yuan_is_not_booked_and_a_person_has_it_until_the_provider_says(
    stripe: CardProvider, pay: Callable[[], Payment], make: Factories, client: FlaskClient
) -> None:
    payment = pay()
    inquiry.settle(payment.id)
    before = (balance("disputed"), balance("provider"), balance("provider_fee"))
    taken = Movement("txn_9", Foreign(-5_452, "HKD"), Foreign(8_500, "HKD"), Foreign(5_452, "HKD"))
    for _time in range(2):
        perform(operations.book_dispute, payment.id, Dispute("du_9", "pi_9", (taken,)))
    assert (balance("disputed"), balance("provider"), balance("provider_fee")) == before
    (waiting,) = waiting_at_provider(reading(), clock.now())
    assert (waiting.kind, waiting.ref, waiting.needs_a_person) == ("movement", payment.ref, True)
    page = what_people_see(make, client)
    assert "Moved in another currency" in page
    assert "txn_9" in page
    assert_books_are_right()
    told = Movement("txn_9", Foreign(-5_452, "HKD"), Foreign(8_500, "HKD"), Money(5_002), "1.09")
    assert [perform(operations.book_dispute, payment.id, Dispute("du_9", "pi_9", (told,))) for _time in range(2)] == [True, False]
    assert (balance("disputed"), balance("provider_fee")) == (-5_002, before[2] - 7_798)
    assert waiting_at_provider(reading(), clock.now()) == []


def command(app: Flask, *words: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=["payments", *words])
    return result.exit_code, result.output.strip()


UNKNOWN = Dispute("du_9", "pi_9", (Movement("txn_9", Foreign(-5_452, "HKD"), Foreign(8_500, "HKD"), Foreign(5_452, "HKD")),))
BOOK = ("book-movement", "txn_9", "--reason", "read in the dashboard")


def test_somebody_who_read_it_at_the_provider_books_it(app: Flask, stripe: CardProvider, pay: Callable[[], Payment]) -> None:
    payment = pay()
    inquiry.settle(payment.id)
    assert command(app, *BOOK, "--amount=-5002", "--fee=7798") == (0, "there is nothing to book under this reference")
    perform(operations.book_dispute, payment.id, UNKNOWN)
    for amount in (5_002, -5_003):
        code, said = command(app, *BOOK, f"--amount={amount}", "--fee=0")
        assert (code, "50.02" in said) == (1, True)
    assert (balance("disputed"), balance("provider_fee")) == (0, -145)
    assert command(app, *BOOK, "--amount=-5002", "--fee=7798") == (0, "booked")
    assert command(app, *BOOK, "--amount=-1", "--fee=1") == (0, "there is nothing to book under this reference")
    assert (balance("disputed"), balance("provider_fee")) == (-5_002, -145 - 7_798)
    assert not perform(operations.book_dispute, payment.id, UNKNOWN)
    assert waiting_at_provider(reading(), clock.now()) == []
    (entry,) = reading().scalars(sa.select(AuditEntry).where(AuditEntry.action == "payment.booked_by_hand"))
    assert (entry.facts["movement"], entry.facts["amount"], entry.facts["fee"]) == ("txn_9", -5_002, 7_798)


def test_somebody_books_a_fee_that_never_came(app: Flask, stripe: CardProvider, pay: Callable[[], Payment]) -> None:
    stripe.account.control(balance_transactions="later", settle_ms=60_000)
    payment = pay()
    book = ("book-fee", payment.ref, "--fee=145", "--reason", "read in the dashboard")
    assert command(app, *book)[0] == 1, "it is not paid yet"
    inquiry.settle(payment.id)
    assert command(app, *book) == (0, "booked")
    assert command(app, *book) == (0, "the fee is known")
    assert (balance("provider_fee"), payment_of(payment.id).provider_fee) == (-145, Money(145))


# --- Fees that come later ---


def test_a_fee_told_later_is_booked_by_its_event(stripe: CardProvider, pay: Callable[[], Payment], client: FlaskClient) -> None:
    stripe.account.control(balance_transactions="later", settle_ms=60_000)
    payment = pay()
    tell(stripe, client)
    assert (balance("provider"), payment_of(payment.id).provider_fee) == (-5_002, None)
    stripe.account.control("/settle", payment_intent=payment_of(payment.id).provider_intent, charge=charge_of(stripe, payment))
    tell(stripe, client, only="charge.updated", again=3)
    assert (balance("provider"), payment_of(payment.id).provider_fee) == (-5_002 + 145, Money(145))


def charge_of(stripe: CardProvider, payment: Payment) -> str:
    (charge,) = stripe.account.client().v1.charges.list({"payment_intent": str(payment_of(payment.id).provider_intent)}).data
    return charge.id


def test_a_fee_whose_event_is_lost_is_asked_for(stripe: CardProvider, pay: Callable[[], Payment], client: FlaskClient) -> None:
    stripe.account.control(balance_transactions="later", settle_ms=60_000, **HKD)
    payment = pay()
    tell(stripe, client)
    stripe.account.control("/settle", charge=charge_of(stripe, payment))
    jobs.look_for_fees()
    assert payment_of(payment.id).provider_fee is None, "not before two minutes"
    clock.move(timedelta(minutes=3))
    jobs.look_for_fees()
    assert (balance("provider_fee"), payment_of(payment.id).provider_fee) == (-145, Money(145))
    tell(stripe, client, only="charge.updated")
    assert balance("provider_fee") == -145


@pytest.mark.parametrize(
    ("paid", "asked", "is_asked"),
    [
        ("1 minute", None, False), ("3 minutes", None, True), ("3 minutes", "4 minutes", True), ("59 minutes", "50 minutes", False),
        ("23 hours", "59 minutes", False), ("23 hours", "61 minutes", True), ("25 hours", "2 hours", False), ("25 hours", "25 hours", True),
        ("29 days", "23 hours", False), ("29 days", "25 hours", True), ("31 days", "2 days", False), ("31 days", None, False),
    ],
)  # fmt: skip
def test_a_missing_fee_is_asked_for_ever_more_seldom(
    stripe: CardProvider, pay: Callable[[], Payment], paid: str, asked: str | None, is_asked: bool
) -> None:
    stripe.account.control(balance_transactions="later", settle_ms=60_000)
    payment = pay()
    inquiry.settle(payment.id)
    moment = clock.now()
    with transaction() as session:
        times = {"succeeded_at": moment - span(paid), "asked_at": moment - span(asked) if asked else None}
        session.execute(sa.update(Payment).where(Payment.id == payment.id).values(times))
    assert list(queries.without_fee(reading(), moment)) == [payment.id] * is_asked


def span(text: str) -> timedelta:
    number, unit = text.split()
    return timedelta(**{unit if unit.endswith("s") else f"{unit}s": int(number)})


def test_missing_fees_are_found_among_many_payments_without_reading_them(stripe: CardProvider, engine_name: str) -> None:
    """Of two million payments a few lack a fee; the index has only card payments without one."""
    moment = clock.now()
    for work in (lambda: queries.without_fee(reading(), moment), lambda: waiting_at_provider(reading(), moment)):
        (wanted,) = [said for said in statements(work) if "provider_fee IS NULL" in said]
        assert "ix_payments_without_fee" in plan_of(wanted, engine_name), wanted


@pytest.mark.parametrize(("age", "reason"), [("23 hours", "nobody sees it"), ("25 hours", None), ("31 days", NEVER_TOLD)])
def test_a_fee_that_never_comes_is_seen_and_in_the_end_a_person_has_it(
    stripe: CardProvider, pay: Callable[[], Payment], make: Factories, client: FlaskClient, age: str, reason: str | None
) -> None:
    stripe.account.control(balance_transactions="later", settle_ms=60_000)
    payment = pay()
    inquiry.settle(payment.id)
    with transaction() as session:
        session.execute(sa.update(Payment).where(Payment.id == payment.id).values(succeeded_at=clock.now() - span(age)))
    waiting = waiting_at_provider(reading(), clock.now())
    expected = [] if reason == "nobody sees it" else [("fee", payment.ref, reason)]
    assert [(each.kind, each.ref, each.reason) for each in waiting] == expected
    page = what_people_see(make, client)
    assert ("Fee not told yet" in page) == bool(expected)
    assert ("Not told for a month" in page) == (reason == NEVER_TOLD)


# --- Disputes nobody told us about ---


@pytest.mark.parametrize(("ends", "lost"), [((), 5_002), (("lost",), 5_002), (("won",), 0)])
def test_a_dispute_nobody_told_us_about_is_found(
    stripe: CardProvider, pay: Callable[[], Payment], client: FlaskClient, ends: tuple[str, ...], lost: int
) -> None:
    payment = pay()
    inquiry.settle(payment.id)
    disputed(stripe, payment, *ends)
    for _time in range(2):
        jobs.look_for_disputes()
    assert (balance("disputed"), balance("provider_fee")) == (-lost, -145 - 10_000)
    assert [entry.facts["event"] for entry in dispute_entries()] == ["found by asking"]
    tell(stripe, client, only="charge.dispute")
    jobs.look_for_disputes()
    assert (balance("disputed"), balance("provider_fee")) == (-lost, -145 - 10_000)


def test_what_comes_of_a_dispute_is_found_too(stripe: CardProvider, pay: Callable[[], Payment], client: FlaskClient) -> None:
    payment = pay()
    inquiry.settle(payment.id)
    disputed(stripe, payment)
    tell(stripe, client, only="charge.dispute")
    stripe.account.control("/dispute", payment_intent=payment_of(payment.id).provider_intent, status="won")
    before = len(dispute_entries())
    jobs.look_for_disputes()
    assert balance("disputed") == 0
    assert len(dispute_entries()) == before + 1


def test_a_bank_that_only_asks_is_found_and_moves_no_money(stripe: CardProvider, pay: Callable[[], Payment]) -> None:
    payment = pay()
    inquiry.settle(payment.id)
    stripe.account.control("/dispute", payment_intent=payment_of(payment.id).provider_intent, inquiry=True)
    for _time in range(2):
        jobs.look_for_disputes()
    assert (balance("disputed"), balance("provider_fee"), len(dispute_entries())) == (0, -145, 1)


def test_disputes_about_other_peoples_payments_are_put_aside(stripe: CardProvider, pay: Callable[[], Payment]) -> None:
    stripe.account.client().v1.payment_intents.create({
        "amount": 5_002, "currency": "cny", "confirm": True, "payment_method": "pm_card_createDispute",
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
    })  # fmt: skip
    unknown = pay()  # paid there, not known here yet
    intent = stripe.account.client().v1.payment_intents.list().data[0].id
    stripe.account.control("/dispute", payment_intent=intent)
    jobs.look_for_disputes()
    assert (balance("disputed"), dispute_entries(), movements()) == (0, [], [])
    inquiry.settle(unknown.id)
    jobs.look_for_disputes()
    assert balance("disputed") == -5_002


def test_a_provider_that_is_away_is_asked_about_disputes_next_time(stripe: CardProvider, pay: Callable[[], Payment]) -> None:
    payment = pay()
    inquiry.settle(payment.id)
    disputed(stripe, payment)
    stripe.account.control(fail_next={"status": 500, "count": 5, "path_prefix": "/v1/disputes"})
    jobs.look_for_disputes()
    assert balance("disputed") == 0
    stripe.account.control(fail_next=None)
    jobs.look_for_disputes()
    assert balance("disputed") == -5_002
