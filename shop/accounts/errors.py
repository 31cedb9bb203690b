"""What accounts refuse."""

from __future__ import annotations

from shop.kernel.errors import Invalid, ShopError, TooManyAttempts, sentence


class CodeSentRecently(TooManyAttempts):
    """The number got a code less than a minute ago; `seconds` until it can have another."""

    code, field = "code_sent_recently", "phone"
    message = sentence("A code was just sent to this number. You can ask for another in %(seconds)s seconds.")


class TooManyCodes(TooManyAttempts):
    """The number had all the codes of this hour or day; `until` when it can have the next."""

    code, field = "too_many_codes", "phone"
    message = sentence("Too many codes were sent to this number. Please ask again after %(until)s.")


class WrongCode(Invalid):
    """Wrong, or void for whoever types it: others are told nothing more than that."""

    code, field = "wrong_code", "code"
    message = sentence("That code is not right, or it is no longer valid. Please check it or ask for a new one.")


class CodeUsedUp(WrongCode):
    """It was a code of this person or browser, and it has done its service or was tried too often."""

    code = "code_used_up"
    message = sentence("That code has been used, or tried too often, and no longer counts. Please ask for a new one.")


class NameMissing(Invalid):
    """Nothing that can be seen was typed."""

    code, field = "name_missing", "display_name"
    message = sentence("Please enter a name.")


class AccountClosed(ShopError):
    code, status = "account_closed", 403
    message = sentence("This account has been closed.")


class WrongSecondFactor(Invalid):
    code, field = "wrong_second_factor", "totp"
    message = sentence("That authenticator code is not right. Wait for the next one and try again.")


class SecondFactorNotSetUp(ShopError):
    code = "second_factor_not_set_up"
    message = sentence("No authenticator has been set up for this account. Please ask the operator.")


class AuthenticatorIsThere(ShopError):
    code, status = "authenticator_is_there", 409
    message = sentence("Your authenticator is set up already. If you lost it, ask the operator for a new one.")


class TooManyMembers(ShopError):
    code, status, field = "too_many_members", 409, "phone"
    message = sentence("%(most)s people work at this shop already. Please end the work of somebody first.")


class RefreshRefused(ShopError):
    """Unknown, expired or already used; a used one also ended its session."""

    code, status = "refresh_refused", 401
    message = sentence("This sign-in has ended. Please sign in again.")


class RoleNeedsPlace(Invalid):
    """Clerks and owners belong to a merchant, keepers to a pick-up point, the others to the city."""

    code, field = "role_needs_place", "role"
    message = sentence("A merchant's role needs the merchant, a keeper's role needs the pick-up point, other roles need neither.")
