"""What wallet tells people in their inbox: each kind of notice, with its title and its body."""

from __future__ import annotations

from shop.kernel.errors import sentence
from shop.platform.notices import Words

NOTICES: Words = {
    "wallet.pin_cleared": (
        sentence("The PIN of your wallet was cleared"),
        sentence(
            "You asked for it with your identity card. Please choose a new one. If it was not you, call your pick-up point at once: your "
            "money stays where it is."
        ),
    ),
}
