"""Everything that happens to an order. Each function is one step in the caller's transaction.

Rows are taken in the house's order: payment, purchase, sub-order, wallet accounts, slots, stock.
"""

from shop.orders.operations.closing import cancel, decline, expire, revive
from shop.orders.operations.fulfilling import accept, mark_collected, mark_in_transit, mark_packed, mark_ready, take_back, weigh_line
from shop.orders.operations.opening import Opened, mark_paid, open_purchase, payment_postings, payment_to_continue
from shop.orders.operations.refunding import refund
from shop.orders.operations.repeating import repeat

__all__ = [
    "Opened", "accept", "cancel", "decline", "expire", "mark_collected", "mark_in_transit", "mark_packed", "mark_paid", "mark_ready",
    "open_purchase", "payment_postings", "payment_to_continue", "refund", "repeat", "revive", "take_back", "weigh_line",
]
