"""Disputes: opened by a switch or a test card, closed by the API (accepting it) or a switch (won, lost)."""

from __future__ import annotations

from typing import Any

import stripe

from simulators.stripe.errors import invalid
from simulators.stripe.identifiers import new_identifier
from simulators.stripe.resources import balance
from simulators.stripe.resources.charges import merge_metadata
from simulators.stripe.store import Entry, Unit

EVIDENCE_DAYS = 7
EVIDENCE = tuple(name for name in stripe.Dispute.Evidence.__annotations__ if name not in ("enhanced_evidence", "appeal"))
NETWORK_REASON = "10.4"
CLOSED = ("won", "lost", "warning_closed")


def open_dispute(
    unit: Unit,
    charge: Entry,
    *,
    inquiry: bool = False,
    reason: str = "fraudulent",
    amount: int | None = None,
) -> Entry:
    """The customer's bank takes the money back (a dispute) or only asks (an inquiry, no money moves)."""
    left = charge["amount"] - charge["amount_refunded"]
    disputed = left if amount is None else amount
    dispute: Entry = {
        "id": new_identifier("du"),
        "object": "dispute",
        "amount": disputed,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": unit.now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": dict.fromkeys(EVIDENCE) | {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": unit.now + EVIDENCE_DAYS * 24 * 3600,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "intended_submission_method": None,
        "is_charge_refundable": inquiry,
        "livemode": False,
        "metadata": {},
        "network_reason_code": None,
        "payment_intent": charge["payment_intent"],
        "payment_method_details": _method(charge, "inquiry" if inquiry else "chargeback"),
        "reason": reason,
        "status": "warning_needs_response" if inquiry else "needs_response",
        "_session": charge.get("_session"),
    }
    if not inquiry:
        movement = balance.record(unit, dispute, "adjustment", -disputed, fee=unit.switches.dispute_fee, category="dispute")
        dispute["balance_transactions"] = [movement]
    unit.save(dispute)
    charge["disputed"] = True
    unit.save(charge)
    unit.emit("charge.dispute.created", dispute)
    if not inquiry:
        unit.emit("charge.dispute.funds_withdrawn", dispute)
    return dispute


def _method(charge: Entry, case_type: str) -> dict[str, Any] | None:
    """Of cards only; the API tells nothing about the wallets of this account."""
    card = charge["payment_method_details"].get("card")
    if card is None:
        return None
    told = {"brand": card["brand"], "case_type": case_type, "network": card["network"], "network_reason_code": NETWORK_REASON}
    return {"type": "card", "card": told}


def decide(unit: Unit, dispute: Entry, status: str) -> Entry:
    """Close a dispute as won, lost or warning_closed. Raises a 400 if it is closed already."""
    if dispute["status"] in CLOSED:
        raise invalid("This dispute is already closed", code="dispute_closed")
    was_inquiry = dispute["status"].startswith("warning")
    dispute["status"] = status
    dispute["is_charge_refundable"] = False
    reinstated = status == "won" and not was_inquiry
    if reinstated:
        movement = balance.record(unit, dispute, "adjustment", dispute["amount"], category="dispute_reversal")
        dispute["balance_transactions"] = [*dispute["balance_transactions"], movement]
    unit.save(dispute)
    unit.emit("charge.dispute.closed", dispute)
    if reinstated:
        unit.emit("charge.dispute.funds_reinstated", dispute)
    return dispute


def retrieve(unit: Unit, params: dict[str, Any], identifier: str) -> Entry:
    """`GET /v1/disputes/:id`."""
    return unit.need("dispute", identifier, "dispute")


def update(unit: Unit, params: dict[str, Any], identifier: str) -> Entry:
    """`POST /v1/disputes/:id`: evidence and metadata; `submit` sends it to the bank (the default, as at Stripe)."""
    dispute = unit.need("dispute", identifier, "dispute")
    if dispute["status"] in CLOSED:
        raise invalid("This dispute is already closed", code="dispute_closed")
    merge_metadata(dispute, params)
    evidence = params.get("evidence")
    if evidence:
        dispute["evidence"].update(evidence)
        dispute["evidence_details"]["has_evidence"] = True
        if params.get("submit", True):
            dispute["evidence_details"]["submission_count"] += 1
            dispute["evidence_details"]["submission_method"] = "manual"
            warning = dispute["status"].startswith("warning")
            dispute["status"] = "warning_under_review" if warning else "under_review"
    unit.save(dispute)
    unit.emit("charge.dispute.updated", dispute)
    return dispute


def close(unit: Unit, params: dict[str, Any], identifier: str) -> Entry:
    """`POST /v1/disputes/:id/close`: accept the loss."""
    return decide(unit, unit.need("dispute", identifier, "dispute"), "lost")
