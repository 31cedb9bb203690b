"""Payment methods: the test cards by name, Alipay and WeChat Pay."""

from __future__ import annotations

from typing import Any

from simulators.stripe.errors import invalid, no_such
from simulators.stripe.identifiers import new_identifier
from simulators.stripe.resources.cards import METHODS, NUMBERS, SUCCESS, TestCard
from simulators.stripe.store import Entry, Unit

# What the simulated account has switched on in its dashboard.
ACCOUNT_TYPES = ("card", "alipay", "wechat_pay")
WALLETS = ("alipay", "wechat_pay")
# The charges of other methods than cards start with py_, their refunds with pyr_.


def create_call(unit: Unit, params: dict[str, Any]) -> Entry:
    """`POST /v1/payment_methods`: wallets only; card numbers must never reach a server of ours."""
    kind = params.get("type")
    if kind is None:
        raise invalid("Missing required param: type.", param="type", code="parameter_missing")
    if kind == "card":
        raise invalid(
            "Sending credit card numbers directly to the Stripe API is generally unsafe. Use a test payment method such as `pm_card_visa`.",
            param="card",
        )
    return create_wallet(unit, kind, "type", params)


def create_wallet(unit: Unit, kind: str, param: str, details: dict[str, Any] | None = None) -> Entry:
    """A fresh, single-use Alipay or WeChat Pay method."""
    if kind not in WALLETS:
        raise invalid(f"The payment method type provided: {kind} is invalid for this account.", param=param)
    return unit.save(_method(unit, kind, {kind: {}}, details or {}))


def create_card(unit: Unit, card: TestCard) -> Entry:
    """A fresh method for a card typed on the hosted page. Keeps the last four digits only."""
    method = _method(unit, "card", {"card": card_details(card)}, {})
    method["_card"] = card.number if card.number in NUMBERS else SUCCESS.number
    return unit.save(method)


def resolve(unit: Unit, identifier: str) -> Entry:
    """The method a request names: one that exists, or a fresh copy of a test method such as `pm_card_visa`."""
    card = METHODS.get(identifier)
    if card is not None:
        return create_card(unit, card)
    found = unit.get("payment_method", identifier)
    if found is None:
        raise no_such("PaymentMethod", identifier, "payment_method", status=400)
    return found


def behaviour(method: Entry) -> TestCard:
    """How the card of a method behaves; wallets behave like a good card once paid."""
    return NUMBERS.get(method.get("_card", ""), SUCCESS)


def retrieve(unit: Unit, params: dict[str, Any], identifier: str) -> Entry:
    """`GET /v1/payment_methods/:id`."""
    return unit.need("payment_method", identifier, "payment_method")


def card_details(card: TestCard) -> dict[str, Any]:
    """What the API tells about a card."""
    return {
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "US",
        "display_brand": card.brand,
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": "sim" + card.last4,
        "funding": "credit",
        "last4": card.last4,
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def _method(unit: Unit, kind: str, specific: dict[str, Any], given: dict[str, Any]) -> Entry:
    billing = {"address": None, "email": None, "name": None, "phone": None, "tax_id": None}
    billing.update(given.get("billing_details") or {})
    return {
        "id": new_identifier("pm"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": billing,
        "created": unit.now,
        "customer": None,
        "livemode": False,
        "metadata": given.get("metadata") or {},
        "type": kind,
        **specific,
    }
