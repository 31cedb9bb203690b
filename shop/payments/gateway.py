"""The card provider: a port, and Stripe behind it. Called outside transactions only.

Refusals tell apart a definite no (`ProviderRefused`) from no usable answer (`ProviderUnavailable`): after the second
nobody knows what happened until the provider is asked again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from flask import current_app, has_request_context

from shop.kernel import clock
from shop.kernel.money import CURRENCY, Money
from shop.kernel.text import MalformedBody, TextTooLong, UnreadableText, clean, strict_json
from shop.payments.errors import BadSignature, ProviderRefused, ProviderUnavailable
from shop.payments.foreign import Dispute, Movement, amount_of
from shop.payments.snapshots import Arrival, EventFacts, OpenedPage, RefundSnapshot, Snapshot, Stage
from shop.platform import deadlines, partners

if TYPE_CHECKING:
    import stripe

PARTNER = "stripe"
TRY_SECONDS = 10
CALL_SECONDS = 12
"""Longest time for one call, the second try after a broken line included."""
SIGNATURE_TOLERANCE_SECONDS = 300
"""How far the time of a signature may be from ours, before it or after."""
LONGEST_FACT = 255
HOSTED_PAGES = "https://checkout.stripe.com"
OTHER_PARAMETERS = "idempotency_error"
"""The provider's no to a key it has seen with other parameters."""


