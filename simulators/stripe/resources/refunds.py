"""Refunds: whole or part, at once or decided later."""

from __future__ import annotations

from typing import Any

from simulators.stripe.errors import ApiError, invalid, no_such, not_simulated
from simulators.stripe.identifiers import new_identifier
from simulators.stripe.money import shown
from simulators.stripe.resources import balance
from simulators.stripe.resources.charges import merge_metadata
from simulators.stripe.store import Entry, Unit

IGNORED = ("currency", "customer", "instructions_email", "origin", "refund_application_fee", "reverse_transfer")


def create(unit: Unit, params: dict[str, Any]) -> Entry:
    """`POST /v1/refunds`: by `payment_intent` or `charge`; without `amount` all that is left."""
    for name in IGNORED:
        if params.get(name):
            raise not_simulated(name)
    charge = _charge_of(unit, params)
    if charge["disputed"] and _lost_to_bank(unit, charge):
        raise invalid(f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed", charge=charge["id"])
    left = charge["amount_captured"] - _given_back(unit, charge)
    if left == 0:
        raise invalid(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded", charge=charge["id"])
    amount = params.get("amount", left)
    if amount < 1:
        raise invalid("This value must be greater than or equal to 1.", param="amount", code="parameter_invalid_integer")
    if amount > left:
        over = f"Refund amount ({shown(amount, charge['currency'])}) is greater than "
        whole = left == charge["amount_captured"]
        raise invalid(
            f"{over}{'charge amount' if whole else 'unrefunded amount on charge'} ({shown(left, charge['currency'])})",
            param="amount",
        )
    return _refund(unit, charge, amount, params)


def _charge_of(unit: Unit, params: dict[str, Any]) -> Entry:
    if params.get("charge"):
        charge = unit.get("charge", params["charge"])
        if charge is None:
            raise no_such("charge", params["charge"], "charge")
        return _refundable(charge, f"charge ({charge['id']})")
    if not params.get("payment_intent"):
        raise invalid("One of the following params should be provided for this request: payment_intent or charge.")
    intent = unit.get("payment_intent", params["payment_intent"])
    if intent is None:
        raise no_such("payment_intent", params["payment_intent"], "payment_intent")
    charge = unit.get("charge", intent["latest_charge"])
    if charge is None or intent["status"] != "succeeded":
        raise _nothing_to_refund(f"This PaymentIntent ({intent['id']})")
    return _refundable(charge, f"PaymentIntent ({intent['id']})")


def _refundable(charge: Entry, name: str) -> Entry:
    if charge["status"] != "succeeded" or not charge["captured"]:
        raise _nothing_to_refund(f"This {name}")
    return charge


def _nothing_to_refund(name: str) -> ApiError:
    return invalid(f"{name} does not have a successful charge to refund.")


def _lost_to_bank(unit: Unit, charge: Entry) -> bool:
    found = unit.find("dispute", lambda dispute: dispute["charge"] == charge["id"])
    return any(not dispute["status"].startswith("warning") and dispute["status"] != "won" for dispute in found)


def _given_back(unit: Unit, charge: Entry) -> int:
    found = unit.newest_first("refund")
    return sum(refund["amount"] for refund in found if refund["charge"] == charge["id"] and counts(refund))


def counts(refund: Entry) -> bool:
    """Whether a refund takes up part of its charge (a failed one no longer does)."""
    return refund["status"] in ("pending", "succeeded", "requires_action")


def _refund(unit: Unit, charge: Entry, amount: int, params: dict[str, Any]) -> Entry:
    lacks_balance = unit.switches.refunds == "no_balance"
    slow = lacks_balance or unit.switches.refunds == "async" or charge["_afterwards"] in ("refund_pending", "refund_fails")
    by_card = charge["id"].startswith("ch_")
    refund = {
        "id": new_identifier("re" if by_card else "pyr"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": unit.now,
        "currency": charge["currency"],
        "destination_details": {"type": charge["payment_method_details"]["type"]},
        "failure_balance_transaction": None,
        "failure_reason": None,
        "metadata": params.get("metadata") or {},
        "payment_intent": charge["payment_intent"],
        "pending_reason": "insufficient_funds" if lacks_balance else "processing" if slow else None,
        "reason": params.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "pending" if slow else "succeeded",
        "transfer_reversal": None,
        "_session": charge.get("_session"),
        "_fails": charge["_afterwards"] == "refund_fails",
    }
    movement = balance.record(
        unit, refund, "refund" if by_card else "payment_refund", -amount, category="refund", description="REFUND FOR CHARGE"
    )
    refund["balance_transaction"] = movement["id"]
    unit.save(refund)
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] >= charge["amount"]
    unit.save(charge)
    unit.emit("refund.created", refund)
    unit.emit("charge.refunded", charge)
    if slow and not lacks_balance:
        unit.later(unit.switches.settle_ms / 1000, "settle_refund", refund["id"])
    return refund


def settle(unit: Unit, refund_id: str, result: str, reason: str = "lost_or_stolen_card") -> bool:
    """Decide a pending refund. A failed one puts the money back on the balance. Returns False if it was decided.

    A bank may send back what it had taken: one that succeeded can still fail.
    """
    refund = unit.get("refund", refund_id)
    before = refund["status"] if refund is not None else ""
    if refund is None or before not in (("pending", "succeeded") if result == "failed" else ("pending",)):
        return False
    unit.done_with("settle_refund", refund_id)
    failed = result == "failed" or refund["_fails"]
    refund["status"] = "failed" if failed else "succeeded"
    refund["pending_reason"] = None
    if failed:
        refund["failure_reason"] = reason
        movement = balance.record(unit, refund, "refund_failure", refund["amount"], category="refund_failure")
        refund["failure_balance_transaction"] = movement["id"]
        charge = unit.need("charge", refund["charge"], "charge")
        charge["amount_refunded"] -= refund["amount"]
        charge["refunded"] = False
        unit.save(charge)
    unit.save(refund)
    unit.emit("refund.updated", refund, {"status": before})
    unit.emit("charge.refund.updated", refund, {"status": before})
    if failed:
        unit.emit("refund.failed", refund)
    return True


def retrieve(unit: Unit, params: dict[str, Any], identifier: str) -> Entry:
    """`GET /v1/refunds/:id`."""
    return unit.need("refund", identifier, "refund")


def update(unit: Unit, params: dict[str, Any], identifier: str) -> Entry:
    """`POST /v1/refunds/:id`: metadata only."""
    refund = unit.need("refund", identifier, "refund")
    before = merge_metadata(refund, params)
    unit.save(refund)
    if before is not None:
        unit.emit("refund.updated", refund, {"metadata": before})
    return refund


def cancel(unit: Unit, params: dict[str, Any], identifier: str) -> Entry:
    """`POST /v1/refunds/:id/cancel`: only a refund that waits for the customer could be, and none here does."""
    refund = unit.need("refund", identifier, "refund")
    raise invalid(f"You cannot cancel this refund because it has a status of {refund['status']}.", code="refund_not_cancelable")
