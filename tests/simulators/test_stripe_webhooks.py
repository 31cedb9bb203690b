"""Webhooks: signatures, retries and everything that can go wrong with them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import stripe

from simulators.stripe.harness import SECRET, Running, eventually, running

INTENT: dict[str, Any] = {"amount": 5_000, "currency": "cny"}
PAID = {
    **INTENT,
    "payment_method": "pm_card_visa",
    "confirm": True,
    "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
}
TYPES = ["payment_intent.created", "payment_intent.succeeded", "charge.succeeded"]


@pytest.fixture
def account() -> Iterator[Running]:
    with running() as simulator:
        yield simulator


def test_signature_is_refused_for_another_body_or_secret(account: Running) -> None:
    account.client().v1.payment_intents.create(INTENT)
    account.inbox.wait_for("payment_intent.created")
    body, signature = account.inbox.received[0]
    for wrong_body, secret in ((body + b" ", SECRET), (body, "whsec_other")):
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(wrong_body, signature, secret)


def test_two_secrets_while_one_is_replaced_both_verify() -> None:
    with running(webhook_secrets=("whsec_old", "whsec_new")) as account:
        account.client().v1.payment_intents.create(INTENT)
        eventually(lambda: account.inbox.received)
        for secret in ("whsec_old", "whsec_new"):
            assert account.inbox.events(secret)[0].type == "payment_intent.created"


def test_event_names_the_call_that_caused_it(account: Running) -> None:
    account.client().v1.payment_intents.create(INTENT, {"idempotency_key": "k"})
    event = account.inbox.wait_for("payment_intent.created")
    assert event.request.idempotency_key == "k"
    assert event.request.id == account.look("/log")["requests"][0]["request_id"]
    assert eventually(lambda: account.client().v1.events.retrieve(event.id).pending_webhooks == 0)


def test_webhook_is_sent_again_until_it_is_taken(account: Running) -> None:
    account.inbox.statuses = [500, 503]
    account.client().v1.payment_intents.create(INTENT)
    eventually(lambda: len(account.inbox.received) == 3)
    assert len({event.id for event in account.inbox.events()}) == 1
    assert eventually(lambda: account.look("/webhooks", state="delivered")["deliveries"])[0]["attempts"] == 3


def test_webhook_that_is_never_taken_is_given_up() -> None:
    with running(retry_schedule=(0.01, 0.01)) as account:
        account.inbox.statuses = [500] * 10
        account.client().v1.payment_intents.create(INTENT)
        failed = eventually(lambda: account.look("/webhooks", state="failed")["deliveries"])
        assert failed[0]["attempts"] == 3
        account.inbox.statuses = []
        assert account.control("/flush")["sent"][0]["status"] == 200


def has_tried(account: Running, times: int) -> bool:
    """So often, and has written down when it will try again: by the clock that it has then."""
    return any(delivery["attempts"] == times for delivery in account.look("/webhooks")["deliveries"])


def test_webhook_that_is_not_taken_comes_again_for_three_days(account: Running) -> None:
    days = 3 * 24 * 3_600
    assert 0.9 * days < sum(account.world.settings.retry_schedule) <= days
    account.inbox.statuses = [500] * 6
    account.client().v1.payment_intents.create(INTENT)
    eventually(lambda: has_tried(account, 3))
    for tries, hours in enumerate((1, 5, 13, 33), start=4):  # the account's clock brings them on
        account.control(clock_offset=hours * 3_600)
        eventually(lambda tries=tries: has_tried(account, tries))
    assert eventually(lambda: account.look("/webhooks", state="delivered")["deliveries"])[0]["attempts"] == 7


def test_held_webhooks_are_released_in_the_order_asked_for(account: Running) -> None:
    account.control(webhooks="hold")
    account.client().v1.payment_intents.create(PAID)
    time.sleep(0.2)
    assert account.inbox.received == []
    sent = account.control("/flush", order=["charge.succeeded", "payment_intent.created"], duplicate=1)["sent"]
    assert [entry["type"] for entry in sent] == [
        "charge.succeeded",
        "charge.succeeded",
        "payment_intent.created",
        "payment_intent.created",
    ]
    assert account.inbox.types() == [entry["type"] for entry in sent]
    assert len({event.id for event in account.inbox.events()}) == 2
    account.control("/flush", order="reverse")
    assert account.inbox.types()[-1] == "payment_intent.succeeded"
    assert account.control("/flush")["sent"] == []


def test_copies_can_arrive_at_once(account: Running) -> None:
    account.control(webhooks="hold")
    account.client().v1.payment_intents.create(INTENT)
    sent = account.control("/flush", duplicate=19, at_once=True)["sent"]
    assert len(sent) == 20
    assert len(account.inbox.received) == 20
    assert len({event.id for event in account.inbox.events()}) == 1


def test_every_webhook_can_be_doubled(account: Running) -> None:
    account.control(duplicate=2)
    account.client().v1.payment_intents.create(INTENT)
    eventually(lambda: len(account.inbox.received) == 3)
    time.sleep(0.1)
    assert len(account.inbox.received) == 3


def test_dropped_webhooks_never_come_but_the_event_can_be_listed(account: Running) -> None:
    account.control(webhooks="off")
    account.client().v1.payment_intents.create(INTENT)
    account.control(webhooks="on")
    time.sleep(0.3)
    assert account.inbox.received == []
    assert account.client().v1.events.list().data[0].type == "payment_intent.created"
    assert account.control("/flush", include=["lost"])["sent"][0]["status"] == 200


def test_losses_repeat_with_the_same_seed(account: Running) -> None:
    def lost_positions() -> list[int]:
        account.control("/reset")
        account.control(loss_rate=0.5, seed=11)
        for _ in range(12):
            account.client().v1.payment_intents.create(INTENT)
        states = [entry["state"] for entry in account.look("/webhooks")["deliveries"]]
        return [position for position, state in enumerate(states) if state == "lost"]

    first = lost_positions()
    assert 0 < len(first) < 12
    assert lost_positions() == first


def test_reordered_webhooks_all_arrive(account: Running) -> None:
    account.control(reorder=True, seed=3)
    for _ in range(5):
        account.client().v1.payment_intents.create(PAID)
    eventually(lambda: len(account.inbox.received) == 15)
    assert account.inbox.types() != TYPES * 5


def test_webhooks_can_be_late(account: Running) -> None:
    account.control(delay_ms=300)
    account.client().v1.payment_intents.create(INTENT)
    time.sleep(0.1)
    assert account.inbox.received == []
    account.inbox.wait_for("payment_intent.created")


def test_state_is_readable_when_the_webhook_arrives() -> None:
    seen: list[str] = []
    ready = threading.Event()

    def receive(url: str, body: bytes, headers: dict[str, str]) -> int:
        ready.wait(5)
        event = stripe.Webhook.construct_event(body, headers["Stripe-Signature"], SECRET)
        if event.type == "payment_intent.succeeded":
            seen.append(holder[0].client().v1.payment_intents.retrieve(event.data.object["id"]).status)
        return 200

    holder: list[Running] = []
    with running(sender=receive) as account:
        holder.append(account)
        ready.set()
        account.client().v1.payment_intents.create(PAID)
        assert eventually(lambda: seen) == ["succeeded"]


def test_raw_deliveries_can_be_taken_and_posted_by_a_test(account: Running) -> None:
    account.control(webhooks="hold")
    account.client().v1.payment_intents.create(INTENT)
    delivery = account.look("/webhooks", state="held")["deliveries"][0]
    event = stripe.Webhook.construct_event(delivery["body"], delivery["headers"]["Stripe-Signature"], SECRET)
    assert event.type == "payment_intent.created"
