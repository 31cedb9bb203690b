"""The provider's events: believed only when signed, kept once, and harmless in any order, number and company."""

from __future__ import annotations

import itertools
import json
import time
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.kernel.money import Money
from shop.models.accounts import User
from shop.models.orders import PaymentMethod
from shop.models.payments import EventState, Payment, PaymentState, ProviderEvent, Refund, RefundState
from shop.models.platform import AuditEntry, Job
from shop.payments import operations as payments
from shop.payments.checkout import open_session
from shop.platform import outbox
from shop.settlement import inquiry, operations
from simulators.stripe.harness import SECRET
from tests.support.factories import Factories, actor_of
from tests.support.money import balance, fund
from tests.support.people import sign_in
from tests.support.provider import SLOW_REFUND_CARD, CardProvider, deliver, looked_at, payment_of, signed
from tests.support.shopping import Shopping

pytestmark = [pytest.mark.usefixtures("books_hold_afterwards"), pytest.mark.both_engines]

COMPLETED = {"id": "evt_1", "type": "checkout.session.completed", "data": {"object": {"id": "cs_1", "object": "checkout.session"}}}
BODY = json.dumps(COMPLETED).encode()


def now() -> int:
    return int(time.time())


def events() -> list[ProviderEvent]:
    reading().rollback()
    return list(reading().scalars(sa.select(ProviderEvent).order_by(ProviderEvent.id)))


def top_up(make: Factories, stripe: CardProvider) -> tuple[User, Payment]:
    """A top-up of 100.00 that has been paid at the provider; nothing of it is known here yet."""
    user = make.user()
    fund(user)
    payment = perform(operations.start_top_up, actor_of(user), Money(10_000))
    stripe.pay(payment.id)
    return user, payment


def test_a_signed_event_is_kept_and_looked_into(stripe: CardProvider, client: FlaskClient) -> None:
    assert deliver(client, BODY, now()) == 200
    (event,) = events()
    assert (event.provider, event.event_id, event.kind, event.object_id) == ("stripe", "evt_1", "checkout.session.completed", "cs_1")
    assert event.state is EventState.RECEIVED
    outbox.run_due()
    assert [event.state for event in events()] == [EventState.DONE]


def test_the_old_secret_is_believed_while_it_is_being_replaced(stripe: CardProvider, client: FlaskClient) -> None:
    assert deliver(client, BODY, now(), "whsec_old") == 200
    assert deliver(client, BODY, now(), "whsec_unknown", SECRET) == 200
    assert len(events()) == 1


@pytest.mark.parametrize("seconds", [-240, 0, 240])
def test_clocks_may_differ_by_some_minutes_either_way(stripe: CardProvider, client: FlaskClient, seconds: int) -> None:
    assert deliver(client, BODY, now() + seconds) == 200


def test_an_event_signed_ten_minutes_ahead_is_refused_and_not_kept(stripe: CardProvider, client: FlaskClient) -> None:
    assert deliver(client, BODY, now() + 600) == 400
    assert events() == []


def test_a_moved_clock_of_the_shop_refuses_no_event(stripe: CardProvider, client: FlaskClient) -> None:
    for days in (-3, 3):
        clock.move(timedelta(days=days))
        assert deliver(client, BODY, now()) == 200
        assert deliver(client, BODY, now() + 600) == 400
        outbox.run_due()


