"""Topping up, and the page a buyer comes back to: it settles by itself and never calls unknown a failure."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from shop.kernel import clock
from shop.kernel.columns import CITY
from shop.kernel.db import perform, reading, transaction
from shop.kernel.money import Money
from shop.models.accounts import User
from shop.models.bills import Biller, BillPayment, BillPaymentState
from shop.models.orders import PaymentMethod
from shop.models.payments import Payment, PaymentPurpose, PaymentState
from shop.payments import rules
from shop.payments.operations import start as start_payment
from shop.payments.snapshots import Snapshot, Stage
from shop.platform import outbox
from shop.settlement import operations
from tests.support.bills import save_billers
from tests.support.factories import Factories, actor_of
from tests.support.money import balance, fund
from tests.support.people import sign_in
from tests.support.provider import CardProvider, created_sessions, led_on, looked_at, payment_of
from tests.support.shopping import Shopping

pytestmark = pytest.mark.both_engines


@pytest.fixture
def user(make: Factories, client: FlaskClient) -> User:
    made = make.user()
    fund(made)
    sign_in(client, made)
    return made


def payments() -> list[Payment]:
    reading().rollback()
    return list(reading().scalars(sa.select(Payment).order_by(Payment.id)))


def start(user: User) -> Payment:
    return perform(operations.start_top_up, actor_of(user), Money(10_000))


def test_topping_up_leads_to_the_providers_page(user: User, client: FlaskClient, stripe: CardProvider) -> None:
    page = client.get("/wallet/top-up?amount=100")
    assert 'value="100"' in page.text
    assert f"form-action 'self' {stripe.account.url}" in page.headers["Content-Security-Policy"]
    answer = client.post("/wallet/top-up", data={"amount": "99.5"})
    assert answer.status_code == 303
    assert led_on(client, answer).startswith(f"{stripe.account.url}/pay/")
    (payment,) = payments()
    assert (payment.amount, payment.user_id, payment.state) == (Money(9_950), user.id, PaymentState.CREATED)


def test_a_double_click_tops_up_once(user: User, client: FlaskClient, stripe: CardProvider) -> None:
    answers = [client.post("/wallet/top-up", data={"amount": "100"}) for _ in range(2)]
    assert len({led_on(client, answer) for answer in answers}) == 1
    assert client.post("/wallet/top-up", data={"amount": "100"}).location.startswith(stripe.account.url), "the page that is open already"
    assert len(payments()) == 1
    assert created_sessions(stripe) == 1


@pytest.mark.parametrize("amount", ["", "0", "3.99", "5000.01", "-5", "1e3", "100.001", "NaN", "1,5", "1,00", "99999999", "abc"])
def test_an_amount_that_cannot_be_is_refused_and_kept(user: User, client: FlaskClient, stripe: CardProvider, amount: str) -> None:
    answer = client.post("/wallet/top-up", data={"amount": amount})
    assert answer.status_code == 422
    assert "field-error" in answer.text
    assert f'value="{amount}"' in answer.text
    assert payments() == []


def test_a_provider_that_is_away_loses_nothing(user: User, client: FlaskClient) -> None:
    answer = client.post("/wallet/top-up", data={"amount": "100"})
    assert answer.status_code == 303
    (payment,) = payments()
    assert answer.location == f"/payments/{payment.ref}/onward"
    waiting = client.get(answer.location)
    assert (waiting.status_code, "opening the payment page" in waiting.text, "does not answer" in waiting.text) == (200, True, False)
    outbox.run_due()
    page = client.get(answer.location).text
    assert "does not answer" in page
    assert "Nothing was charged." in page
    assert f'hx-get="{answer.location}?shown=silent"' in page, "it goes on by itself"
    assert 'http-equiv="refresh"' in page, "without script as well"
    assert "Not paid yet" in client.get(f"/payments/{payment.ref}").text


def test_a_page_that_waits_stands_still_until_it_has_something_to_say(user: User, client: FlaskClient, stripe: CardProvider) -> None:
    """A button that is drawn anew every second is lost to the finger, to the keyboard and to a voice that reads."""
    answer = client.post("/wallet/top-up", data={"amount": "100"})

    def look(shown: str) -> TestResponse:
        return client.get(f"{answer.location}?shown={shown}", headers={"HX-Request": "true"})

    page = client.get(answer.location).text
    assert f'hx-get="{answer.location}?shown=soon" hx-trigger="every 400ms"' in page
    assert (look("soon").status_code, look("soon").text) == (204, "")
    clock.move(timedelta(seconds=4.5))
    assert f"{answer.location}?shown=late" in look("soon").text
    assert look("late").status_code == 204
    clock.move(timedelta(seconds=6))
    assert "does not answer" in look("late").text
    assert look("silent").status_code == 204
    assert f'http-equiv="refresh" content="5;url={answer.location}"' in client.get(answer.location).text, "without script time to press"
    outbox.run_due()
    assert stripe.account.url in look("silent").text


@pytest.mark.parametrize("is_opened", [False, True], ids=["onward", "progress"])
def test_a_worker_that_stands_still_is_one_long_silence(user: User, client: FlaskClient, stripe: CardProvider, is_opened: bool) -> None:
    """Asked again and again without an answer, the page does not take back what it said, and nothing moves under the finger."""
    payment = start(user)
    path = f"/payments/{payment.ref}" if is_opened else f"/payments/{payment.ref}/onward"
    if is_opened:
        led_on(client, client.post(f"/payments/{payment.ref}/page"))
    said = []
    for seconds in range(0, 100, 4):
        clock.move(timedelta(seconds=seconds))
        said.append("does not answer" in client.get(path).text)
    assert said == [False, False, *[True] * 23]
    outbox.run_due()
    assert "does not answer" not in client.get(path).text


def test_who_comes_back_much_later_begins_anew(user: User, client: FlaskClient, stripe: CardProvider) -> None:
    payment = start(user)
    client.get(f"/payments/{payment.ref}/onward")
    clock.move(timedelta(minutes=10))
    assert "does not answer" not in client.get(f"/payments/{payment.ref}/onward").text


def test_the_page_settles_by_itself(user: User, client: FlaskClient, stripe: CardProvider) -> None:
    payment = start(user)
    stripe.pay(payment.id)
    assert "Looking for your payment" in client.get(f"/payments/{payment.ref}").text
    outbox.run_due()
    page = client.get(f"/payments/{payment.ref}").text
    assert "The money is in your wallet" in page
    assert 'http-equiv="refresh"' not in page
    assert balance(f"wallet:{user.id}") == 10_000


def test_a_page_not_paid_yet_leads_back_to_the_payment(user: User, client: FlaskClient, stripe: CardProvider) -> None:
    payment = start(user)
    page = client.get(f"/payments/{payment.ref}")
    assert "Not paid yet" in page.text
    assert f'<meta http-equiv="refresh" content="15;url=/payments/{payment.ref}">' in page.text
    assert stripe.account.url in page.headers["Content-Security-Policy"]
    onward = led_on(client, client.post(f"/payments/{payment.ref}/page"))
    assert onward == payment_of(payment.id).provider_url


def test_processing_is_shown_as_processing(user: User, client: FlaskClient, stripe: CardProvider) -> None:
    stripe.account.control(payments="async", settle_ms=60_000)
    payment = start(user)
    stripe.pay(payment.id)
    page = looked_at(client, payment.ref)
    assert "The payment is being processed" in page
    assert 'content="4;url=' in page


def test_no_news_is_not_a_failure(user: User, client: FlaskClient, stripe: CardProvider) -> None:
    payment = start(user)
    stripe.pay(payment.id)
    stripe.account.control(fail_next={"status": 500, "count": 5})
    page = looked_at(client, payment.ref)
    assert "does not answer" in page
    assert 'http-equiv="refresh"' in page
    assert payment_of(payment.id).state is PaymentState.CREATED
    stripe.account.control(fail_next=None)
    clock.move(rules.UNANSWERED_AFTER)
    assert "The money is in your wallet" in looked_at(client, payment.ref)


def test_a_payment_whose_time_is_over_is_closed_when_looked_at(user: User, client: FlaskClient, stripe: CardProvider) -> None:
    payment = start(user)
    led_on(client, client.post(f"/payments/{payment.ref}/page"))
    clock.move(timedelta(minutes=31))
    assert "This payment was given up" in looked_at(client, payment.ref)
    assert payment_of(payment.id).state is PaymentState.CANCELLED
    assert client.post(f"/payments/{payment.ref}/page").status_code == 409


def test_a_payment_that_failed_may_be_tried_again_while_the_order_waits(make: Factories, client: FlaskClient, stripe: CardProvider) -> None:
    shop = Shopping(make, merchants=1)
    shop.goods("oranges", price=2_500)
    buyer = shop.buyer()
    placed = shop.buy(buyer, {"oranges": 1}, PaymentMethod.STRIPE)
    perform(operations.apply, placed.payment_id, Snapshot(Stage.FAILED, Money(2_500), failure_code="card_declined"))
    sign_in(client, buyer)
    page = client.get(f"/payments/{placed.payment_ref}").text
    assert "did not go through" in page
    assert f"/orders/{placed.number}/pay" in page
    answer = client.post(f"/orders/{placed.number}/pay")
    assert led_on(client, answer).startswith(stripe.account.url)
    assert len(payments()) == 2


def test_a_payment_that_came_too_late_is_explained(make: Factories, client: FlaskClient) -> None:
    shop = Shopping(make, merchants=1)
    shop.goods("oranges", price=2_500, on_hand=1)
    buyer = shop.buyer()
    placed = shop.buy(buyer, {"oranges": 1}, PaymentMethod.STRIPE)
    perform(operations.apply, placed.payment_id, Snapshot(Stage.CANCELLED, Money(2_500)))
    shop.buy(shop.buyer(), {"oranges": 1})
    perform(operations.apply, placed.payment_id, Snapshot(Stage.SUCCEEDED, Money(2_500), intent="pi_1"))
    sign_in(client, buyer)
    page = client.get(f"/payments/{placed.payment_ref}").text
    assert "All of it goes back" in page
    assert "The money is in your wallet" not in page


def test_somebody_elses_payment_is_not_there(make: Factories, user: User, client: FlaskClient, stripe: CardProvider) -> None:
    other = make.user()
    fund(other)
    payment = start(other)
    missing = "P000000-XXXXXXXX"
    for method, path in (("GET", "{}"), ("GET", "{}/onward"), ("POST", "{}/page")):
        for ref in (payment.ref, missing):
            assert client.open(f"/payments/{path.format(ref)}", method=method).status_code == 404
            led = client.application.test_client().open(f"/payments/{path.format(ref)}", method=method).location
            assert led.startswith("/sign-in?next="), "a stranger learns nothing either"
    outbox.run_due()
    assert (payment_of(payment.id).provider_session, payment_of(payment.id).opening) == (None, None)


@pytest.mark.parametrize(
    ("typed", "fen"), [("１００", 10_000), (" 1 000 ", 100_000), ("1,000", 100_000), ("¥99.5", 9_950), ("５０元", 5_000)]
)
def test_an_amount_is_understood_as_people_and_keyboards_write_it(
    user: User, client: FlaskClient, stripe: CardProvider, typed: str, fen: int
) -> None:
    assert client.post("/wallet/top-up", data={"amount": typed}).status_code == 303
    assert [payment.amount for payment in payments()] == [Money(fen)]


def test_a_wallet_that_was_short_is_filled_by_what_is_missing_and_leads_back(
    user: User, client: FlaskClient, stripe: CardProvider
) -> None:
    address = "/wallet/top-up?missing=7478&next=/checkout"
    page = client.get(address).text
    assert "¥74.78 are missing" in page
    assert 'value="74.78"' in page
    assert client.get("/wallet/top-up?missing=50").text.count('value="4.00"') == 1  # less than a card can pay
    client.post(address, data={"amount": "74.78"})
    [payment] = payments()
    stripe.pay(payment.id)
    after = looked_at(client, payment.ref)
    assert re.search(r'href="/checkout"[^>]*><span>Back to what you wanted to pay', after)
    client.post("/wallet/top-up?next=https://elsewhere.example", data={"amount": "20"})
    other = payments()[-1]
    assert "Back to what" not in client.get(f"/payments/{other.ref}").text


def test_a_wallet_must_be_open_to_be_topped_up(make: Factories, client: FlaskClient) -> None:
    sign_in(client, make.user())
    assert client.get("/wallet/top-up").headers["Location"] == "/wallet"
    assert client.post("/wallet/top-up", data={"amount": "100"}).headers["Location"] == "/wallet"
    assert payments() == []


def test_a_bill_paid_from_the_wallet_leads_on_to_the_bill(user: User, client: FlaskClient) -> None:
    save_billers()
    with transaction() as session:
        bill = BillPayment(
            ref="B1",
            serial="S1",
            request_key="k",
            user_id=user.id,
            community_id=CITY,
            biller_id=session.scalars(sa.select(Biller.id).limit(1)).one(),
            account_no="1",
            total=Money(3_000),
            state=BillPaymentState.FUNDS_HELD,
            holder_masked="",
            created_at=clock.now(),
        )
        session.add(bill)
        session.flush()
        payment = start_payment(
            session,
            actor_of(user),
            purpose=PaymentPurpose.BILL,
            method=PaymentMethod.WALLET,
            amount=Money(3_000),
            bill_payment_id=bill.id,
            is_paid=True,
        )
    page = client.get(f"/payments/{payment.ref}").text
    assert "To the bill" in page
    assert "/bills/B1" in page