class PaymentGateway(Protocol):
    """Whoever carries card payments."""

    @property
    def page_origin(self) -> str:
        """Where hosted pages live; forms that lead there must be allowed to."""

    def create_session(self, ref: str, name: str, amount: Money, return_url: str, locale: str) -> OpenedPage:
        """A page to pay on. The same `ref` again, with all the same beside it, is the same page."""

    def fetch(self, session: str) -> Snapshot:
        """How a payment stands."""

    def expire_session(self, session: str) -> None:
        """Let nobody pay on a page any more; a page that is closed already stays as it is."""

    def reference_of_intent(self, intent: str) -> str | None:
        """Our reference on a payment intent."""

    def refund(self, ref: str, intent: str, amount: Money | None) -> RefundSnapshot:
        """Give back an amount (None: all of it). The same `ref` again within a day is the same refund."""

    def find_refund(self, ref: str, intent: str) -> RefundSnapshot | None:
        """The refund of a payment that was made under our `ref`, however long ago."""

    def refunds_of(self, intent: str) -> tuple[RefundSnapshot, ...]:
        """All refunds of a payment, whoever made them, the oldest first."""

    def refunds_since(self, moment: datetime) -> tuple[RefundSnapshot, ...]:
        """All refunds that were made since a moment, of whatever payment."""

    def arrivals_since(self, moment: datetime) -> tuple[Arrival, ...]:
        """All money that came by payments begun since a moment, the oldest first."""

    def session_of_intent(self, intent: str) -> str | None:
        """The page on which money came."""

    def fetch_refund(self, provider_ref: str) -> RefundSnapshot:
        """How a refund stands."""

    def disputes(self, intent: str) -> tuple[Dispute, ...]:
        """All disputes about a payment, with what they have moved so far."""

    def disputes_since(self, moment: datetime) -> tuple[Dispute, ...]:
        """All disputes that were opened after a moment, whatever became of them."""

    def read_event(self, raw: bytes, signature: str) -> EventFacts:
        """Believe an event only if it is signed by one of the secrets. Raises `BadSignature`, and `MalformedBody` when it is none."""


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
            http_client=stripe.RequestsClient(timeout=TRY_SECONDS, session=deadlines.session()),
        )

    def create_session(self, ref: str, name: str, amount: Money, return_url: str, locale: str) -> OpenedPage:
        ours: dict[str, str] = {"payment_ref": ref}
        price: Any = {"currency": CURRENCY.lower(), "unit_amount": amount.fen, "product_data": {"name": name}}
        params: Any = {
            "mode": "payment", "line_items": [{"quantity": 1, "price_data": price}], "client_reference_id": ref, "metadata": ours,
            "payment_intent_data": {"metadata": ours}, "success_url": return_url, "cancel_url": return_url, "locale": locale,
        }
        try:
            return self._created(params, ref)
        except ProviderRefused as refusal:
            if refusal.details.get("reason") != OTHER_PARAMETERS:
                raise
        return self._created(params, f"{ref}-again")  # what that key once opened, nobody was told of: it was never kept

    def _created(self, params: Any, key: str) -> OpenedPage:
        with called():
            made = self._client.v1.checkout.sessions.create(params, {"idempotency_key": key})
        if not made.url:
            raise ProviderRefused()
        return OpenedPage(made.id, made.url)

    def fetch(self, session: str) -> Snapshot:
        with called():
            found = self._client.v1.checkout.sessions.retrieve(
                session, {"expand": ["payment_intent.latest_charge.balance_transaction"]}
            )
        return snapshot_of(found.to_dict())

    def expire_session(self, session: str) -> None:
        try:
            with called():
                self._client.v1.checkout.sessions.expire(session)
        except ProviderRefused:
            return  # complete or expired already: what it is, `fetch` says

    def reference_of_intent(self, intent: str) -> str | None:
        with called():
            found = self._client.v1.payment_intents.retrieve(intent)
        ref = found.to_dict().get("metadata", {}).get("payment_ref")
        return str(ref) if ref else None

    def refund(self, ref: str, intent: str, amount: Money | None) -> RefundSnapshot:
        params: Any = {"payment_intent": intent, "metadata": {"refund_ref": ref}}
        if amount is not None:
            params["amount"] = amount.fen
        with called():
            made = self._client.v1.refunds.create(params, {"idempotency_key": ref})
        return refund_of(made.to_dict())

    def find_refund(self, ref: str, intent: str) -> RefundSnapshot | None:
        return next((refund for refund in self.refunds_of(intent) if refund.our_ref == ref), None)

    def refunds_of(self, intent: str) -> tuple[RefundSnapshot, ...]:
        return self._refunds({"payment_intent": intent})

    def refunds_since(self, moment: datetime) -> tuple[RefundSnapshot, ...]:
        return self._refunds({"created": {"gte": int(moment.timestamp())}})

    def _refunds(self, wanted: dict[str, Any]) -> tuple[RefundSnapshot, ...]:
        params: Any = {**wanted, "limit": 100}
        with called():
            page = self._client.v1.refunds.list(params)
        found: list[Any] = list(page.data)
        while page.has_more and found:
            with called():
                params["starting_after"] = found[-1].id
                page = self._client.v1.refunds.list(params)
            found += page.data
        return tuple(refund_of(refund.to_dict()) for refund in reversed(found))

    def arrivals_since(self, moment: datetime) -> tuple[Arrival, ...]:
        params: Any = {"created": {"gte": int(moment.timestamp())}, "limit": 100}
        with called():
            found = list(self._client.v1.payment_intents.list(params).auto_paging_iter())
        paid = (intent.to_dict() for intent in reversed(found) if intent.status == "succeeded")
        return tuple(arrival_of(intent) for intent in paid)

    def session_of_intent(self, intent: str) -> str | None:
        with called():
            found = self._client.v1.checkout.sessions.list({"payment_intent": intent, "limit": 1})
        return found.data[0].id if found.data else None

    def fetch_refund(self, provider_ref: str) -> RefundSnapshot:
        with called():
            found = self._client.v1.refunds.retrieve(provider_ref)
        return refund_of(found.to_dict())

    def disputes(self, intent: str) -> tuple[Dispute, ...]:
        return self._disputes({"payment_intent": intent})

    def disputes_since(self, moment: datetime) -> tuple[Dispute, ...]:
        return self._disputes({"created": {"gte": int(moment.timestamp())}})

    def _disputes(self, wanted: Any) -> tuple[Dispute, ...]:
        params: Any = {**wanted, "limit": 100}
        with called():
            found = list(self._client.v1.disputes.list(params).auto_paging_iter())
        return tuple(dispute_of(dispute.to_dict()) for dispute in found)

    def read_event(self, raw: bytes, signature: str) -> EventFacts:
        import stripe

        for secret in self._webhook_secrets:
            try:
                stripe.WebhookSignature.verify_header(raw, signature, secret, SIGNATURE_TOLERANCE_SECONDS)
            except (stripe.SignatureVerificationError, UnicodeDecodeError):
                continue
            if signed_at(signature) > (clock.now() - clock.shift()).timestamp() + SIGNATURE_TOLERANCE_SECONDS:
                break
            return event_of(raw)
        raise BadSignature()


@contextmanager
def called() -> Iterator[None]:
    """Every call of the provider goes through here: from jobs only, with an end, and not at all while it answers nobody.

    Raises `ProviderRefused` for its no, `ProviderUnavailable` when nobody knows.
    """
    if has_request_context():
        raise RuntimeError("somebody waits for this answer: call the card provider from a job")
    try:
        with partners.asking(PARTNER, CALL_SECONDS, counts=ProviderUnavailable), understood():
            yield
    except partners.NotAnswering as silence:
        raise ProviderUnavailable() from silence


