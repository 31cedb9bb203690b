"""Who asks the card provider, when, and with what: jobs only, seldom, always the same, and for as long as it takes."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from shop.consoles.admin.cases import waiting_at_provider
from shop.kernel import clock
from shop.kernel.db import database, perform, reading, transaction
from shop.kernel.money import Money
from shop.models.accounts import Role, User
from shop.models.orders import PaymentMethod
from shop.models.payments import EventState, Payment, PaymentState, ProviderEvent, Refund, RefundState
from shop.models.platform import Job, JobState
from shop.payments import checkout, rules
from shop.payments import operations as payments
from shop.payments.gateway import StripeGateway
from shop.platform import outbox
from shop.platform.language import speaking
from shop.settlement import inquiry, jobs, operations
from simulators.stripe.harness import KEY, SECRET
from tests.support.asking import say_yes
from tests.support.dripping import dripping
from tests.support.factories import Factories, actor_of
from tests.support.money import balance, fund
from tests.support.people import sign_in
from tests.support.provider import CardProvider, created_sessions, payment_of
from tests.support.shopping import Shopping

pytestmark = pytest.mark.usefixtures("books_hold_afterwards")

AWAY = "http://127.0.0.1:1"
LOADS = 50
AT_ONCE = 8  # as many as there are connections to a database


@pytest.fixture
def user(make: Factories) -> User:
    made = make.user()
    fund(made)
    return made


@pytest.fixture
def top_up(user: User) -> Payment:
    return perform(operations.start_top_up, actor_of(user), Money(10_000))


@contextmanager
def provider_at(app: Flask, address: str) -> Iterator[None]:
    """Another address for the card provider during the block."""
    before = app.extensions["payments"]
    app.extensions["payments"] = StripeGateway(KEY, (SECRET,), address)
    try:
        yield
    finally:
        app.extensions["payments"] = before


def asked(stripe: CardProvider, path: str = "/v1/", method: str | None = None) -> list[dict[str, Any]]:
    """Calls the provider has had."""
    log: list[dict[str, Any]] = stripe.account.look("/log")["requests"]
    return [call for call in log if call["path"].startswith(path) and method in (None, call["method"])]


def refund_state(refund_id: int) -> RefundState:
    reading().rollback()
    return reading().get_one(Refund, refund_id).state


def later(by: timedelta) -> None:
    """So much time passes."""
    clock.move(clock.shift() + by)


def run_for(hours: float, step: timedelta = timedelta(minutes=90)) -> None:
    """Let the worker and the reconcilers live through some hours."""
    end = clock.now() + timedelta(hours=hours)
    while clock.now() < end:
        later(step)
        outbox.run_due()
        for periodic in (jobs.reconcile, jobs.give_back, jobs.catch_up, jobs.close_overdue):
            periodic()


# --- The page that is paid on ---


def test_a_page_opened_again_in_another_language_is_the_same_page(top_up: Payment, stripe: CardProvider) -> None:
    stripe.account.control(fail_next={"path_prefix": "/v1/checkout", "drop_answer": True, "count": 2})
    with speaking("en"):
        assert checkout.ask_for_page(top_up.id) is None
    outbox.run_due()
    assert payment_of(top_up.id).silent_since is not None
    later(timedelta(seconds=61))
    with speaking("zh"):
        assert checkout.ask_for_page(top_up.id) is None
    outbox.run_due()
    assert payment_of(top_up.id).provider_url
    assert payment_of(top_up.id).silent_since is None
    assert created_sessions(stripe) == 1
    (page,) = stripe.account.client().v1.checkout.sessions.list().data
    assert page.locale == "en"


def test_a_key_the_provider_knows_with_other_parameters_is_not_the_end(top_up: Payment, stripe: CardProvider) -> None:
    """As when the shop's address was changed between the first try and the second."""
    client = stripe.account.client()
    price: Any = {"currency": "cny", "unit_amount": 10_000, "product_data": {"name": "before"}}
    client.v1.checkout.sessions.create(
        {"mode": "payment", "line_items": [{"quantity": 1, "price_data": price}], "success_url": "https://before.example"},
        {"idempotency_key": top_up.ref},
    )
    checkout.ask_for_page(top_up.id)
    outbox.run_due()
    payment = payment_of(top_up.id)
    assert (payment.state, payment.provider_url is not None) == (PaymentState.CREATED, True)
    stripe.pay(top_up.id)
    inquiry.settle(top_up.id)
    assert balance(f"wallet:{top_up.user_id}") == 10_000


