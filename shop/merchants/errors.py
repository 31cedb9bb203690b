"""What merchants refuse."""

from __future__ import annotations

from shop.kernel.errors import Invalid, ShopError, sentence


class InvalidCreditCode(Invalid):
    code, field = "invalid_credit_code", "uscc"
    message = sentence("This is no unified social credit code. It has 18 characters and stands on the business licence.")


class WrongCreditCode(Invalid):
    code, field = "wrong_credit_code", "uscc"
    message = sentence("One of the 18 characters is wrong: the last one does not fit the others. Please compare it with the licence.")


class AlreadySuspended(ShopError):
    code, status = "already_suspended", 409
    message = sentence("This shop is suspended or closed already. Nothing was changed.")


class NotSuspended(ShopError):
    code, status = "not_suspended", 409
    message = sentence("This shop is not suspended. Nothing was changed.")
