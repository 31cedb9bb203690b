"""Balance transactions: every movement of money on the account, with its fee, in the currency the account settles in.

Fee rule of the simulator: 2.9 % of a charge (switch `fee_per_mille`), rounded half up, no fixed part. A refund does not
give the fee back. A dispute costs `dispute_fee` and does not give it back when won. Both are in the currency of settlement
(switch `settlement`), into which other amounts are turned by the switch `exchange_rate`.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from simulators.stripe.identifiers import new_identifier
from simulators.stripe.money import decimals
from simulators.stripe.store import Entry, Unit

AVAILABLE_AFTER = 7 * 24 * 3600


def record(unit: Unit, source: Entry, kind: str, amount: int, *, fee: int = 0, category: str, description: str | None = None) -> Entry:
    """Book `amount` (signed, in the smallest unit of the source's currency) for `source`; `net` is amount less fee, both as settled."""
    amount, currency, rate = settled(unit, amount, source["currency"])
    fees = (
        [{"amount": fee, "application": None, "currency": currency, "description": "Stripe processing fees", "type": "stripe_fee"}]
        if fee
        else []
    )
    return unit.save(
        {
            "id": new_identifier("txn"),
            "object": "balance_transaction",
            "amount": amount,
            "available_on": unit.now + AVAILABLE_AFTER,
            "balance_type": "payments",
            "created": unit.now,
            "currency": currency,
            "description": description,
            "exchange_rate": rate,
            "fee": fee,
            "fee_details": fees,
            "net": amount - fee,
            "reporting_category": category,
            "source": source["id"],
            "status": "pending",
            "type": kind,
        }
    )


def settled(unit: Unit, amount: int, currency: str) -> tuple[int, str, float | None]:
    """What an amount is on the account: the sum, its currency, and the rate if it had to be turned into that."""
    account = unit.switches.settlement
    if currency == account:
        return amount, currency, None
    rate = unit.switches.exchange_rate
    smallest = Decimal(str(rate)) * Decimal(10) ** (decimals(account) - decimals(currency))
    return int((amount * smallest).quantize(Decimal(1), ROUND_HALF_UP)), account, rate


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
    currencies = sorted({*available, *pending}) or [unit.switches.settlement]
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
        "default_currency": unit.switches.settlement,
        "details_submitted": True,
        "payouts_enabled": True,
        "type": "standard",
    }