@contextmanager
def understood() -> Iterator[None]:
    """Turn the SDK's errors into a definite no, or into "nobody knows"."""
    import stripe

    try:
        yield
    except (stripe.InvalidRequestError, stripe.CardError) as error:
        raise ProviderRefused(reason=error.code or "invalid_request") from error
    except stripe.IdempotencyError as error:
        raise ProviderRefused(reason=OTHER_PARAMETERS) from error
    except (stripe.StripeError, TimeoutError) as error:
        raise ProviderUnavailable() from error


def signed_at(signature: str) -> int:
    """The time a signature speaks for, in seconds of the wall clock. Of one the SDK has found right, which looks at old times only."""
    return next(int(part[2:]) for part in signature.split(",") if part.startswith("t="))


def event_of(raw: bytes) -> EventFacts:
    """The few facts of an event. A charge is looked at through its intent, as the payment is. Raises `MalformedBody`."""
    try:
        event = strict_json(raw)
        thing = event["data"]["object"]
        object_id = (thing.get("payment_intent") if thing.get("object") in ("charge", "dispute") else None) or thing.get("id", "")
        return EventFacts(*(clean(fact, LONGEST_FACT) for fact in (event["id"], event["type"], object_id)))
    except (KeyError, TypeError, AttributeError, UnreadableText, TextTooLong):
        raise MalformedBody() from None


def snapshot_of(session: dict[str, Any]) -> Snapshot:
    """Read a Checkout Session with its intent, charge and balance transaction expanded."""
    intent = session.get("payment_intent") or {}
    if isinstance(intent, str):
        intent = {"id": intent}
    charge = intent.get("latest_charge") or {}
    settled = movement_of(charge.get("balance_transaction"), charge) if isinstance(charge, dict) else None
    error = intent.get("last_payment_error") or {}
    paid = (intent["amount_received"], intent["currency"]) if intent.get("amount_received") else None
    return Snapshot(
        stage=stage_of(session, intent.get("status")), amount=amount_of(*(paid or (session["amount_total"], session["currency"]))),
        intent=intent.get("id"), fee=settled.booked_fee if settled else None,
        failure_code=error.get("decline_code") or error.get("code"), settled=settled,
    )


def movement_of(transaction: Any, source: dict[str, Any]) -> Movement | None:
    """Read a balance transaction of a charge or dispute; None while there is none, or it is not expanded."""
    if not isinstance(transaction, dict):
        return None
    rate, currency = transaction.get("exchange_rate"), transaction["currency"]
    moved = source["amount_captured"] if source["object"] == "charge" else source["amount"]
    return Movement(
        transaction["id"], amount_of(transaction["amount"], currency), amount_of(transaction["fee"], currency),
        amount_of(moved, source["currency"]), None if rate is None else str(rate),
    )


def dispute_of(dispute: dict[str, Any]) -> Dispute:
    """Read a dispute with its balance transactions, which the provider always tells whole."""
    intent = dispute.get("payment_intent")
    movements = (movement_of(transaction, dispute) for transaction in dispute.get("balance_transactions") or ())
    intent_id = intent["id"] if isinstance(intent, dict) else intent
    return Dispute(dispute["id"], intent_id, tuple(movement for movement in movements if movement))


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


def arrival_of(intent: dict[str, Any]) -> Arrival:
    """Read a payment intent that was paid."""
    ref = intent.get("metadata", {}).get("payment_ref")
    return Arrival(intent["id"], ref, amount_of(intent["amount_received"], intent["currency"]))


def refund_of(refund: dict[str, Any]) -> RefundSnapshot:
    """Read a provider's refund."""
    ok = {"succeeded": True, "failed": False, "canceled": False}.get(refund["status"])
    kept, intent = refund.get("metadata") or {}, refund.get("payment_intent")
    return RefundSnapshot(
        refund["id"], ok, refund.get("failure_reason") or "", kept.get("refund_ref"), Money(int(refund["amount"])),
        str(refund["currency"]).upper(), intent.get("id") if isinstance(intent, dict) else intent, kept.get("order"),
    )


def gateway() -> PaymentGateway:
    """The gateway of this app, chosen by wiring; tests put their own in its place."""
    made: PaymentGateway = current_app.extensions["payments"]
    return made
