"""Balance transactions: every movement of money on the account, with its fee.

Fee rule of the simulator: 2.9 % of a charge (switch `fee_per_mille`), rounded half up, no fixed part. A refund does not
give the fee back. A dispute costs `dispute_fee` and does not give it back when won.
"""

from __future__ import annotations

from typing import Any

from simulators.stripe.identifiers import new_identifier
from simulators.stripe.store import Entry, Unit

AVAILABLE_AFTER = 7 * 24 * 3600


def record(unit: Unit, source: Entry, kind: str, amount: int, *, fee: int = 0, category: str, description: str | None = None) -> Entry:
    """Book `amount` (signed, in the smallest unit) for `source`; `net` is amount less fee."""
    fees = (
        [{"amount": fee, "application": None, "currency": source["currency"], "description": "Stripe processing fees",
          "type": "stripe_fee"}]
        if fee
        else []
    )  # fmt: skip
    return unit.save(
        {
            "id": new_identifier("txn"),
            "object": "balance_transaction",
            "amount": amount,
            "available_on": unit.now + AVAILABLE_AFTER,
            "balance_type": "payments",
            "created": unit.now,
            "currency": source["currency"],
            "description": description,
            "exchange_rate": None,
            "fee": fee,
            "fee_details": fees,
            "net": amount - fee,
            "reporting_category": category,
            "source": source["id"],
            "status": "pending",
            "type": kind,
        }
    )


def fee_of(amount: int, per_mille: int) -> int:
    """The fee on a charge of `amount`, rounded half up."""
    return (amount * per_mille + 500) // 1000


def retrieve(unit: Unit, params: dict[str, Any], identifier: str) -> Entry:
    """`GET /v1/balance_transactions/:id`."""
    return unit.need("balance_transaction", identifier, "id")


def balance(unit: Unit, params: dict[str, Any]) -> dict[str, Any]:
    """`GET /v1/balance`: the sum of all movements by currency; all of it pending until `available_on`."""
    available: dict[str, int] = {}
    pending: dict[str, int] = {}
    for entry in unit.newest_first("balance_transaction"):
        sums = available if entry["available_on"] <= unit.now else pending
        sums[entry["currency"]] = sums.get(entry["currency"], 0) + entry["net"]
    currencies = sorted({*available, *pending}) or ["cny"]
    return {
        "object": "balance",
        "available": [{"amount": available.get(currency, 0), "currency": currency} for currency in currencies],
        "livemode": False,
        "pending": [{"amount": pending.get(currency, 0), "currency": currency} for currency in currencies],
    }


def account(unit: Unit, params: dict[str, Any]) -> dict[str, Any]:
    """`GET /v1/account`: who the key belongs to."""
    return {
        "id": "acct_1SimulatedLinli",
        "object": "account",
        "charges_enabled": True,
        "country": "HK",
        "default_currency": "hkd",
        "details_submitted": True,
        "payouts_enabled": True,
        "type": "standard",
    }
