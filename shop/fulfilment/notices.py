"""What fulfilment tells people in their inbox: each kind of notice, with its title and its body."""

from __future__ import annotations

from shop.kernel.errors import sentence
from shop.platform.notices import Words

NOTICES: Words = {
    "fulfilment.arrived": (
        sentence("Your goods have arrived"),
        sentence("Orders: %(orders)s, shops: %(shops)s. Show the code %(code)s at the counter by %(until)s."),
    ),
    "fulfilment.handed_over": (
        sentence("Collected"),
        sentence("Orders handed over to you at the counter: %(orders)s. If that was not you, please call your pick-up point."),
    ),
    "fulfilment.taken_back": (
        sentence("Not collected after all"),
        sentence("A hand-over was taken back at the counter. Orders of yours that wait there again: %(orders)s."),
    ),
    "fulfilment.late": (
        sentence("An order is late"),
        sentence(
            "%(number)s should have been there and is not yet; we are looking for it. If it is not there by %(until)s, "
            "all of its ¥%(amount)s go back to you by themselves."
        ),
    ),
    "fulfilment.still_waiting": (
        sentence("Your goods are still waiting"),
        sentence("Orders: %(orders)s. Show the code %(code)s at the counter by %(until)s, or call the pick-up point if you need longer."),
    ),
    "fulfilment.shop_late": (
        sentence("A delivery is late"),
        sentence(
            "Delivery %(code)s should be at %(point)s. Orders not packed, not sent or not there: %(orders)s. "
            "What does not come is paid back to its buyer."
        ),
    ),
    "fulfilment.shop_missing": (
        sentence("Orders are missing at the pick-up point"),
        sentence(
            "Delivery %(code)s was received at %(point)s without some of its orders: %(orders)s. "
            "Please look for them; what is not found is paid back to its buyer."
        ),
    ),
    "fulfilment.shop_not_delivered": (
        sentence("Paid back: not delivered"),
        sentence("%(number)s did not come to %(point)s. ¥%(amount)s went back to the buyer. If it is on its way, it comes back to you."),
    ),
    "fulfilment.shop_comes_back": (
        sentence("Not collected: goods come back to you"),
        sentence(
            "%(number)s was not collected at %(point)s. What keeps comes back to you with your next delivery; "
            "its ¥%(amount)s went back to the buyer."
        ),
    ),
    "fulfilment.shop_not_collected": (
        sentence("Not collected: paid all the same"),
        sentence("%(number)s was not collected at %(point)s in time. Its goods were fresh, so you are paid as if it had been."),
    ),
}
