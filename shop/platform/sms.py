"""Text messages: a port, and the gateway behind it. Called from jobs only, never inside a transaction."""

from __future__ import annotations

from typing import Protocol

import requests
from flask import current_app

from shop.platform import deadlines, partners

PARTNER = "sms"
SECONDS = 5.0

# Every message starts with the sender's registered signature; carriers refuse messages without one.
SIGNATURE = "【邻里】"


class SmsUnavailable(Exception):
    """The carrier does not answer, or has trouble of its own. The message may be handed over again: its reference makes it one."""


class SmsRefused(Exception):
    """The carrier answered, and does not take this message."""


class SmsGateway(Protocol):
    """Whoever carries text messages."""

    def send(self, phone: str, text: str, reference: str) -> None:
        """Hand one message over; the same reference twice is one message. Raises `SmsUnavailable`, `SmsRefused`."""


class HttpSmsGateway:
    """A gateway spoken to over HTTP."""

    def __init__(self, base: str, key: str) -> None:
        self.base = base.rstrip("/")
        self.key = key

    def send(self, phone: str, text: str, reference: str) -> None:
        message = {"to": phone, "text": text, "reference": reference}
        try:
            with partners.asking(PARTNER, SECONDS, counts=requests.RequestException) as asked, deadlines.session() as session:
                answer = session.post(f"{self.base}/messages", json=message, headers={"X-Sms-Key": self.key}, timeout=SECONDS)
                if answer.status_code >= 500:
                    asked.failed(str(answer.status_code))
        except (requests.RequestException, partners.NotAnswering) as error:
            raise SmsUnavailable(f"partner {PARTNER} does not answer ({type(error).__name__})") from error
        if answer.status_code >= 500 or answer.status_code == 429:
            raise SmsUnavailable(f"partner {PARTNER} answers {answer.status_code}")
        if answer.status_code >= 300:
            raise SmsRefused(f"partner {PARTNER} answers {answer.status_code}")


def gateway() -> SmsGateway:
    """The gateway of this app, chosen by wiring; tests put their own in its place."""
    made: SmsGateway = current_app.extensions["sms"]
    return made
