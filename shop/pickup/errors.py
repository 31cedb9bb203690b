"""Why a delivery could not be booked."""

from __future__ import annotations

from shop.kernel.errors import ShopError, sentence


class SlotFull(ShopError):
    """No slot is left in a cycle. `merchant` names whose, when the caller knows it."""

    code, status = "slot_full", 409
    message = sentence("This delivery is full. Please look at the next one.")


class CutOffPassed(ShopError):
    """The cycle's cut-off is over by the shop's own clock."""

    code, status = "cut_off_passed", 409
    message = sentence("Ordering for this delivery has closed. Please look at the next one.")