def test_two_tabs_and_a_double_click_open_one_page(top_up: Payment, stripe: CardProvider) -> None:
    for _tab in range(3):
        checkout.ask_for_page(top_up.id)
    assert reading().scalar(sa.select(sa.func.count()).where(Job.kind == "settlement.open_page")) == 1
    outbox.run_due()
    assert (created_sessions(stripe), len(asked(stripe, method="POST"))) == (1, 1)


def test_a_page_whose_job_is_lost_is_asked_for_anew(top_up: Payment, stripe: CardProvider) -> None:
    checkout.ask_for_page(top_up.id)
    with transaction() as session:
        session.execute(sa.update(Job).values(state=JobState.DEAD, finished_at=clock.now()))
    later(rules.OPENING_AGAIN_AFTER)
    checkout.ask_for_page(top_up.id)
    outbox.run_due()
    assert payment_of(top_up.id).provider_url
    with transaction() as session:
        session.execute(sa.delete(Job).where(Job.state == JobState.DEAD))


def test_a_page_nobody_waits_for_any_more_is_given_up(app: Flask, top_up: Payment) -> None:
    checkout.ask_for_page(top_up.id)
    for _seconds in range(10):
        outbox.run_due()
        later(timedelta(seconds=30))
    outbox.run_due()
    assert reading().scalars(sa.select(Job.state).where(Job.kind == "settlement.open_page")).all() == [JobState.DONE]
    later(timedelta(minutes=30))
    jobs.close_overdue()
    assert payment_of(top_up.id).state is PaymentState.CANCELLED


def test_what_the_provider_refuses_to_open_has_failed_and_can_be_tried_again(
    make: Factories, stripe: CardProvider, client: FlaskClient
) -> None:
    shop = Shopping(make, merchants=1)
    shop.goods("oranges", price=2_500)
    buyer = shop.buyer()
    placed = shop.buy(buyer, {"oranges": 1}, PaymentMethod.STRIPE)
    sign_in(client, buyer)
    stripe.account.control(fail_next={"status": 400, "path_prefix": "/v1/checkout"})
    onward = client.post(f"/orders/{placed.number}/pay").location
    outbox.run_due()
    assert payment_of(placed.payment_id).state is PaymentState.FAILED
    assert client.get(onward).location == f"/payments/{placed.payment_ref}"
    assert client.get(onward, headers={"HX-Request": "true"}).headers["HX-Redirect"] == f"/payments/{placed.payment_ref}"
    assert f"/orders/{placed.number}/pay" in client.get(f"/payments/{placed.payment_ref}").text
    again = client.post(f"/orders/{placed.number}/pay").location
    outbox.run_due()
    assert client.get(again).location.startswith(stripe.account.url)