@pytest.mark.parametrize(
    ("sent", "headers"),
    [
        pytest.param(BODY, signed(BODY, now(), "whsec_other"), id="another secret"),
        pytest.param(BODY, signed(BODY, now() - 302), id="older than five minutes"),
        pytest.param(BODY.replace(b"cs_1", b"cs_2"), signed(BODY, now()), id="a changed byte"),
        pytest.param(BODY + b" ", signed(BODY, now()), id="a byte more"),
        pytest.param(BODY, {}, id="no signature"),
        pytest.param(BODY, {"Stripe-Signature": ""}, id="an empty signature"),
        pytest.param(BODY, {"Stripe-Signature": f"t={now()},v1="}, id="an empty value"),
        pytest.param(BODY, {"Stripe-Signature": "t=soon,v1=00"}, id="no time"),
        pytest.param(BODY, {"Stripe-Signature": signed(BODY, now())["Stripe-Signature"].replace("v1=", "v0=")}, id="another scheme"),
        pytest.param(BODY, {"Stripe-Signature": signed(BODY, now())["Stripe-Signature"].replace("t=", "t=1")}, id="another time"),
        pytest.param(b"\xff\xfe", signed(BODY, now()), id="not text"),
    ],
)
def test_what_is_not_signed_is_refused_and_nothing_is_kept(
    stripe: CardProvider, client: FlaskClient, sent: bytes, headers: dict[str, str]
) -> None:
    answer = client.post("/webhooks/stripe", data=sent, headers=headers)
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
    assert answer.get_json()["code"] == "bad_signature"
    assert events() == []
    assert reading().scalar(sa.select(sa.func.count()).select_from(Job)) == 0


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"null", b"5", b"NaN", b"{}", b"\xc3\xa9", b'{"id": "evt_1"}', b'{"id": "e", "type": "t", "data": {"object": 5}}',
        BODY[:-1], BODY.replace(b"cs_1", rb"cs\u0000"), BODY.replace(b"cs_1", rb"cs\ud800"), BODY.replace(b"evt_1", rb"evt\u0000"),
        BODY.replace(b"evt_1", rb"\udfff"), BODY.replace(b"checkout.session.completed", rb"checkout\u0000"),
        BODY.replace(b'"cs_1"', b"{}"), BODY.replace(b'"evt_1"', b"[]"), BODY.replace(b'"evt_1"', b"null"),
        BODY.replace(b"evt_1", b"e" * 300),
        BODY.replace(b'"checkout.session"', b"[[1]]").replace(b'"cs_1"', b"7"), BODY.replace(b'"cs_1"', b"[" * 20_000 + b"]" * 20_000),
        b"[" * 100_000, b'{"a":' * 20_000, BODY.replace(b'"cs_1"', b"9" * 5_000),
        BODY.replace(b'{"id": "evt_1"', b'{"id": "evt_2", "id": "evt_1"'),
    ],
    ids=lambda body: repr(body)[2:60],
)  # fmt: skip
def test_a_signed_event_of_another_shape_is_refused(stripe: CardProvider, client: FlaskClient, body: bytes) -> None:
    answer = client.post("/webhooks/stripe", data=body, headers=signed(body, now()))
    assert (answer.status_code, answer.mimetype, answer.get_json()["code"]) == (400, "application/problem+json", "malformed_body")
    assert events() == []


def test_an_event_told_twenty_times_pays_once(make: Factories, stripe: CardProvider, client: FlaskClient) -> None:
    user, payment = top_up(make, stripe)
    for body in stripe.events():
        for _again in range(20):
            assert deliver(client, body, now()) == 200
    outbox.run_due()
    assert balance(f"wallet:{user.id}") == 10_000
    assert len(events()) == len(stripe.events())
    assert {event.state for event in events()} == {EventState.DONE}
    assert payment_of(payment.id).state is PaymentState.SUCCEEDED


