"""Checkout Sessions and the hosted page, through the real SDK and plain form posts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
import stripe

from simulators.stripe.harness import Running, eventually, running

SUCCESS = "http://shop.example/orders/7?session={CHECKOUT_SESSION_ID}"
GOOD = {"number": "4242 4242 4242 4242", "expiry": "12 / 34", "cvc": "123"}


@pytest.fixture
def account() -> Iterator[Running]:
    with running() as simulator:
        yield simulator


def session_params(**changes: Any) -> dict[str, Any]:
    params: dict[str, Any] = {
        "mode": "payment",
        "line_items": [
            {
                "price_data": {"currency": "cny", "unit_amount": 1_250, "product_data": {"name": "甜城橙子 5 斤"}},
                "quantity": 2,
            },
            {"price_data": {"currency": "cny", "unit_amount": 300, "product_data": {"name": "Delivery"}}, "quantity": 1},
        ],
        "client_reference_id": "LN-7",
        "metadata": {"payment": "42"},
        "payment_intent_data": {"metadata": {"order": "LN-7"}, "description": "Order LN-7"},
        "success_url": SUCCESS,
        "cancel_url": "http://shop.example/cart",
    }
    params.update(changes)
    return params


def opened(account: Running, **changes: Any) -> stripe.checkout.Session:
    return account.client().v1.checkout.sessions.create(session_params(**changes))


def post(url: str, **form: str) -> requests.Response:
    return requests.post(url, data=form, allow_redirects=False, timeout=10)


def pay_by_card(session: stripe.checkout.Session, number: str = GOOD["number"]) -> requests.Response:
    return post(f"{session.url}/card", **{**GOOD, "number": number})


def test_session_adds_up_its_lines_and_points_to_its_page(account: Running) -> None:
    session = opened(account)
    assert (session.amount_total, session.currency, session.status, session.payment_status) == (2_800, "cny", "open", "unpaid")
    assert session.url == f"{account.url}/pay/{session.id}"
    assert session.payment_intent is None
    assert session.payment_method_types == ["card", "alipay", "wechat_pay"]
    lines = account.client().v1.checkout.sessions.line_items.list(session.id)
    assert [(line.description, line.amount_total) for line in lines.data] == [("甜城橙子 5 斤", 2_500), ("Delivery", 300)]


def test_card_payment_completes_the_session_and_returns_to_the_shop(account: Running) -> None:
    session = opened(account)
    answer = pay_by_card(session)
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"http://shop.example/orders/7?session={session.id}"
    paid = account.client().v1.checkout.sessions.retrieve(
        session.id, {"expand": ["payment_intent.latest_charge.balance_transaction", "line_items"]}
    )
    assert (paid.status, paid.payment_status, paid.url) == ("complete", "paid", None)
    intent = paid.payment_intent
    assert isinstance(intent, stripe.PaymentIntent)
    assert (intent.status, intent.amount_received, intent.metadata["order"]) == ("succeeded", 2_800, "LN-7")
    charge = intent.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert charge.payment_method_details.card.last4 == "4242"
    movement = charge.balance_transaction
    assert isinstance(movement, stripe.BalanceTransaction)
    assert (movement.amount, movement.fee, movement.net) == (2_800, 81, 2_719)
    assert paid.line_items is not None
    assert len(paid.line_items.data) == 2


def test_events_of_a_card_payment_come_signed_and_in_order(account: Running) -> None:
    session = opened(account)
    pay_by_card(session)
    account.inbox.wait_for("charge.succeeded")
    assert account.inbox.types() == [
        "payment_intent.created",
        "checkout.session.completed",
        "payment_intent.succeeded",
        "charge.succeeded",
    ]
    completed = account.inbox.wait_for("checkout.session.completed")
    assert completed.data.object["client_reference_id"] == "LN-7"
    assert completed.data.object["payment_status"] == "paid"
    assert completed.api_version == stripe.api_version
    assert not [name for name in completed.data.object.to_dict() if name.startswith("_")]


def test_events_of_one_purchase_keep_their_order_while_others_are_paid(account: Running) -> None:
    def purchase(_: int) -> None:
        assert pay_by_card(opened(account)).status_code == 303

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(purchase, range(24)))
    eventually(lambda: len(account.inbox.received) == 24 * 4, timeout=20)
    orders: dict[str, list[str]] = {}
    for event in account.inbox.events():
        subject = event.data.object.to_dict()
        orders.setdefault(subject.get("payment_intent") or subject["id"], []).append(event.type)
    expected = ["payment_intent.created", "checkout.session.completed", "payment_intent.succeeded", "charge.succeeded"]
    assert list(orders.values()) == [expected] * 24


@pytest.mark.parametrize("kind", ["alipay", "wechat_pay"])
def test_wallet_payment_goes_over_the_page_with_the_code(account: Running, kind: str) -> None:
    session = opened(account)
    answer = post(f"{session.url}/wallet", type=kind)
    assert answer.status_code == 303
    page = requests.get(account.url + answer.headers["Location"], timeout=10)
    assert page.status_code == 200
    assert "/code/pi_" in page.text
    intent_id = page.text.split("/code/")[1].split(".svg")[0]
    assert requests.get(f"{account.url}/code/{intent_id}.svg", timeout=10).headers["Content-Type"].startswith("image/svg+xml")
    key = answer.headers["Location"].split("key=")[1]
    done = post(f"{account.url}/authorise/{intent_id}", key=key, outcome="pay")
    assert done.headers["Location"] == f"http://shop.example/orders/7?session={session.id}"
    charge = account.client().v1.charges.list({"payment_intent": intent_id}).data[0]
    assert charge.payment_method_details.type == kind
    assert charge.id.startswith("py_")
    again = post(f"{account.url}/authorise/{intent_id}", key=key, outcome="pay")
    assert again.status_code == 303
    assert len(account.client().v1.charges.list({"payment_intent": intent_id}).data) == 1


def test_wallet_payment_refused_leaves_the_session_open_to_another_try(account: Running) -> None:
    session = opened(account)
    location = post(f"{session.url}/wallet", type="alipay").headers["Location"]
    intent_id, key = location.split("/authorise/")[1].split("?key=")
    back = post(f"{account.url}/authorise/{intent_id}", key=key, outcome="fail")
    assert f"/pay/{session.id}" in back.headers["Location"]
    page = requests.get(account.url + back.headers["Location"], headers={"Accept-Language": "zh-CN"}, timeout=10)
    assert "付款没有得到确认" in page.text
    account.inbox.wait_for("payment_intent.payment_failed")
    assert pay_by_card(session).status_code == 303
    assert account.client().v1.checkout.sessions.retrieve(session.id).payment_intent == intent_id


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("4000 0000 0000 0002", "declined"),
        ("4000 0000 0000 9995", "not enough money"),
        ("4242 4242 4242 4241", "not right"),
        ("4111 1111 1111 1111", "Only test cards"),
    ],
)
def test_card_that_does_not_work_is_explained_and_nothing_is_taken(account: Running, number: str, words: str) -> None:
    session = opened(account)
    answer = pay_by_card(session, number)
    assert answer.status_code in (402, 422)
    assert words in answer.text
    assert number.replace(" ", "") not in answer.text.replace(" ", "").replace("4000000000000002", "").replace("4000000000009995", "")
    assert account.client().v1.checkout.sessions.retrieve(session.id).payment_status == "unpaid"
    assert account.look("/books")["charged"] == 0


def test_three_d_secure_card_asks_the_bank_first(account: Running) -> None:
    session = opened(account)
    answer = pay_by_card(session, "4000 0025 0000 3155")
    assert "/authorise/pi_" in answer.headers["Location"]
    assert account.look("/books")["charged"] == 0
    intent_id, key = answer.headers["Location"].split("/authorise/")[1].split("?key=")
    assert "Your bank" in requests.get(account.url + answer.headers["Location"], timeout=10).text
    assert post(f"{account.url}/authorise/{intent_id}", key="wrong", outcome="pay").status_code == 404
    post(f"{account.url}/authorise/{intent_id}", key=key, outcome="pay")
    assert account.client().v1.checkout.sessions.retrieve(session.id).payment_status == "paid"


def test_double_click_pays_once(account: Running) -> None:
    session = opened(account)
    first, second = pay_by_card(session), pay_by_card(session)
    assert first.headers["Location"] == second.headers["Location"]
    assert account.look("/books")["charges"] == 1


@pytest.mark.parametrize(
    ("ask", "headers", "words"),
    [
        ("", {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"}, "请选择付款方式"),
        ("", {"Accept-Language": "en-GB"}, "How would you like to pay?"),
        ("?locale=zh", {"Accept-Language": "en"}, "请选择付款方式"),
    ],
)
def test_page_speaks_the_customers_language(account: Running, ask: str, headers: dict[str, str], words: str) -> None:
    session = opened(account)
    page = requests.get(f"{session.url}{ask}", headers=headers, timeout=10)
    assert words in page.text
    assert "¥28.00" in page.text
    assert "甜城橙子 5 斤" in page.text
    assert "<script" not in page.text
    assert "style=" not in page.text
    assert requests.get(f"{account.url}/_assets/pay.css", timeout=10).headers["Content-Type"].startswith("text/css")


def test_expired_session_takes_no_money(account: Running) -> None:
    session = opened(account)
    assert account.client().v1.checkout.sessions.expire(session.id).status == "expired"
    account.inbox.wait_for("checkout.session.expired")
    pay_by_card(session)
    assert requests.get(f"{account.url}/pay/{session.id}", timeout=10).status_code == 410
    assert account.look("/books")["charged"] == 0


def test_expiring_a_session_cancels_a_payment_that_waits_for_a_wallet(account: Running) -> None:
    session = opened(account)
    location = post(f"{session.url}/wallet", type="wechat_pay").headers["Location"]
    intent_id, key = location.split("/authorise/")[1].split("?key=")
    with pytest.raises(stripe.InvalidRequestError, match="Expire the Checkout Session"):
        account.client().v1.payment_intents.cancel(intent_id)
    account.control("/expire", session=session.id)
    assert account.client().v1.payment_intents.retrieve(intent_id).status == "canceled"
    post(f"{account.url}/authorise/{intent_id}", key=key, outcome="pay")
    assert account.look("/books")["charged"] == 0


def test_session_runs_out_by_itself(account: Running) -> None:
    session = opened(account, expires_at=int(time.time()) + 1_860)
    account.control(clock_offset=1_900)
    account.inbox.wait_for("checkout.session.expired")
    assert account.client().v1.checkout.sessions.retrieve(session.id).status == "expired"


def test_paid_session_cannot_be_expired(account: Running) -> None:
    session = opened(account)
    pay_by_card(session)
    with pytest.raises(stripe.InvalidRequestError, match='status in \\["open"\\]'):
        account.client().v1.checkout.sessions.expire(session.id)


@pytest.mark.parametrize(
    ("changes", "param", "code"),
    [
        ({"expires_at": int(time.time()) + 60}, "expires_at", None),
        ({"expires_at": int(time.time()) + 90_000}, "expires_at", None),
        ({"success_url": None}, "success_url", "parameter_missing"),
        ({"payment_method_types": ["card"]}, "payment_method_types", "payment_method_types_no_longer_supported"),
        ({"discounts": [{"coupon": "x"}]}, "discounts", "simulator_unsupported"),
        ({"line_items": [{"price": "price_1", "quantity": 1}]}, "line_items[0][price]", "resource_missing"),
        ({"mode": "gift"}, "mode", None),
    ],
)
def test_session_with_wrong_parameters_is_refused(account: Running, changes: dict[str, Any], param: str, code: str | None) -> None:
    params = {name: value for name, value in session_params(**changes).items() if value is not None}
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        account.client().v1.checkout.sessions.create(params)
    assert (refusal.value.param, refusal.value.code) == (param, code)
    assert account.client().v1.checkout.sessions.list().data == []


def test_session_below_the_minimum_is_refused(account: Running) -> None:
    line = {"price_data": {"currency": "cny", "unit_amount": 399, "product_data": {"name": "Egg"}}, "quantity": 1}
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        opened(account, line_items=[line])
    assert refusal.value.code == "amount_too_small"


def test_allowed_methods_narrow_the_page(account: Running) -> None:
    session = opened(account, allowed_payment_method_types=["wechat_pay", "ideal"])
    assert session.payment_method_types == ["wechat_pay"]
    page = requests.get(session.url, timeout=10).text
    assert "wechat_pay" in page
    assert 'name="number"' not in page
    assert 'value="alipay"' not in page


def test_slow_payment_completes_first_and_is_decided_later(account: Running) -> None:
    account.control(payments="async", settle_ms=60_000)
    session = opened(account)
    pay_by_card(session)
    waiting = account.client().v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert (waiting.status, waiting.payment_status, waiting.payment_intent.status) == ("complete", "unpaid", "processing")
    account.control("/settle", payment_intent=waiting.payment_intent.id)
    account.inbox.wait_for("checkout.session.async_payment_succeeded")
    assert account.client().v1.checkout.sessions.retrieve(session.id).payment_status == "paid"
