"""Reading orders: `facts` are what pages say, the other modules find them."""

from __future__ import annotations

from shop.orders.queries.facts import NOBODY_CAME, LineFacts, PurchaseFacts, SubOrderFacts, part_can_be_cancelled
from shop.orders.queries.lists import PAGE, Tab, counts, list_mine, mine, of_number
from shop.orders.queries.payments import PaymentFacts, RefundFacts, latest_payment, refunds
from shop.orders.queries.repeating import Again, again

__all__ = [
    "NOBODY_CAME",
    "PAGE",
    "Again",
    "LineFacts",
    "PaymentFacts",
    "PurchaseFacts",
    "RefundFacts",
    "SubOrderFacts",
    "Tab",
    "again",
    "counts",
    "latest_payment",
    "list_mine",
    "mine",
    "of_number",
    "part_can_be_cancelled",
    "refunds",
]