def test_events_in_every_order_end_the_same(make: Factories, stripe: CardProvider, client: FlaskClient) -> None:
    _user, first = top_up(make, stripe)
    kinds = len(stripe.events())
    assert kinds >= 4
    orders = list(itertools.permutations(range(kinds)))
    for number, order in enumerate(orders[:: max(1, len(orders) // 24)]):
        known = len(stripe.events())
        user, payment = top_up(make, stripe)
        fresh = stripe.events()[known:]
        for place in order:
            deliver(client, fresh[place], now())
            outbox.run_due()
        assert (balance(f"wallet:{user.id}"), payment_of(payment.id).state) == (10_000, PaymentState.SUCCEEDED), (number, order)
    assert payment_of(first.id).state is PaymentState.CREATED


def test_an_event_that_lies_changes_nothing(make: Factories, stripe: CardProvider, client: FlaskClient) -> None:
    user = make.user()
    fund(user)
    payment = perform(operations.start_top_up, actor_of(user), Money(10_000))
    open_session(payment.id)
    page = payment_of(payment.id).provider_session
    session = {"id": page, "object": "checkout.session", "payment_status": "paid", "amount_total": 10_000}
    body = json.dumps({"id": "evt_lie", "type": "checkout.session.completed", "data": {"object": session}}).encode()
    assert deliver(client, body, now()) == 200
    outbox.run_due()
    assert (balance(f"wallet:{user.id}"), payment_of(payment.id).state) == (0, PaymentState.CREATED)


def test_the_event_comes_before_the_buyer(make: Factories, stripe: CardProvider, client: FlaskClient) -> None:
    user, payment = top_up(make, stripe)
    for body in stripe.events():
        deliver(client, body, now())
    outbox.run_due()
    sign_in(client, user)
    page = client.get(f"/payments/{payment.ref}")
    assert "The money is in your wallet" in page.text
    assert balance(f"wallet:{user.id}") == 10_000


def test_the_buyer_comes_before_the_event(make: Factories, stripe: CardProvider, client: FlaskClient) -> None:
    user, payment = top_up(make, stripe)
    sign_in(client, user)
    assert "The money is in your wallet" in looked_at(client, payment.ref)
    assert balance(f"wallet:{user.id}") == 10_000
    for body in stripe.events():
        deliver(client, body, now())
    outbox.run_due()
    assert balance(f"wallet:{user.id}") == 10_000


def test_an_event_waits_while_the_provider_cannot_be_asked(make: Factories, stripe: CardProvider, client: FlaskClient) -> None:
    user, _payment = top_up(make, stripe)
    stripe.account.control(fail_next={"status": 500, "count": 20})
    for body in stripe.events():
        deliver(client, body, now())
    outbox.run_due()
    assert {event.state for event in events() if event.kind.startswith("checkout.")} == {EventState.RECEIVED}
    stripe.account.control(fail_next=None)
    clock.move(timedelta(minutes=10))
    outbox.run_due()
    assert {event.state for event in events()} == {EventState.DONE}
    assert balance(f"wallet:{user.id}") == 10_000


def test_events_about_other_peoples_objects_are_put_aside(stripe: CardProvider, client: FlaskClient) -> None:
    things = [
        ("payment_intent.succeeded", "pi_x", "payment_intent"),
        ("refund.updated", "re_x", "refund"),
        ("customer.created", "cus_x", "customer"),
    ]
    for number, (kind, object_id, name) in enumerate(things):
        body = json.dumps({"id": f"evt_{number}", "type": kind, "data": {"object": {"id": object_id, "object": name}}}).encode()
        assert deliver(client, body, now()) == 200
    outbox.run_due()
    assert [event.state for event in events()] == [EventState.DONE] * 3


def test_a_refund_is_finished_by_its_event(make: Factories, stripe: CardProvider, client: FlaskClient) -> None:
    stripe.account.control(settle_ms=60_000)
    shop = Shopping(make, merchants=1)
    shop.goods("oranges", price=2_500)
    payment_id = shop.buy(shop.buyer(), {"oranges": 1}, PaymentMethod.STRIPE).payment_id
    stripe.pay(payment_id, SLOW_REFUND_CARD)
    inquiry.settle(payment_id)
    refund = perform(payments.open_refund, payment_id=payment_id, cause="a", amount=Money(300), reason="test")
    outbox.run_due()
    reading().rollback()
    stripe.account.control("/settle", refund=reading().get_one(Refund, refund.id).provider_ref, outcome="succeeded")
    for body in reversed(stripe.events()):
        deliver(client, body, now())
    outbox.run_due()
    reading().rollback()
    assert (reading().get_one(Refund, refund.id).state, balance("refund_due")) == (RefundState.SUCCEEDED, 0)


def test_a_dispute_is_put_on_record(make: Factories, stripe: CardProvider, client: FlaskClient) -> None:
    _user, payment = top_up(make, stripe)
    inquiry.settle(payment.id)
    stripe.account.control("/dispute", payment_intent=payment_of(payment.id).provider_intent)
    for body in stripe.events():
        deliver(client, body, now())
    outbox.run_due()
    reading().rollback()
    noted = reading().scalars(sa.select(AuditEntry).where(AuditEntry.action == "payment.disputed")).all()
    assert noted
    assert {entry.subject_id for entry in noted} == {payment.id}


@pytest.mark.parametrize(("end", "lost"), [(None, 1), ("lost", 1), ("won", 0)])
def test_what_a_bank_takes_back_is_booked_once_however_often_it_is_told(
    make: Factories, stripe: CardProvider, client: FlaskClient, end: str | None, lost: int
) -> None:
    _user, payment = top_up(make, stripe)
    inquiry.settle(payment.id)
    held = balance("provider")
    intent = payment_of(payment.id).provider_intent
    stripe.account.control("/dispute", payment_intent=intent)
    if end:
        stripe.account.control("/dispute", payment_intent=intent, status=end)
    for body in (*reversed(stripe.events()), *stripe.events()):
        deliver(client, body, now())
        outbox.run_due()
    reading().rollback()
    fee = stripe.account.look("")["dispute_fee"]
    assert balance("disputed") == -payment.amount.fen * lost
    assert balance("provider") == held + payment.amount.fen * lost + fee


def test_a_bank_that_only_asks_moves_no_money(make: Factories, stripe: CardProvider, client: FlaskClient) -> None:
    _user, payment = top_up(make, stripe)
    inquiry.settle(payment.id)
    held = balance("provider")
    stripe.account.control("/dispute", payment_intent=payment_of(payment.id).provider_intent, inquiry=True)
    for body in stripe.events():
        deliver(client, body, now())
    outbox.run_due()
    reading().rollback()
    assert (balance("disputed"), balance("provider")) == (0, held)
