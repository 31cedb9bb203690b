"""What orders puts on record: each kind of deed, and what it is called."""

from __future__ import annotations

from shop.kernel.errors import sentence
from shop.platform.audit import Tag


class Done(Tag):
    PURCHASE_PAID = "purchase.paid", sentence("Order paid for")
    PURCHASE_TENDER_CHANGED = "purchase.tender_changed", sentence("Order paid another way than first chosen")
    PURCHASE_EXPIRED = "purchase.expired", sentence("Order not paid in time")
    PURCHASE_REVIVED = "purchase.revived", sentence("Order revived by late payment")
    PURCHASE_CANCELLED = "purchase.cancelled", sentence("Unpaid order cancelled")
    SUB_ORDER_CANCELLED = "sub_order.cancelled", sentence("Paid order cancelled")
    SUB_ORDER_ACCEPTED = "sub_order.accepted", sentence("Accepted by the shop")
    SUB_ORDER_DECLINED = "sub_order.declined", sentence("Order declined by the shop")
    LINE_WEIGHED = "line.weighed", sentence("Goods of an order weighed")
    LINE_WEIGHT_CORRECTED = "line.weight_corrected", sentence("Weight of goods corrected")
    LINE_SHORT = "line.short", sentence("Goods of an order not there")
    SUB_ORDER_UNPACKED = "sub_order.unpacked", sentence("Packing taken back")
    SUB_ORDER_BROUGHT_BACK = "sub_order.brought_back", sentence("Order has not left after all")
    SUB_ORDER_MOVED = "sub_order.moved", sentence("Order moved to the next delivery")
    SUB_ORDER_PACKED = "sub_order.packed", sentence("Order packed")
    SUB_ORDER_IN_TRANSIT = "sub_order.in_transit", sentence("Order on its way")
    SUB_ORDER_READY = "sub_order.ready", sentence("Order ready to collect")
    SUB_ORDER_COLLECTED = "sub_order.collected", sentence("Order collected")
    SUB_ORDER_COMPLETED = "sub_order.completed", sentence("Time for claims over")
    SUB_ORDER_NOT_DELIVERED = "sub_order.not_delivered", sentence("Order never came, paid back")
    SUB_ORDER_NOT_COLLECTED = "sub_order.not_collected", sentence("Order not collected in time")
    SUB_ORDER_RETURNED = "sub_order.returned", sentence("Order back at its shop")
    SUB_ORDER_TAKEN_BACK = "sub_order.taken_back", sentence("Order taken back after a hand-over")
    SUB_ORDER_REFUNDED = "sub_order.refunded", sentence("Part of an order refunded")


SUBJECTS = {
    "purchase": sentence("Order"),
    "sub_order": sentence("Sub-order"),
    "order_line": sentence("Order line"),
}
"""What deeds are done to."""
