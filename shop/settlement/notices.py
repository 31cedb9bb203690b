"""What settlement tells people in their inbox: each kind of notice, with its title and its body."""

from __future__ import annotations

from shop.kernel.errors import sentence
from shop.platform.notices import Words

NOTICES: Words = {
    "payment.late": (
        sentence("Your payment came too late"),
        sentence("The order was closed already when the money came, and its goods are no longer to be had. ¥%(amount)s goes back."),
    ),
    "orders.given_back": (
        sentence("We give you money back"),
        sentence("¥%(amount)s of order %(number)s goes back to where you paid from."),
    ),
    "payment.failed": (
        sentence("A payment did not go through"),
        sentence("The payment of ¥%(amount)s did not go through. Nothing was charged."),
    ),
    "wallet.topped_up": (sentence("Money is in your wallet"), sentence("¥%(amount)s was added to your wallet.")),
}
