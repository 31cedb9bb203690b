"""What can go wrong by rule, not by bug. Features subclass these in their own `errors`."""

from __future__ import annotations

from typing import Any


def sentence(text: str) -> str:
    """Mark a sentence for translation where it is written; it is translated where it is shown."""
    return text


class ShopError(Exception):
    """A refusal that can be explained: `code` for machines, `message` for people, `field` for forms.

    `message` is an English sentence with `%(name)s` places filled from `details`.
    """

    code = "refused"
    status = 409
    message = sentence("That is not possible right now.")
    field: str | None = None

    def __init__(self, field: str | None = None, **details: Any) -> None:
        self.field = field or type(self).field
        self.details = details
        super().__init__(self.code)

    def __str__(self) -> str:
        return f"{self.code}: {self.message % self.details if self.details else self.message}"


class Invalid(ShopError):
    """The input has the wrong shape; subclass or raise with a field."""

    code, status = "invalid", 422
    message = sentence("Please check what you entered.")


class NotFound(ShopError):
    """Absent, or present but not yours: the answer is the same on purpose."""

    code, status = "not_found", 404
    message = sentence("We could not find that.")


class SignInRequired(ShopError):
    code, status = "sign_in_required", 401
    message = sentence("Please sign in first.")


class Forbidden(ShopError):
    code, status = "forbidden", 403
    message = sentence("You are not allowed to do that.")


class TooManyAttempts(ShopError):
    code, status = "too_many_attempts", 429
    message = sentence("Too many attempts. Please wait a while and try again.")


class Busy(ShopError):
    """The database could not take the work in time although it was tried again; nothing has changed."""

    code, status = "busy", 503
    message = sentence("The shop is very busy. Nothing was changed; please try again in a moment.")


class Unavailable(Exception):
    """The database is away, full or only to be read; whatever it acknowledged before is kept.

    No refusal: nobody who asks differently would fare better, so no form may take it for one. Doors answer it with 503.
    """

    code, status = "unavailable", 503
    message = sentence(
        "Our books cannot be reached right now. What was saved stays saved; before you order or pay again, look under My orders or Bills."
    )
