"""What fulfilment puts on record: each kind of deed, and what it is called."""

from __future__ import annotations

from shop.kernel.errors import sentence
from shop.platform.audit import Tag


class Done(Tag):
    BATCH_BROUGHT_BACK = "batch.brought_back", sentence("Delivery has not left after all")
    SUB_ORDER_PUT_INTO_BATCH = "sub_order.put_into_batch", sentence("Order put into a delivery")
    BATCH_HANDED_TO_DRIVER = "batch.handed_to_driver", sentence("Delivery handed to the driver")
    BATCH_ARRIVED = "batch.arrived", sentence("Delivery arrived at the point")
    BATCH_CHECKED = "batch.checked", sentence("All of a delivery is here")
    BATCH_CLOSED = "batch.closed", sentence("Delivery over")
    PASSES_SEARCHED_BY_PHONE = "passes.searched_by_phone", sentence("Pass looked up by phone number"), True


SUBJECTS = {
    "batch": sentence("Delivery"),
    "pickup_point": sentence("Pick-up point"),
}
"""What deeds are done to."""
