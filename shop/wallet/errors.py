"""Why money does not move."""

from __future__ import annotations

from shop.kernel.errors import Invalid, NotFound, ShopError, TooManyAttempts, sentence


class InsufficientFunds(ShopError):
    code, status = "insufficient_funds", 402
    message = sentence("There is not enough money in the wallet. Nothing was paid.")


class WalletNotOpen(NotFound):
    code = "wallet_not_open"
    message = sentence("You have no wallet yet.")


class WalletFrozen(ShopError):
    code, status = "wallet_frozen", 402
    message = sentence("This wallet is frozen. Nothing was paid; please call your pick-up point.")


class VerificationRequired(ShopError):
    code, status = "verification_required", 403
    message = sentence("Please have your identity card checked at your pick-up point before you open a wallet.")


class LimitExceeded(ShopError):
    """A limit that another proof cannot lift: another way to pay, or another class of wallet, can."""

    code, status = "limit_exceeded", 402
    message = sentence("This is above the limit of your wallet (¥%(limit)s, ¥%(left)s left). Nothing was paid.")


class LifetimeLimitExceeded(LimitExceeded):
    message = sentence(
        "A class I wallet may pay ¥%(limit)s in all; ¥%(left)s are left. Nothing was paid. Your pick-up point can have this raised: bring "
        "your identity card and your bank card."
    )


class YearLimitExceeded(LimitExceeded):
    message = sentence("Your wallet may pay ¥%(limit)s in a calendar year; ¥%(left)s are left. Nothing was paid. A card still works.")


class DayLimitExceeded(LimitExceeded):
    message = sentence("A wallet may pay ¥%(limit)s a day; ¥%(left)s are left today. Nothing was paid. A card still works.")


class ClearedPinLimitExceeded(LimitExceeded):
    message = sentence(
        "Your PIN was cleared less than a day ago: until it is a day, the wallet pays ¥%(limit)s a day, and ¥%(left)s are left. "
        "Nothing was paid. A card still works."
    )


class StepUpRequired(ShopError):
    code, status, field = "step_up_required", 402, "code"
    message = sentence(
        "With the PIN alone you can pay ¥%(limit)s a day, and ¥%(left)s are left today. Please add a code from a text message."
    )


class NoMoreCodes(TooManyAttempts):
    """All codes of this hour or day were sent; `until` when there is another."""

    code, field = "no_more_codes", "code"
    message = sentence(
        "We can send no more codes to your phone before %(until)s. Nothing was charged. A code of the last five minutes still works; "
        "otherwise choose another way to pay, or try again then."
    )


class ProofMissing(ShopError):
    code, status, field = "pin_required", 402, "pin"
    message = sentence("Please enter your wallet PIN.")


class PinNotSet(ShopError):
    code, status, field = "pin_not_set", 402, "pin"
    message = sentence("Please set a wallet PIN first.")


class WrongPin(ShopError):
    code, status, field = "wrong_pin", 402, "pin"
    message = sentence("That is not the PIN of this wallet. Tries left: %(left)s.")


class PinLocked(ShopError):
    code, status, field = "pin_locked", 402, "pin"
    message = sentence("Too many wrong PINs. The wallet is locked until %(until)s; your money is safe.")


PAYING: tuple[type[ShopError], ...] = (
    InsufficientFunds, WalletFrozen, LimitExceeded, StepUpRequired, ProofMissing, PinNotSet, WrongPin, PinLocked,
)  # fmt: skip
"""Why a wallet does not pay."""


class PinMalformed(Invalid):
    code, field = "pin_malformed", "pin"
    message = sentence("A PIN has exactly six digits.")


class PinTooEasy(Invalid):
    code, field = "pin_too_easy", "pin"
    message = sentence("This PIN is too easy to guess: no repeats, no runs, and not the end of your phone number.")


class PinAlreadySet(ShopError):
    code, field = "pin_already_set", "old_pin"
    message = sentence("This wallet already has a PIN. Enter the old one to change it.")


class CauseReused(RuntimeError):
    """A bug: the same cause was told again with another amount or other accounts. Never shown, never swallowed."""
