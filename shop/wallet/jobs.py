"""What owners of wallets are told."""

from __future__ import annotations

from shop.kernel.errors import sentence
from shop.platform import notices

notices.declare(
    "wallet.pin_cleared",
    sentence("The PIN of your wallet was cleared"),
    sentence(
        "You asked for it with your identity card. Please choose a new one. If it was not you, call your pick-up point at once: your money "
        "stays where it is."
    ),
)
