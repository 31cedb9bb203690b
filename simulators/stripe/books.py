"""What the account has taken and given back, for comparison with the shop's own books."""

from __future__ import annotations

from typing import Any

from simulators.stripe.resources.refunds import counts
from simulators.stripe.store import Entry, Unit
from simulators.stripe.world import World

NOTHING = {"charged": 0, "refunded": 0, "disputed": 0, "charges": 0, "refunds": 0}


def books(world: World, reference: str | None) -> dict[str, Any]:
    """Sums in the smallest unit, in all and by reference.

    The reference of a charge is its metadata value under the name `reference`, or, if no name is given, the
    `client_reference_id` of its session, or the id of its payment. A refund counts for the reference of its charge; under
    `refunds_by_reference` it counts for its own metadata value, if it has one.
    """
    with world.lock:
        unit = world.new_unit()
        taken = [charge for charge in unit.newest_first("charge") if charge["status"] == "succeeded" and charge["captured"]]
        by_reference: dict[str, dict[str, int]] = {}
        reference_of = {charge["id"]: _reference(unit, charge, reference) for charge in taken}
        for charge in taken:
            sums = by_reference.setdefault(reference_of[charge["id"]], dict(NOTHING))
            sums["charged"] += charge["amount_captured"]
            sums["charges"] += 1
        refunds = [refund for refund in unit.newest_first("refund") if counts(refund)]
        refunds_by_reference: dict[str, int] = {}
        for refund in refunds:
            sums = by_reference[reference_of[refund["charge"]]]
            sums["refunded"] += refund["amount"]
            sums["refunds"] += 1
            own = refund["metadata"].get(reference) if reference else None
            if own:
                refunds_by_reference[own] = refunds_by_reference.get(own, 0) + refund["amount"]
        for dispute in unit.newest_first("dispute"):
            if dispute["status"] != "won" and not dispute["status"].startswith("warning"):
                by_reference[reference_of[dispute["charge"]]]["disputed"] += dispute["amount"]
        movements = list(unit.newest_first("balance_transaction"))
        totals = {name: sum(sums[name] for sums in by_reference.values()) for name in NOTHING}
        return {
            **totals,
            "fees": sum(movement["fee"] for movement in movements),
            "net": sum(movement["net"] for movement in movements),
            "by_reference": by_reference,
            "refunds_by_reference": refunds_by_reference,
        }


def _reference(unit: Unit, charge: Entry, name: str | None) -> str:
    if name is not None:
        return str(charge["metadata"].get(name, ""))
    session = unit.get("checkout.session", charge["_session"])
    return str((session or {}).get("client_reference_id") or charge["payment_intent"])
