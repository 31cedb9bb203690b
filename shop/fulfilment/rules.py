"""What fulfilment decides without looking anywhere: whether a weight is a slip, and why an order must stay at the counter."""

from __future__ import annotations

from collections.abc import Iterable

from shop.counter.rules import Reason
from shop.kernel.money import Money
from shop.models.orders import PurchaseState

FAR_PERCENT = 40
"""So far from what was ordered a weight is asked about. Goods vary by a fifth; a jin taken for a kilogram is half or double, a digit
too few a tenth, and what is packed by mistake is given back at once."""

PAID = (PurchaseState.PAID, PurchaseState.COMPLETED)


def whole_orders(numbers: Iterable[str]) -> int:
    """Of how many orders these parts are, by their numbers: L26-1 and L26-2 are one. So buyers count, on pages and in notices."""
    return len({number.rpartition("-")[0] for number in numbers})


def is_far_off(grams: int, ordered: int) -> bool:
    """Whether a weight is so far from what was ordered that it is more likely a slip than the goods."""
    return abs(grams - ordered) * 100 > ordered * FAR_PERCENT


def why_it_stays(purchase_state: PurchaseState, total: Money, refunded_total: Money) -> Reason | None:
    """Why an order that lies ready may not leave the counter: it is not paid, or nothing of its money is left with us. None when it may."""
    if purchase_state not in PAID:
        return Reason.NOT_PAID
    return Reason.REFUNDED if total and refunded_total >= total else None
