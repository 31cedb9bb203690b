"""The card provider of a test: Stripe's stand-in in a thread, reached by the real SDK.

`with card_provider(app) as stripe:` then `stripe.pay(payment_id)`, `stripe.deliver(client)`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from shop.kernel.db import reading
from shop.models.payments import Payment
from shop.payments.checkout import open_session
from shop.payments.gateway import StripeGateway
from shop.platform import outbox
from simulators.stripe.harness import KEY, SECRET, Running, running
from simulators.stripe.webhooks import signature

GOOD_CARD = "4242 4242 4242 4242"
DECLINED_CARD = "4000 0000 0000 0002"
SECURE_CARD = "4000 0025 0000 3155"
SLOW_REFUND_CARD = "4000 0000 0000 7726"
FAILING_REFUND_CARD = "4000 0000 0000 5126"


class CardProvider:
    """What a buyer and the provider do."""

    def __init__(self, account: Running) -> None:
        self.account = account

    def pay(self, payment_id: int, card: str = GOOD_CARD) -> requests.Response:
        """Open the provider's page of a payment and pay there."""
        form = {"number": card, "expiry": "12 / 34", "cvc": "123"}
        return requests.post(f"{open_session(payment_id)}/card", data=form, allow_redirects=False, timeout=10)

    def held(self) -> list[dict[str, Any]]:
        """Webhooks not delivered yet, as (raw body, headers)."""
        deliveries: list[dict[str, Any]] = self.account.look("/webhooks")["deliveries"]
        return deliveries

    def events(self) -> list[bytes]:
        """The raw bodies of all events so far, in the order they happened, each once."""
        bodies = {json.loads(delivery["body"])["id"]: delivery["body"].encode() for delivery in self.held()}
        return list(bodies.values())

    def books(self) -> dict[str, Any]:
        """What the provider says it charged and gave back, by our reference."""
        return self.account.look("/books")


def signed(body: bytes, timestamp: int, *secrets: str) -> dict[str, str]:
    """Headers of an event as the provider signs it."""
    return {"Stripe-Signature": signature(secrets or (SECRET,), body, timestamp), "Content-Type": "application/json"}


def deliver(client: FlaskClient, body: bytes, timestamp: int, *secrets: str) -> int:
    """Bring an event to the shop's door; the status it answers."""
    return client.post("/webhooks/stripe", data=body, headers=signed(body, timestamp, *secrets)).status_code


@contextmanager
def card_provider(app: Flask, **settings: Any) -> Iterator[CardProvider]:
    """The shop's gateway leads to a fresh stand-in while the block runs; its webhooks are held."""
    before = app.extensions["payments"]
    with running(**settings) as account:
        account.control(webhooks="hold")
        app.extensions["payments"] = StripeGateway(KEY, (SECRET, "whsec_old"), account.url)
        try:
            yield CardProvider(account)
        finally:
            app.extensions["payments"] = before


def led_on(client: FlaskClient, answer: TestResponse) -> str:
    """Where somebody ends up who is sent to pay: our page that waits, the worker's turn, then the provider's page."""
    if "/onward" not in answer.location:
        return answer.location
    outbox.run_due()
    return client.get(answer.location).location


def looked_at(client: FlaskClient, ref: str) -> str:
    """The page of a payment once the worker has asked what it wanted to know."""
    client.get(f"/payments/{ref}")
    outbox.run_due()
    return client.get(f"/payments/{ref}").text


def created_sessions(stripe: CardProvider) -> int:
    """How many pages there are at the provider."""
    with stripe.account.world.lock:
        return len(stripe.account.world.store.entries.get("checkout.session", {}))


def payment_of(payment_id: int) -> Payment:
    """The payment as it is now."""
    reading().rollback()
    return reading().get_one(Payment, payment_id)
