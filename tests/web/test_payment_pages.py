"""Topping up, and the page a buyer comes back to: it settles by itself and never calls unknown a failure."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from shop.kernel import clock
from shop.kernel.db import perform, reading, transaction
from shop.kernel.money import Money
from shop.models.accounts import User
from shop.models.bills import Biller, BillPayment, BillPaymentState
from shop.models.orders import PaymentMethod
from shop.models.payments import Payment, PaymentPurpose, PaymentState
from shop.payments.gateway import Snapshot, Stage
from shop.payments.operations import start as start_payment
from shop.settlement import operations
from tests.support.bills import save_billers
from tests.support.factories import Factories, actor_of
from tests.support.money import balance, fund
from tests.support.people import sign_in
from tests.support.provider import CardProvider, payment_of
from tests.support.shopping import Shopping


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
    assert answer.headers["Location"].startswith(f"{stripe.account.url}/pay/")
    (payment,) = payments()
    assert (payment.amount, payment.user_id, payment.state) == (Money(9_950), user.id, PaymentState.CREATED)


def test_a_double_click_tops_up_once(user: User, client: FlaskClient, stripe: CardProvider) -> None:
    places = {client.post("/wallet/top-up", data={"amount": "100"}).headers["Location"] for _ in range(2)}
    assert (len(places), len(payments())) == (1, 1)


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
    assert answer.headers["Location"] == f"/payments/{payment.ref}?answer=none"
    page = client.get(answer.headers["Location"])
    assert (page.status_code, "does not answer" in page.text, "Not paid yet" in page.text) == (200, True, True)


def test_the_page_settles_by_itself(user: User, client: FlaskClient, stripe: CardProvider) -> None:
    payment = start(user)
    stripe.pay(payment.id)
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
    onward = client.post(f"/payments/{payment.ref}/page")
    assert onward.headers["Location"] == payment_of(payment.id).provider_url


def test_processing_is_shown_as_processing(user: User, client: FlaskClient, stripe: CardProvider) -> None:
    stripe.account.control(payments="async", settle_ms=60_000)
    payment = start(user)
    stripe.pay(payment.id)
    page = client.get(f"/payments/{payment.ref}").text
    assert "The payment is being processed" in page
    assert 'content="4;url=' in page


def test_no_news_is_not_a_failure(user: User, client: FlaskClient, stripe: CardProvider) -> None:
    payment = start(user)
    stripe.pay(payment.id)
    stripe.account.control(fail_next={"status": 500, "count": 5})
    page = client.get(f"/payments/{payment.ref}").text
    assert "does not answer" in page
    assert 'http-equiv="refresh"' in page
    assert payment_of(payment.id).state is PaymentState.CREATED
    stripe.account.control(fail_next=None)
    assert "The money is in your wallet" in client.get(f"/payments/{payment.ref}").text


def test_a_payment_whose_time_is_over_is_closed_when_looked_at(user: User, client: FlaskClient, stripe: CardProvider) -> None:
    payment = start(user)
    client.post(f"/payments/{payment.ref}/page")
    clock.move(timedelta(minutes=31))
    assert "This payment was given up" in client.get(f"/payments/{payment.ref}").text
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
    assert answer.headers["Location"].startswith(stripe.account.url)
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
    assert "The whole amount goes back" in page
    assert "The money is in your wallet" not in page


def test_somebody_elses_payment_is_not_there(make: Factories, user: User, client: FlaskClient, stripe: CardProvider) -> None:
    other = make.user()
    fund(other)
    payment = start(other)
    for method, path in (("GET", payment.ref), ("POST", f"{payment.ref}/page"), ("GET", "P000000-XXXXXXXX")):
        assert client.open(f"/payments/{path}", method=method).status_code == 404
    assert payment_of(payment.id).provider_session is None


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
    after = client.get(f"/payments/{payment.ref}").text
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
