"""What bills tells people in their inbox: each kind of notice, with its title and its body."""

from __future__ import annotations

from shop.kernel.errors import sentence
from shop.platform.notices import Words

NOTICES: Words = {
    "bill.paid": (sentence("Bill paid"), sentence("%(biller)s has received ¥%(amount)s. The receipt is ready.")),
    "bill.returned": (
        sentence("Bill not paid, money returned"),
        sentence("%(biller)s did not take the payment. ¥%(amount)s is back in your wallet."),
    ),
    "bill.returned_to_card": (
        sentence("Bill not paid, money on its way back"),
        sentence("%(biller)s did not take the payment. ¥%(amount)s goes back to the card it came from, usually within a few working days."),
    ),
    "bill.with_a_person": (
        sentence("We are looking after your bill payment"),
        sentence("%(biller)s still has not told us what became of ¥%(amount)s. Our staff is asking; please do not pay again."),
    ),
    "bill.needs_a_person": (
        sentence("A bill payment needs a person"),
        sentence("%(biller)s does not say what became of ¥%(amount)s, serial %(serial)s."),
    ),
    "bill.contradiction": (
        sentence("A biller contradicts itself"),
        sentence("%(biller)s now says the opposite of before about ¥%(amount)s, serial %(serial)s. No money was moved; please decide."),
    ),
}