def test_a_page_of_a_payment_given_up_meanwhile_is_closed_at_once(
    top_up: Payment, stripe: CardProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gives_up(place: str) -> None:
        if place == "payments.session_created":
            perform(operations.close_unopened, top_up.id)

    monkeypatch.setattr(checkout, "crashpoint", gives_up)
    checkout.ask_for_page(top_up.id)
    outbox.run_due()
    assert payment_of(top_up.id).state is PaymentState.CANCELLED
    (page,) = stripe.account.client().v1.checkout.sessions.list().data
    assert page.status == "expired"


def test_an_unpaid_order_is_paid_another_way(make: Factories, client: FlaskClient) -> None:
    shop = Shopping(make, merchants=1)
    shop.goods("oranges", price=2_500, on_hand=1)
    buyer = shop.buyer()
    placed = shop.buy(buyer, {"oranges": 1}, PaymentMethod.STRIPE)
    sign_in(client, buyer)
    onward = client.post(f"/orders/{placed.number}/pay").location
    outbox.run_due()
    shown = client.get(onward).text
    assert f'href="/orders/{placed.number}/payment"' in shown
    assert say_yes(client, f"/orders/{placed.number}/pay-otherwise").location == "/checkout"
    assert client.get("/checkout").status_code == 200, "the goods, the last of their kind, are in the cart again"
    assert payment_of(placed.payment_id).state is PaymentState.CANCELLED
    again = say_yes(client, f"/orders/{placed.number}/pay-otherwise")
    assert again.location == f"/orders/{placed.number}", "pressed again, nothing happens"
    assert client.post("/orders/L000000-NOTHERE1/pay-otherwise").status_code == 404


# --- News of a payment ---


def test_fifty_loads_at_once_ask_the_provider_once(
    app: Flask, client: FlaskClient, user: User, top_up: Payment, stripe: CardProvider
) -> None:
    checkout.open_session(top_up.id)
    before = len(asked(stripe))
    sign_in(client, user)
    cookie = client.get_cookie("session") or client.get_cookie("__Host-session")
    assert cookie is not None

    def load(_number: int) -> int:
        browser = app.test_client()
        browser.set_cookie(cookie.key, cookie.value)
        return browser.get(f"/payments/{top_up.ref}").status_code

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert set(pool.map(load, range(LOADS))) == {200}
    database.session.remove()
    outbox.run_due()
    assert len(asked(stripe)) - before == 1


def test_a_page_loaded_for_a_while_asks_every_few_seconds(client: FlaskClient, user: User, top_up: Payment, stripe: CardProvider) -> None:
    checkout.open_session(top_up.id)
    before = len(asked(stripe))
    sign_in(client, user)
    for _half_second in range(12):
        client.get(f"/payments/{top_up.ref}")
        outbox.run_due()
        later(timedelta(milliseconds=500))
    assert len(asked(stripe)) - before == 2


def test_a_request_that_would_wait_for_the_provider_is_a_fault(app: Flask, top_up: Payment, stripe: CardProvider) -> None:
    with app.test_request_context(), pytest.raises(RuntimeError, match="from a job"):
        checkout.open_session(top_up.id)
    assert asked(stripe) == []


def test_a_provider_that_hangs_is_told_of_and_holds_nobody(
    app: Flask, client: FlaskClient, user: User, top_up: Payment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shop.payments.gateway.CALL_SECONDS", 0.3)
    sign_in(client, user)
    with dripping(b"") as address, provider_at(app, address):
        onward = client.post(f"/payments/{top_up.ref}/page").location
        assert "opening the payment page" in client.get(onward).text
        outbox.run_due()
        assert "does not answer" in client.get(onward).text
        assert client.get("/").status_code == 200
    assert payment_of(top_up.id).state is PaymentState.CREATED


# --- Outages of hours ---


def test_operators_see_what_waits_for_the_provider_and_since_when(make: Factories, client: FlaskClient, stripe: CardProvider) -> None:
    _shop, _buyer, placed = paid_order(make, stripe)
    refund = reading().get_one(Refund, refund_of(placed.payment_id))
    operator = make.user()
    make.grant(operator, Role.OPERATOR)
    sign_in(client, operator, second_factor=True)
    assert "Longer than usual" not in client.get("/admin/people").text
    later(timedelta(hours=5, minutes=1))
    page = client.get("/admin/people").text
    assert "Longer than usual at the card provider" in page
    assert refund.ref in page
    assert "5 hours" in page


def paid_order(make: Factories, stripe: CardProvider) -> tuple[Shopping, Any, Any]:
    shop = Shopping(make, merchants=1)
    shop.goods("oranges", price=2_500)
    buyer = shop.buyer()
    placed = shop.buy(buyer, {"oranges": 1}, PaymentMethod.STRIPE)
    stripe.pay(placed.payment_id)
    inquiry.settle(placed.payment_id)
    return shop, buyer, placed


def refund_of(payment_id: int, fen: int = 300) -> int:
    made = perform(payments.open_refund, payment_id=payment_id, cause="line:1:weighed", amount=Money(fen), reason="weighed less")
    return made.id


def test_a_refund_outlives_an_outage_of_hours(app: Flask, make: Factories, stripe: CardProvider) -> None:
    _shop, _buyer, placed = paid_order(make, stripe)
    refund_id = refund_of(placed.payment_id)
    with provider_at(app, AWAY):
        run_for(hours=9)
        assert refund_state(refund_id) is RefundState.REQUESTED
        (waiting,) = waiting_at_provider(reading(), clock.now())
        assert (waiting.kind, waiting.amount, waiting.needs_a_person) == ("refund", Money(300), False)
    later(timedelta(minutes=11))
    outbox.run_due()
    assert refund_state(refund_id) is RefundState.SUCCEEDED
    jobs.give_back()
    assert [made.amount for made in stripe.account.client().v1.refunds.list().data] == [300]
    assert (balance("refund_due"), waiting_at_provider(reading(), clock.now())) == (0, [])


def test_a_refund_whose_job_is_gone_still_arrives_once(app: Flask, make: Factories, stripe: CardProvider) -> None:
    _shop, _buyer, placed = paid_order(make, stripe)
    refund_id = refund_of(placed.payment_id)
    with transaction() as session:
        session.execute(sa.delete(Job).where(Job.kind == "payments.send_refund"))
    jobs.give_back()
    assert refund_state(refund_id) is RefundState.REQUESTED, "its own job has a minute"
    later(timedelta(seconds=61))
    for _round in range(3):
        jobs.give_back()
    assert refund_state(refund_id) is RefundState.SUCCEEDED
    assert [made.amount for made in stripe.account.client().v1.refunds.list().data] == [300]


def test_a_refund_made_before_its_answer_was_lost_is_found_although_its_key_is_forgotten(
    app: Flask, make: Factories, stripe: CardProvider
) -> None:
    _shop, _buyer, placed = paid_order(make, stripe)
    stripe.account.control(fail_next={"path_prefix": "/v1/refunds", "method": "POST", "drop_answer": True, "count": 2})
    refund_id = refund_of(placed.payment_id)
    outbox.run_due()
    with provider_at(app, AWAY):
        run_for(hours=26, step=timedelta(hours=5))
    assert refund_state(refund_id) is RefundState.REQUESTED
    stripe.account.control(clock_offset=26 * 3600)
    later(timedelta(minutes=11))
    jobs.give_back()
    assert refund_state(refund_id) is RefundState.SUCCEEDED
    assert [made.amount for made in stripe.account.client().v1.refunds.list().data] == [300]


def test_a_refund_the_provider_refuses_goes_to_a_person_and_is_not_tried_for_ever(make: Factories, stripe: CardProvider) -> None:
    _shop, _buyer, placed = paid_order(make, stripe)
    refund_id = refund_of(placed.payment_id)
    stripe.account.control(fail_next={"path_prefix": "/v1/refunds", "method": "POST", "status": 400})
    outbox.run_due()
    assert (refund_state(refund_id), balance("refund_due"), balance("escrow")) == (RefundState.FAILED, 0, 2_500)
    before = len(asked(stripe, "/v1/refunds", "POST"))
    run_for(hours=2)
    assert len(asked(stripe, "/v1/refunds", "POST")) == before


def test_an_event_whose_job_died_is_looked_into(app: Flask, top_up: Payment, stripe: CardProvider) -> None:
    stripe.pay(top_up.id)
    perform(payments.receive_event, "stripe", "evt_1", "checkout.session.completed", str(payment_of(top_up.id).provider_session))
    with provider_at(app, AWAY):
        run_for(hours=3)
    with transaction() as session:
        session.execute(sa.delete(Job).where(Job.kind == "settlement.handle_event"))
    later(timedelta(minutes=11))
    jobs.catch_up()
    reading().rollback()
    assert reading().scalars(sa.select(ProviderEvent.state)).all() == [EventState.DONE]
    assert balance(f"wallet:{top_up.user_id}") == 10_000


def test_a_wrong_amount_whose_job_is_gone_goes_back_once(make: Factories, stripe: CardProvider) -> None:
    shop = Shopping(make, merchants=1)
    shop.goods("oranges", price=2_500)
    placed = shop.buy(shop.buyer(), {"oranges": 1}, PaymentMethod.STRIPE)
    checkout.open_session(placed.payment_id)
    with stripe.account.world.lock:
        page = stripe.account.world.store.entries["checkout.session"][str(payment_of(placed.payment_id).provider_session)]
        page["amount_total"] = 2_400
    stripe.pay(placed.payment_id)
    inquiry.settle(placed.payment_id)
    with transaction() as session:
        session.execute(sa.delete(Job).where(Job.kind == "settlement.return_mismatch"))
    later(timedelta(seconds=61))
    for _round in range(3):
        jobs.give_back()
    assert (balance("suspense"), payment_of(placed.payment_id).returned_at is not None) == (0, True)
    assert [made.amount for made in stripe.account.client().v1.refunds.list().data] == [2_400]


def test_a_page_to_close_is_closed_after_an_outage_of_hours(app: Flask, make: Factories, stripe: CardProvider) -> None:
    shop = Shopping(make, merchants=1)
    shop.goods("oranges", price=2_500)
    placed = shop.buy(shop.buyer(), {"oranges": 1}, PaymentMethod.STRIPE)
    checkout.open_session(placed.payment_id)
    with provider_at(app, AWAY):
        run_for(hours=4)
        assert payment_of(placed.payment_id).state is PaymentState.CREATED
    later(timedelta(minutes=11))
    jobs.close_overdue()
    assert payment_of(placed.payment_id).state is PaymentState.CANCELLED
    (page,) = stripe.account.client().v1.checkout.sessions.list().data
    assert page.status == "expired"


def test_no_job_dies_of_an_outage(app: Flask, make: Factories, stripe: CardProvider) -> None:
    _shop, _buyer, placed = paid_order(make, stripe)
    refund_of(placed.payment_id)
    perform(payments.receive_event, "stripe", "evt_1", "refund.created", "re_1")
    with provider_at(app, AWAY):
        for _try in range(14):
            later(timedelta(minutes=11))
            outbox.run_due()
    assert reading().scalars(sa.select(Job.kind).where(Job.state == JobState.DEAD)).all() == []
    later(timedelta(minutes=11))
    jobs.catch_up()


def test_one_that_fails_for_another_reason_does_not_stop_the_others(app: Flask) -> None:
    done: list[int] = []

    def work(number: int) -> None:
        done.append(number)
        raise LookupError(number)

    jobs.each(range(4), work)
    assert sorted(done) == [0, 1, 2, 3]


def test_a_fee_the_provider_tells_later_is_asked_for(make: Factories, stripe: CardProvider) -> None:
    _shop, buyer, _placed = paid_order(make, stripe)
    assert balance("provider_fee") == -73
    second = perform(operations.start_top_up, actor_of(buyer), Money(10_000))
    checkout.open_session(second.id)
    stripe.pay(second.id)
    with stripe.account.world.lock:
        charges = stripe.account.world.store.entries["charge"].values()
        charge = max(charges, key=lambda each: each["amount"])
        kept, charge["balance_transaction"] = charge["balance_transaction"], None
    inquiry.settle(second.id)
    assert (balance(f"wallet:{second.user_id}") > 0, payment_of(second.id).provider_fee) == (True, None)
    later(timedelta(minutes=3))
    jobs.look_for_fees()
    before = len(asked(stripe))
    jobs.look_for_fees()
    assert len(asked(stripe)) == before, "not more than once an hour"
    with stripe.account.world.lock:
        charge["balance_transaction"] = kept
    later(timedelta(hours=1, seconds=1))
    jobs.look_for_fees()
    assert payment_of(second.id).provider_fee == Money(290)
