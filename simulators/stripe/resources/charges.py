"""Charges: one attempt to take money, successful or not."""

from __future__ import annotations

from typing import Any

from simulators.stripe.identifiers import new_identifier
from simulators.stripe.resources import balance
from simulators.stripe.resources.cards import Decline
from simulators.stripe.resources.payment_methods import behaviour, card_details
from simulators.stripe.store import Entry, Unit

OF_METHODS_ONLY = ("display_brand", "three_d_secure_usage")
"""What the API tells about the card of a payment method and not about that of a charge."""


def create(unit: Unit, intent: Entry, method: Entry, status: str, *, captured: bool, decline: Decline | None = None) -> Entry:
    """A charge for the payment's amount. A captured, successful one still has to be booked (`book`)."""
    kind = method["type"]
    charge = {
        "id": new_identifier("ch" if kind == "card" else "py"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"] if captured else 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": "LINLI",
        "captured": captured,
        "created": unit.now,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": decline.code if decline else None,
        "failure_message": decline.message if decline else None,
        "fraud_details": {},
        "livemode": False,
        # Stripe copies the payment's metadata onto the charge when it is made.
        "metadata": dict(intent["metadata"]),
        "on_behalf_of": None,
        "outcome": outcome(status, decline),
        "paid": status == "succeeded",
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {"type": kind, kind: details(method)},
        "radar_options": {},
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": intent["shipping"],
        "source_transfer": None,
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": status,
        "transfer_data": None,
        "transfer_group": intent["transfer_group"],
        "_afterwards": behaviour(method).afterwards,
        "_session": intent.get("_session"),
    }
    return unit.save(charge)


def details(method: Entry) -> dict[str, Any]:
    """`payment_method_details` of the kind of method."""
    if method["type"] == "card":
        card = card_details(behaviour(method))
        kept = {name: value for name, value in card.items() if name not in OF_METHODS_ONLY}
        return kept | {"last4": method["card"]["last4"], "network": method["card"]["brand"]}
    if method["type"] == "alipay":
        return {"buyer_id": None, "fingerprint": None, "transaction_id": new_identifier("alipay")}
    return {"fingerprint": None, "location": None, "reader": None, "transaction_id": new_identifier("wechat")}


def outcome(status: str, decline: Decline | None) -> dict[str, Any]:
    """Why the charge came out as it did."""
    return {
        "advice_code": decline.advice_code if decline else None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "declined_by_network" if decline else "approved_by_network",
        "reason": (decline.decline_code or decline.code) if decline else None,
        "risk_level": "normal",
        "seller_message": "The bank did not return any further details with this decline." if decline else "Payment complete.",
        "type": "issuer_declined" if decline else "authorized",
    }


def book_in_time(unit: Unit, charge: Entry) -> Entry:
    """Enter a successful charge on the balance at once, or a moment later as the switch `balance_transactions` says."""
    if unit.switches.balance_transactions == "at_once":
        return book(unit, charge)
    unit.later(unit.switches.settle_ms / 1000, "book_charge", charge["id"])
    return charge


def book_later(unit: Unit, identifier: str) -> bool:
    """Enter a charge on the balance whose time has come, and say so. Returns False if that was done."""
    charge = unit.get("charge", identifier)
    if charge is None or charge["balance_transaction"] is not None:
        return False
    unit.done_with("book_charge", identifier)
    book(unit, charge)
    unit.emit("charge.updated", charge, {"balance_transaction": None})
    return True


def book(unit: Unit, charge: Entry) -> Entry:
    """Enter the captured amount of a successful charge on the balance. Returns the charge."""
    amount = charge["amount_captured"]
    on_account, _, _ = balance.settled(unit, amount, charge["currency"])
    movement = balance.record(
        unit,
        charge,
        "charge" if charge["id"].startswith("ch_") else "payment",
        amount,
        fee=balance.fee_of(on_account, unit.switches.fee_per_mille),
        category="charge",
        description=charge["description"],
    )
    charge["balance_transaction"] = movement["id"]
    return unit.save(charge)


def retrieve(unit: Unit, params: dict[str, Any], identifier: str) -> Entry:
    """`GET /v1/charges/:id`."""
    return unit.need("charge", identifier, "charge")


def update(unit: Unit, params: dict[str, Any], identifier: str) -> Entry:
    """`POST /v1/charges/:id`: description and metadata."""
    charge = unit.need("charge", identifier, "charge")
    merge_metadata(charge, params)
    if "description" in params:
        charge["description"] = params["description"]
    return unit.save(charge)


def merge_metadata(entry: Entry, params: dict[str, Any]) -> dict[str, Any] | None:
    """Apply `metadata` of an update: keys are merged, an empty value removes one, an empty `metadata` removes all.

    Returns the metadata as it was if it changed, else None.
    """
    if "metadata" not in params:
        return None
    before = dict(entry["metadata"])
    if params["metadata"] == "":
        entry["metadata"] = {}
    else:
        merged = {**before, **params["metadata"]}
        entry["metadata"] = {key: value for key, value in merged.items() if value != ""}
    return before if before != entry["metadata"] else None
