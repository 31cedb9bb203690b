"""Why something was refused at the counter."""

from __future__ import annotations

from shop.kernel.errors import ShopError, sentence


class NothingToTakeBack(ShopError):
    code, status = "nothing_to_take_back", 409
    message = sentence("Nothing was handed over by this scan, so there is nothing to take back.")


class TooLateToTakeBack(ShopError):
    """A hand-over that has stood so long is no slip any more: a claim, with somebody who looks at it."""

    code, status = "too_late_to_take_back", 409
    message = sentence("A hand-over can be taken back for ten minutes. That is over. Please call operations.")


class TooManyGuesses(ShopError):
    """A keeper, or a point, typed too many codes within an hour that do not exist. QR codes and phone numbers still work."""

    code, status = "too_many_attempts", 429
    message = sentence(
        "Too many wrong codes, one after the other. Please scan the QR code, or type the end of the phone number and ask for the name."
    )
