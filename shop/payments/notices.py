"""What payments tells people in their inbox: each kind of notice, with its title and its body."""

from __future__ import annotations

from shop.kernel.errors import sentence
from shop.platform.notices import Words

NOTICES: Words = {
    "payment.refund_failed": (
        sentence("A refund did not arrive"),
        sentence("¥%(amount)s that we sent back to you did not arrive. The money is safe with us; somebody is looking after it."),
    ),
    "payment.refund_sent_again": (
        sentence("A refund was sent again"),
        sentence("¥%(amount)s that had not arrived is on its way to where you paid from once more."),
    ),
    "payment.refund_to_wallet": (
        sentence("A refund is in your wallet"),
        sentence("¥%(amount)s that could not be sent back to where you paid from is in your wallet now."),
    ),
    "payment.refund_by_hand": (
        sentence("A refund was transferred"),
        sentence("¥%(amount)s was transferred to your bank account. The reference of the transfer: %(reference)s"),
    ),
    "payment.refund_covered": (
        sentence("A top-up was given back"),
        sentence("¥%(amount)s of a top-up had been given back to your card. It was taken from your wallet now."),
    ),
    "payment.given_back_by_provider": (
        sentence("Money goes back to you"),
        sentence("¥%(amount)s of what you paid goes back to where you paid from."),
    ),
}
