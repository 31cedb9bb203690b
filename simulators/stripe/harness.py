"""The simulator in a thread, with a shop-side inbox for its webhooks: for tests of this program and of the shop."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests
import stripe
from flask import Flask, Response, request

from simulators.serving import served
from simulators.stripe.app import close, create_app, world_of
from simulators.stripe.settings import Settings
from simulators.stripe.world import World

KEY = "sk_test_simulated"
SECRET = "whsec_simulated"


@dataclass
class Inbox:
    """Receives webhooks like a shop: keeps raw body and signature, answers with `statuses` in turn, then 200."""

    received: list[tuple[bytes, str]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    def app(self) -> Flask:
        """The receiving application."""
        app = Flask("inbox")

        @app.post("/webhooks/stripe")
        def receive() -> Response:
            self.received.append((request.get_data(), request.headers.get("Stripe-Signature", "")))
            return Response(status=self.statuses.pop(0) if self.statuses else 200)

        return app

    def events(self, secret: str = SECRET) -> list[stripe.Event]:
        """What came in, each checked by the SDK against its signature."""
        return [stripe.Webhook.construct_event(body, signature, secret) for body, signature in list(self.received)]

    def types(self) -> list[str]:
        """The types of what came in, in order."""
        return [event.type for event in self.events()]

    def wait_for(self, event_type: str, timeout: float = 5) -> stripe.Event:
        """The first event of that type, waiting for it. Raises AssertionError if it does not come."""
        found = eventually(lambda: [event for event in self.events() if event.type == event_type], timeout)
        event: stripe.Event = found[0]
        return event


@dataclass
class Running:
    """A simulator that is up."""

    url: str
    app: Flask
    inbox: Inbox

    @property
    def world(self) -> World:
        """Its insides."""
        return world_of(self.app)

    def client(self, key: str = KEY, **options: Any) -> stripe.StripeClient:
        """The real SDK pointed at it; no retries unless asked for."""
        return stripe.StripeClient(key, base_addresses={"api": self.url}, **{"max_network_retries": 0, **options})

    def control(self, path: str = "", **changes: Any) -> dict[str, Any]:
        """`POST /_control<path>`; raises AssertionError if it is refused."""
        answer = requests.post(f"{self.url}/_control{path}", json=changes, timeout=30)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def look(self, path: str, **query: str) -> dict[str, Any]:
        """`GET /_control<path>`."""
        answer = requests.get(f"{self.url}/_control{path}", params=query, timeout=30)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body


@contextmanager
def running(**settings: Any) -> Iterator[Running]:
    """A fresh simulator that posts its webhooks to an inbox."""
    inbox = Inbox()
    with served(inbox.app()) as shop:
        given = {"webhook_url": f"{shop}/webhooks/stripe", "webhook_secrets": (SECRET,), **settings}
        app = create_app(Settings(**given))
        try:
            with served(app) as url:
                yield Running(url, app, inbox)
        finally:
            close(app)


def eventually(check: Callable[[], Any], timeout: float = 5) -> Any:
    """The first true result of `check`. Raises AssertionError if there is none in time."""
    deadline = time.monotonic() + timeout
    while True:
        result = check()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError("did not happen in time")
        time.sleep(0.01)
