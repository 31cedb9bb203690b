"""What buyers are told about their orders."""

from __future__ import annotations

from shop.kernel.errors import sentence
from shop.platform import notices

notices.declare("orders.paid", sentence("Order paid"), sentence("Order %(number)s is paid. We tell you when it can be collected."))
notices.declare(
    "orders.expired", sentence("Order closed"),
    sentence("Order %(number)s was not paid in time. Nothing was charged; the goods are free again."),
)  # fmt: skip
notices.declare(
    "orders.weighed", sentence("Back to you after weighing"),
    sentence("You pay what the scales say. ¥%(amount)s go back to you: %(names)s"),
)  # fmt: skip
# Inboxes have these from when each weighing was told by itself.
notices.declare(
    "orders.weighed_less", sentence("Back to you after weighing"),
    sentence("You pay what the scales say. Of order %(number)s ¥%(amount)s went back to you."),
)  # fmt: skip
notices.declare(
    "orders.short", sentence("Goods not available"),
    sentence("The shop cannot deliver %(number)s after all. ¥%(amount)s have been given back. We are sorry."),
)  # fmt: skip
