"""What orders tells people in their inbox: each kind of notice, with its title and its body."""

from __future__ import annotations

from shop.kernel.errors import sentence
from shop.platform.notices import Words

NOTICES: Words = {
    "orders.paid": (sentence("Order paid"), sentence("Order %(number)s is paid. We tell you when it can be collected.")),
    "orders.expired": (
        sentence("Order closed"),
        sentence("Order %(number)s was not paid in time. Nothing was charged; the goods are free again."),
    ),
    "orders.weighed": (
        sentence("Back to you after weighing"),
        sentence("You pay what the scales say. ¥%(amount)s go back to you: %(names)s"),
    ),
    # Inboxes have these from when each weighing was told by itself.
    "orders.weighed_less": (
        sentence("Back to you after weighing"),
        sentence("You pay what the scales say. Of order %(number)s ¥%(amount)s went back to you."),
    ),
    "orders.short": (
        sentence("Goods not available"),
        sentence("The shop cannot deliver %(number)s after all. ¥%(amount)s goes back to where you paid from. We are sorry."),
    ),
    "orders.not_delivered": (
        sentence("Not delivered: your money goes back"),
        sentence(
            "%(number)s did not come to your pick-up point, and we do not let you wait any longer. ¥%(amount)s goes back to you. "
            "We are sorry."
        ),
    ),
    "orders.not_collected": (
        sentence("Not collected in time"),
        sentence("%(number)s was not collected in time. Its goods were fresh and cannot be sold again, so its price is not given back."),
    ),
    "orders.not_collected_back": (
        sentence("Not collected: your money goes back"),
        sentence("%(number)s was not collected in time. What keeps goes back to its shop, and ¥%(amount)s goes back to you."),
    ),
    "orders.weighed_again": (
        sentence("Weighed once more"),
        sentence("%(names)s: the scales say %(grams)s g. You pay ¥%(final)s for it, never more than agreed; ¥%(amount)s of it came back."),
    ),
    "orders.declined": (
        sentence("Goods not available"),
        sentence("%(shop)s cannot deliver order %(number)s: %(reason)s. ¥%(amount)s goes back to you. We are sorry."),
    ),
    "orders.declined_in_part": (
        sentence("One shop cannot deliver"),
        sentence(
            "%(shop)s cannot deliver its part of order %(number)s: %(reason)s. ¥%(amount)s goes back to you. What you ordered from "
            "%(rest)s comes as planned."
        ),
    ),
    "orders.line_short": (
        sentence("Something is missing"),
        sentence("Not there for order %(number)s: %(names)s (%(reason)s). ¥%(amount)s goes back to you. The rest comes as planned."),
    ),
    "orders.moved": (
        sentence("Your goods come with the next delivery"),
        sentence(
            "Your payment for order %(number)s came when the shop's delivery had left. Now you can collect it %(until)s. "
            "If that is too late, cancel it by %(cancel)s and get all of it back."
        ),
    ),
    "orders.left": (
        sentence("Too late for the delivery"),
        sentence(
            "Your payment for order %(number)s came when the shop's delivery had left, and there is no next one. ¥%(amount)s goes "
            "back to you."
        ),
    ),
}
