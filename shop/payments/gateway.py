"""The card provider: a port, and Stripe behind it. Called outside transactions only.

Refusals tell apart a definite no (`ProviderRefused`) from no usable answer (`ProviderUnavailable`): after the second
nobody knows what happened until the provider is asked again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from flask import current_app

from shop.kernel.money import CURRENCY, Money
from shop.payments.errors import BadSignature, ProviderRefused, ProviderUnavailable

if TYPE_CHECKING:
    import stripe

TIMEOUT_SECONDS = 10
SIGNATURE_TOLERANCE_SECONDS = 300
HOSTED_PAGES = "https://checkout.stripe.com"


class Stage(StrEnum):
    """How far a payment is, in the provider's own eyes."""

    OPEN = "open"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The provider's object as it is now. `amount` in the smallest unit of `currency`; the fee only once it is known."""

    stage: Stage
    amount: Money
    currency: str = CURRENCY
    intent: str | None = None
    fee: Money | None = None
    failure_code: str | None = None


@dataclass(frozen=True, slots=True)
class OpenedPage:
    """A hosted page on which one payment is paid."""

    session: str
    url: str


@dataclass(frozen=True, slots=True)
class RefundSnapshot:
    """The provider's refund as it is now; `ok` is None while it is on its way."""

    provider_ref: str
    ok: bool | None
    failure_code: str = ""
    our_ref: str | None = None


@dataclass(frozen=True, slots=True)
class DisputeMovement:
    """Money that a buyer's bank took back (negative) or gave back after a dispute, and what the provider charges for it."""

    provider_ref: str
    amount: Money
    fee: Money


@dataclass(frozen=True, slots=True)
class EventFacts:
    """What we keep of an event: which object to go and look at."""

    event_id: str
    kind: str
    object_id: str


class PaymentGateway(Protocol):
    """Whoever carries card payments."""

    @property
    def page_origin(self) -> str:
        """Where hosted pages live; forms that lead there must be allowed to."""

    def create_session(self, ref: str, name: str, amount: Money, return_url: str, locale: str) -> OpenedPage:
        """A page to pay on. The same `ref` again is the same page."""

    def fetch(self, session: str) -> Snapshot:
        """How a payment stands."""

    def expire_session(self, session: str) -> None:
        """Let nobody pay on a page any more; a page that is closed already stays as it is."""

    def reference_of_intent(self, intent: str) -> str | None:
        """Our reference on a payment intent."""

    def refund(self, ref: str, intent: str, amount: Money | None) -> RefundSnapshot:
        """Give back an amount (None: all of it). The same `ref` again is the same refund."""

    def fetch_refund(self, provider_ref: str) -> RefundSnapshot:
        """How a refund stands."""

    def dispute_movements(self, intent: str) -> tuple[DisputeMovement, ...]:
        """All money that disputes about a payment have moved so far; none when a bank only asks."""

    def read_event(self, raw: bytes, signature: str) -> EventFacts:
        """Believe an event only if it is signed by one of the secrets. Raises `BadSignature`."""


