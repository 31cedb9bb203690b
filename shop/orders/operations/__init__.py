"""Everything that happens to an order. Each function is one step in the caller's transaction.

Rows are taken in the house's order: payment, purchase, sub-order, wallet accounts, slots, stock.
"""

from shop.orders.operations.closing import cancel, decline, expire, revive
from shop.orders.operations.ending import complete, not_collected, not_delivered, returned
from shop.orders.operations.fulfilling import accept, mark_collected, mark_in_transit, mark_packed, mark_ready, take_back
from shop.orders.operations.moving import follow_on
from shop.orders.operations.opening import Opened, mark_paid, open_purchase, payment_postings, payment_to_continue
from shop.orders.operations.refunding import check_left, refund, refund_by_hand
from shop.orders.operations.repeating import repeat, take_up_again
from shop.orders.operations.short_lines import Short, short_line
from shop.orders.operations.tender import pay_from_wallet
from shop.orders.operations.undoing import bring_back, unpack
from shop.orders.operations.weighing import weigh_line

__all__ = [
    "Opened", "Short", "accept", "bring_back", "cancel", "check_left", "complete", "decline", "expire", "follow_on", "mark_collected",
    "mark_in_transit", "mark_packed", "mark_paid", "mark_ready", "not_collected", "not_delivered", "open_purchase", "pay_from_wallet",
    "payment_postings", "payment_to_continue", "refund", "refund_by_hand", "repeat", "returned", "revive", "short_line", "take_back",
    "take_up_again", "unpack", "weigh_line",
]
