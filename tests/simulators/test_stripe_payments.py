"""Payment Intents, charges and disputes through the real SDK."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import stripe

from simulators.stripe.harness import Running, eventually, running

NO_REDIRECTS = {"automatic_payment_methods": {"enabled": True, "allow_redirects": "never"}}


@pytest.fixture
def account() -> Iterator[Running]:
    with running() as simulator:
        yield simulator


def paid(account: Running, method: str = "pm_card_visa", **changes: Any) -> stripe.PaymentIntent:
    params: dict[str, Any] = {"amount": 5_000, "currency": "cny", "payment_method": method, "confirm": True, **NO_REDIRECTS}
    return account.client().v1.payment_intents.create({**params, **changes})


def test_intent_walks_from_creation_to_success(account: Running) -> None:
    client = account.client()
    intent = client.v1.payment_intents.create({"amount": 5_000, "currency": "cny", "metadata": {"order": "7"}, **NO_REDIRECTS})
    assert intent.status == "requires_payment_method"
    client.v1.payment_intents.update(intent.id, {"amount": 6_000, "metadata": {"note": "x"}})
    intent = client.v1.payment_intents.update(intent.id, {"payment_method": "pm_card_visa"})
    assert intent.status == "requires_confirmation"
    intent = client.v1.payment_intents.confirm(intent.id, {"expand": ["latest_charge.balance_transaction"]})
    assert (intent.status, intent.amount_received) == ("succeeded", 6_000)
    assert intent.metadata.to_dict() == {"order": "7", "note": "x"}
    assert intent.latest_charge.balance_transaction.fee == 174
    account.inbox.wait_for("charge.succeeded")
    assert account.inbox.types() == ["payment_intent.created", "payment_intent.succeeded", "charge.succeeded"]


@pytest.mark.parametrize(
    ("method", "code", "decline_code"),
    [
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", None),
    ],
)
def test_declined_card_leaves_a_failed_charge_and_an_open_intent(
    account: Running, method: str, code: str, decline_code: str | None
) -> None:
    with pytest.raises(stripe.CardError) as refusal:
        paid(account, method)
    assert refusal.value.code == code
    error = refusal.value.error
    assert error is not None
    assert error.to_dict().get("decline_code") == decline_code
    intent = account.client().v1.payment_intents.retrieve(error.payment_intent.id, {"expand": ["latest_charge"]})
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error.code == code
    assert (intent.latest_charge.status, intent.latest_charge.paid) == ("failed", False)
    account.inbox.wait_for("payment_intent.payment_failed")
    assert account.look("/books")["charged"] == 0
    again = account.client().v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert again.status == "succeeded"


def test_three_d_secure_goes_over_the_banks_page_and_back(account: Running) -> None:
    intent = paid(account, "pm_card_authenticationRequired", return_url="http://shop.example/back?a=1")
    assert (intent.status, intent.next_action.type) == ("requires_action", "redirect_to_url")
    page = intent.next_action.redirect_to_url.url
    address, key = page.split("?key=")
    back = requests.post(address, data={"key": key, "outcome": "pay"}, allow_redirects=False, timeout=10)
    assert back.headers["Location"].startswith(f"http://shop.example/back?a=1&payment_intent={intent.id}")
    assert back.headers["Location"].endswith("redirect_status=succeeded")
    assert account.client().v1.payment_intents.retrieve(intent.id).status == "succeeded"


def test_failed_authentication_goes_back_to_the_start(account: Running) -> None:
    intent = paid(account, "pm_card_authenticationRequired", return_url="http://shop.example/back")
    address, key = intent.next_action.redirect_to_url.url.split("?key=")
    requests.post(address, data={"key": key, "outcome": "fail"}, allow_redirects=False, timeout=10)
    after = account.client().v1.payment_intents.retrieve(intent.id)
    assert (after.status, after.last_payment_error.code) == ("requires_payment_method", "payment_intent_authentication_failure")


@pytest.mark.parametrize(
    ("kind", "options", "action"),
    [
        ("alipay", {}, "alipay_handle_redirect"),
        ("wechat_pay", {"payment_method_options": {"wechat_pay": {"client": "web"}}}, "wechat_pay_display_qr_code"),
    ],
)
def test_wallets_ask_for_their_own_next_action(account: Running, kind: str, options: dict[str, Any], action: str) -> None:
    intent = account.client().v1.payment_intents.create(
        {
            "amount": 5_000,
            "currency": "cny",
            "allowed_payment_method_types": [kind],
            "payment_method_data": {"type": kind},
            "confirm": True,
            "return_url": "http://shop.example/back",
            **options,
        }
    )
    assert (intent.status, intent.payment_method_types, intent.next_action.type) == ("requires_action", [kind], action)
    if kind == "wechat_pay":
        code = intent.next_action.wechat_pay_display_qr_code
        assert code.image_data_url.startswith("data:image/png;base64,")
        assert requests.get(code.image_url_png, timeout=10).content.startswith(b"\x89PNG")
        assert requests.get(code.hosted_instructions_url, timeout=10).status_code == 200
    else:
        assert intent.next_action.alipay_handle_redirect.return_url == "http://shop.example/back"


def test_wechat_pay_needs_its_client(account: Running) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        account.client().v1.payment_intents.create(
            {
                "amount": 5_000,
                "currency": "cny",
                "payment_method_data": {"type": "wechat_pay"},
                "confirm": True,
                "return_url": "http://shop.example/back",
            }
        )
    assert refusal.value.param == "payment_method_options[wechat_pay][client]"


def test_dashboard_methods_need_a_return_url(account: Running) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="you must provide a `return_url`"):
        account.client().v1.payment_intents.create({"amount": 5_000, "currency": "cny", "payment_method": "pm_card_visa", "confirm": True})


def test_authorised_payment_is_captured_in_part(account: Running) -> None:
    intent = paid(account, capture_method="manual")
    assert (intent.status, intent.amount_capturable) == ("requires_capture", 5_000)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        account.client().v1.payment_intents.capture(intent.id, {"amount_to_capture": 5_001})
    assert refusal.value.code == "amount_too_large"
    intent = account.client().v1.payment_intents.capture(intent.id, {"amount_to_capture": 3_000, "expand": ["latest_charge"]})
    assert (intent.status, intent.amount_received) == ("succeeded", 3_000)
    assert (intent.latest_charge.amount_captured, intent.latest_charge.amount_refunded) == (3_000, 2_000)
    assert account.look("/books")["charged"] == 3_000


def test_canceled_payment_cannot_be_confirmed(account: Running) -> None:
    client = account.client()
    intent = client.v1.payment_intents.create({"amount": 5_000, "currency": "cny"})
    assert client.v1.payment_intents.cancel(intent.id, {"cancellation_reason": "abandoned"}).status == "canceled"
    account.inbox.wait_for("payment_intent.canceled")
    for call in (
        lambda: client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"}),
        lambda: client.v1.payment_intents.cancel(intent.id),
        lambda: client.v1.payment_intents.capture(intent.id),
    ):
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            call()
        assert refusal.value.code == "payment_intent_unexpected_state"
        assert refusal.value.error.payment_intent.id == intent.id


def test_slow_payment_is_processing_until_it_is_settled(account: Running) -> None:
    account.control(payments="async", settle_ms=50, payment_outcome="failed")
    intent = paid(account)
    assert intent.status == "processing"
    account.inbox.wait_for("payment_intent.payment_failed")
    assert account.client().v1.payment_intents.retrieve(intent.id).status == "requires_payment_method"
    assert account.look("/books")["charged"] == 0


@pytest.mark.parametrize(("status", "net"), [("lost", 5_000 - 145 - 5_000 - 10_000), ("won", 5_000 - 145 - 10_000)])
def test_dispute_moves_the_money_and_back_if_won(account: Running, status: str, net: int) -> None:
    intent = paid(account)
    dispute = account.control("/dispute", payment_intent=intent.id, reason="product_not_received")
    found = account.client().v1.disputes.list({"payment_intent": intent.id}).data[0]
    assert (found.id, found.status, found.amount, found.reason) == (dispute["id"], "needs_response", 5_000, "product_not_received")
    account.control("/dispute", dispute=dispute["id"], status=status)
    closed = account.inbox.wait_for("charge.dispute.closed")
    assert closed.data.object["status"] == status
    assert account.look("/books")["net"] == net
    types = eventually(lambda: (now := account.inbox.types()) and ("charge.dispute.funds_reinstated" in now) == (status == "won") and now)
    assert types.index("charge.dispute.created") < types.index("charge.dispute.closed")


@pytest.mark.parametrize(
    ("currency", "rate", "charged", "fee", "taken"),
    [
        ("cny", None, 5_002, 145, -5_002),
        ("hkd", 1.09, 5_452, 158, -5_452),
        ("usd", 0.1405, 703, 20, -703),
        ("jpy", 20.5, 1_025, 30, -1_025),
    ],
)
def test_an_account_settles_in_its_own_currency(
    account: Running, currency: str, rate: float | None, charged: int, fee: int, taken: int
) -> None:
    account.control(settlement=currency, exchange_rate=rate or 1.0, dispute_fee=8_500)
    intent = paid(account, amount=5_002, expand=["latest_charge.balance_transaction"])
    movement = intent.latest_charge.balance_transaction
    assert (intent.latest_charge.amount, intent.latest_charge.currency) == (5_002, "cny")
    assert (movement.amount, movement.fee, movement.currency, movement.exchange_rate) == (charged, fee, currency, rate)
    account.control("/dispute", payment_intent=intent.id)
    dispute = account.client().v1.disputes.list({"payment_intent": intent.id}).data[0]
    (movement,) = dispute.balance_transactions
    assert (dispute.amount, dispute.currency) == (5_002, "cny")
    assert (movement.amount, movement.fee, movement.currency, movement.exchange_rate) == (taken, 8_500, currency, rate)
    assert account.client().v1.accounts.retrieve_current().default_currency == currency


def test_the_balance_transaction_of_a_charge_may_follow_it(account: Running) -> None:
    account.control(balance_transactions="later", settle_ms=60_000)
    intent = paid(account, expand=["latest_charge"])
    assert (intent.status, intent.latest_charge.balance_transaction) == ("succeeded", None)
    assert account.control("/settle", payment_intent=intent.id, charge=intent.latest_charge.id) == {"settled": True}
    event = account.inbox.wait_for("charge.updated")
    assert event.data.object["balance_transaction"] is not None
    assert event.data.previous_attributes["balance_transaction"] is None
    assert account.control("/settle", charge=intent.latest_charge.id) == {"settled": False}
    assert account.inbox.types().count("charge.updated") == 1


@pytest.mark.parametrize(
    ("method", "advice"),
    [("pm_card_visa_chargeDeclined", None), ("pm_card_visa_chargeDeclinedStolenCard", "do_not_try_again"),
     ("pm_card_chargeDeclinedExpiredCard", "confirm_card_data"), ("pm_card_chargeDeclinedProcessingError", "try_again_later")],
)  # fmt: skip
def test_banks_advise_about_some_declines_only(account: Running, method: str, advice: str | None) -> None:
    with pytest.raises(stripe.CardError):
        paid(account, method)
    assert account.client().v1.charges.list().data[0].outcome.advice_code == advice


def test_inquiry_moves_no_money(account: Running) -> None:
    intent = paid(account)
    before = account.look("/books")["net"]
    assert account.control("/dispute", payment_intent=intent.id, inquiry=True)["status"] == "warning_needs_response"
    account.control("/dispute", payment_intent=intent.id, status="warning_closed")
    account.inbox.wait_for("charge.dispute.closed")
    assert account.look("/books")["net"] == before
    assert account.client().v1.refunds.create({"payment_intent": intent.id}).status == "succeeded"


def test_evidence_and_acceptance_of_a_dispute(account: Running) -> None:
    intent = paid(account, "pm_card_createDispute")
    client = account.client()
    dispute = client.v1.disputes.list({"payment_intent": intent.id}).data[0]
    assert client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "picked up"}}).status == "under_review"
    assert client.v1.disputes.close(dispute.id).status == "lost"
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.disputes.close(dispute.id)


def test_lists_are_newest_first_and_come_in_pages(account: Running) -> None:
    client = account.client()
    made = [client.v1.payment_intents.create({"amount": 1_000 + number, "currency": "cny"}).id for number in range(5)]
    first = client.v1.payment_intents.list({"limit": 2})
    assert ([intent.id for intent in first.data], first.has_more) == ([made[4], made[3]], True)
    second = client.v1.payment_intents.list({"limit": 10, "starting_after": made[3]})
    assert ([intent.id for intent in second.data], second.has_more) == ([made[2], made[1], made[0]], False)
    newer = client.v1.payment_intents.list({"limit": 1, "ending_before": made[2]})
    assert ([intent.id for intent in newer.data], newer.has_more) == ([made[3]], True)
    assert [intent.id for intent in client.v1.payment_intents.list({"limit": 2}).auto_paging_iter()] == made[::-1]
    assert client.v1.payment_intents.list({"created": {"gt": first.data[0].created + 100}}).data == []


def test_reconciler_can_read_movements_events_and_balance(account: Running) -> None:
    intent = paid(account)
    client = account.client()
    movements = client.v1.balance_transactions.list({"type": "charge", "expand": ["data.source"]}).data
    assert movements[0].source.payment_intent == intent.id
    assert [event.type for event in client.v1.events.list({"type": "payment_intent.*"}).data] == [
        "payment_intent.succeeded",
        "payment_intent.created",
    ]
    event = client.v1.events.list({"types": ["charge.succeeded"]}).data[0]
    assert client.v1.events.retrieve(event.id).data.object["payment_intent"] == intent.id
    assert client.v1.balance.retrieve().pending[0].amount == 4_855


def test_customer_stays_on_the_payment(account: Running) -> None:
    client = account.client()
    customer = client.v1.customers.create({"email": "resident@example.com", "metadata": {"user": "9"}})
    intent = paid(account, customer=customer.id, expand=["customer", "latest_charge"])
    assert (intent.customer.metadata["user"], intent.latest_charge.customer) == ("9", customer.id)
    assert client.v1.customers.delete(customer.id).deleted
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.customers.retrieve(customer.id)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount": 399}, "amount_too_small"),
        ({"amount": 100_000_000}, "amount_too_large"),
        ({"amount": 0}, "parameter_invalid_integer"),
        ({"currency": "xyz"}, None),
        ({"payment_method": "pm_nothing"}, "resource_missing"),
        ({"customer": "cus_nobody"}, "resource_missing"),
        ({"transfer_data": {"destination": "acct_1"}}, "simulator_unsupported"),
        ({"metadata": {"k" * 41: "x"}}, None),
        ({"metadata": {"k": "x" * 501}}, None),
    ],
)
def test_wrong_payment_is_refused_and_nothing_happened(account: Running, changes: dict[str, Any], code: str | None) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        paid(account, **changes)
    assert refusal.value.code == code
    assert account.client().v1.payment_intents.list().data == []
    assert account.client().v1.events.list().data == []
