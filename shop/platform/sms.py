"""Text messages: a port, and the gateway behind it. Called from jobs only, never inside a transaction."""

from __future__ import annotations

from typing import Protocol

import requests
from flask import current_app

# Every message starts with the sender's registered signature; carriers refuse messages without one.
SIGNATURE = "【邻里】"


class SmsGateway(Protocol):
    """Whoever carries text messages."""

    def send(self, phone: str, text: str, reference: str) -> None:
        """Hand one message over; the same reference twice is one message. Raises when it was not accepted."""


class HttpSmsGateway:
    """A gateway spoken to over HTTP."""

    def __init__(self, base: str, key: str) -> None:
        self.base = base.rstrip("/")
        self.key = key

    def send(self, phone: str, text: str, reference: str) -> None:
        answer = requests.post(
            f"{self.base}/messages", json={"to": phone, "text": text, "reference": reference}, headers={"X-Sms-Key": self.key}, timeout=5
        )
        answer.raise_for_status()


def gateway() -> SmsGateway:
    """The gateway of this app, chosen by wiring; tests put their own in its place."""
    made: SmsGateway = current_app.extensions["sms"]
    return made
