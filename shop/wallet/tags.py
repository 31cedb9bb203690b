"""What wallet puts on record: each kind of deed, and what it is called."""

from __future__ import annotations

from shop.kernel.errors import sentence
from shop.platform.audit import Tag


class Done(Tag):
    WALLET_OPENED = "wallet.opened", sentence("Wallet opened"), True
    WALLET_UPGRADED = "wallet.upgraded", sentence("Wallet given a higher class"), True
    WALLET_PIN_SET = "wallet.pin_set", sentence("Wallet PIN set"), True
    WALLET_PIN_CHANGED = "wallet.pin_changed", sentence("Wallet PIN changed"), True
    WALLET_PIN_CLEARED = "wallet.pin_cleared", sentence("Wallet PIN cleared"), True
    WALLET_PIN_LOCKED = "wallet.pin_locked", sentence("Wallet locked after wrong PINs"), True
