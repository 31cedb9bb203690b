"""What accounts tells people in their inbox: each kind of notice, with its title and its body."""

from __future__ import annotations

from shop.kernel.errors import sentence
from shop.platform.notices import Words

NOTICES: Words = {
    "user.verified": (sentence("Your identity has been checked"), sentence("You can open your wallet now, or raise its limits.")),
    "accounts.member_added": (sentence("You can work at a shop now"), sentence("Set up your authenticator to get into its console.")),
}
