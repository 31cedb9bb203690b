"""Asking for the PIN at a door: the try is counted for good before anything is refused."""

from __future__ import annotations

from shop.accounts import credentials
from shop.accounts.rules import person
from shop.kernel.db import perform
from shop.models.accounts import CodePurpose
from shop.platform.actor import Actor
from shop.platform.language import spoken_deadline
from shop.wallet import operations
from shop.wallet.errors import PinLocked, WrongPin
from shop.wallet.rules import Proof


def require(actor: Actor, pin: str, code: str | None = None) -> Proof:
    """Check the actor's PIN, and a step-up code from a text message where one is given; what was shown, for `pay`.

    Raises `WrongPin`, `PinLocked`, `PinNotSet`, `WalletNotOpen`, and for the code what `accounts` raises. Each wrong
    try stays counted. Call it outside any transaction.
    """
    checked = perform(operations.check_pin, actor, pin)
    if checked.result is operations.PinResult.LOCKED:
        assert checked.locked_until is not None
        raise PinLocked(until=spoken_deadline(checked.locked_until))
    if checked.result is operations.PinResult.WRONG:
        raise WrongPin(left=checked.tries_left)
    if code:
        credentials.use_code(actor.phone, code, CodePurpose.STEP_UP, person(actor.signed_in_id()))
    return Proof(actor.signed_in_id(), has_code=bool(code))