class StripeGateway:
    """Stripe, through its SDK, which is loaded at first use."""

    def __init__(self, key: str, webhook_secrets: tuple[str, ...], api_base: str = "") -> None:
        self._key, self._api_base = key, api_base.rstrip("/")
        self._webhook_secrets = tuple(secret for secret in webhook_secrets if secret)

    @property
    def page_origin(self) -> str:
        parts = urlsplit(self._api_base)
        return f"{parts.scheme}://{parts.netloc}" if self._api_base else HOSTED_PAGES

    @cached_property
    def _client(self) -> stripe.StripeClient:
        import stripe

        return stripe.StripeClient(
            self._key, base_addresses={"api": self._api_base} if self._api_base else {}, max_network_retries=1,
            http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
        )

    def create_session(self, ref: str, name: str, amount: Money, return_url: str, locale: str) -> OpenedPage:
        ours: dict[str, str] = {"payment_ref": ref}
        price: Any = {"currency": CURRENCY.lower(), "unit_amount": amount.fen, "product_data": {"name": name}}
        params: Any = {
            "mode": "payment", "line_items": [{"quantity": 1, "price_data": price}], "client_reference_id": ref, "metadata": ours,
            "payment_intent_data": {"metadata": ours}, "success_url": return_url, "cancel_url": return_url, "locale": locale,
        }
        with understood():
            made = self._client.v1.checkout.sessions.create(params, {"idempotency_key": ref})
        if not made.url:
            raise ProviderRefused()
        return OpenedPage(made.id, made.url)

    def fetch(self, session: str) -> Snapshot:
        with understood():
            found = self._client.v1.checkout.sessions.retrieve(
                session, {"expand": ["payment_intent.latest_charge.balance_transaction"]}
            )
        return snapshot_of(found.to_dict())

    def expire_session(self, session: str) -> None:
        try:
            with understood():
                self._client.v1.checkout.sessions.expire(session)
        except ProviderRefused:
            return  # complete or expired already: what it is, `fetch` says

    def reference_of_intent(self, intent: str) -> str | None:
        with understood():
            found = self._client.v1.payment_intents.retrieve(intent)
        ref = found.to_dict().get("metadata", {}).get("payment_ref")
        return str(ref) if ref else None

    def refund(self, ref: str, intent: str, amount: Money | None) -> RefundSnapshot:
        params: Any = {"payment_intent": intent, "metadata": {"refund_ref": ref}}
        if amount is not None:
            params["amount"] = amount.fen
        with understood():
            made = self._client.v1.refunds.create(params, {"idempotency_key": ref})
        return refund_of(made.to_dict())

    def fetch_refund(self, provider_ref: str) -> RefundSnapshot:
        with understood():
            found = self._client.v1.refunds.retrieve(provider_ref)
        return refund_of(found.to_dict())

    def dispute_movements(self, intent: str) -> tuple[DisputeMovement, ...]:
        with understood():
            found = self._client.v1.disputes.list({"payment_intent": intent, "limit": 100})
        return tuple(
            DisputeMovement(each.id, Money(each.amount), Money(each.fee)) for dispute in found.data for each in dispute.balance_transactions
        )

    def read_event(self, raw: bytes, signature: str) -> EventFacts:
        import stripe

        for secret in self._webhook_secrets:
            try:
                stripe.WebhookSignature.verify_header(raw, signature, secret, SIGNATURE_TOLERANCE_SECONDS)
            except (stripe.SignatureVerificationError, UnicodeDecodeError):
                continue
            return event_of(raw)
        raise BadSignature()


@contextmanager
def understood() -> Iterator[None]:
    """Turn the SDK's errors into a definite no, or into "nobody knows"."""
    import stripe

    try:
        yield
    except (stripe.InvalidRequestError, stripe.CardError) as error:
        raise ProviderRefused(reason=error.code or "invalid_request") from error
    except stripe.StripeError as error:
        raise ProviderUnavailable() from error


def event_of(raw: bytes) -> EventFacts:
    """The few facts of an event. A charge is looked at through its intent, as the payment is."""
    event = json.loads(raw)
    thing = event["data"]["object"]
    object_id = thing.get("payment_intent") if thing.get("object") in {"charge", "dispute"} else thing.get("id")
    return EventFacts(str(event["id"]), str(event["type"]), str(object_id or thing.get("id", "")))


def snapshot_of(session: dict[str, Any]) -> Snapshot:
    """Read a Checkout Session with its intent, charge and balance transaction expanded."""
    intent = session.get("payment_intent") or {}
    if isinstance(intent, str):
        intent = {"id": intent}
    charge = intent.get("latest_charge") or {}
    movement = (charge.get("balance_transaction") or {}) if isinstance(charge, dict) else {}
    fee = movement.get("fee") if isinstance(movement, dict) and movement.get("currency") == CURRENCY.lower() else None
    error = intent.get("last_payment_error") or {}
    arrived = intent.get("amount_received") or session["amount_total"]
    return Snapshot(
        stage=stage_of(session, intent.get("status")), amount=Money(int(arrived)), currency=str(session["currency"]).upper(),
        intent=intent.get("id"), fee=Money(int(fee)) if fee is not None else None,
        failure_code=error.get("decline_code") or error.get("code"),
    )


def stage_of(session: dict[str, Any], intent: str | None) -> Stage:
    """One word for a session and its intent. Only `paid` is paid; only a closed page without money in flight has ended."""
    if session["payment_status"] == "paid" or intent == "succeeded":
        return Stage.SUCCEEDED
    if intent == "processing":
        return Stage.PROCESSING
    if session["status"] == "expired":
        return Stage.CANCELLED
    if session["status"] == "complete":
        return Stage.FAILED if intent in {"requires_payment_method", "canceled"} else Stage.PROCESSING
    return Stage.REQUIRES_ACTION if intent == "requires_action" else Stage.OPEN


def refund_of(refund: dict[str, Any]) -> RefundSnapshot:
    """Read a provider's refund."""
    ok = {"succeeded": True, "failed": False, "canceled": False}.get(refund["status"])
    return RefundSnapshot(refund["id"], ok, refund.get("failure_reason") or "", (refund.get("metadata") or {}).get("refund_ref"))


def gateway() -> PaymentGateway:
    """The gateway of this app, chosen by wiring; tests put their own in its place."""
    made: PaymentGateway = current_app.extensions["payments"]
    return made
