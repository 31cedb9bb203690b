"""What the bulletin refuses."""

from __future__ import annotations

from shop.kernel.errors import Invalid, ShopError, sentence


class TextMissing(Invalid):
    code = "text_missing"
    message = sentence("Please write something here.")


class KindMissing(Invalid):
    code, field = "kind_missing", "kind"
    message = sentence("Please choose what kind of notice it is.")


class PlaceMissing(Invalid):
    code, field = "place_missing", "community"
    message = sentence("Please choose for whom the notice is.")


class EndsBeforeItStarts(Invalid):
    code, field = "ends_before_it_starts", "ends_on"
    message = sentence("The last day must not be before the first.")


class IsOver(Invalid):
    code, field = "is_over", "ends_on"
    message = sentence("The last day is over already. Please choose a later one.")


class TooLong(Invalid):
    code, field = "too_long", "ends_on"
    message = sentence("A notice stands for %(days)s days at most. Please choose an earlier last day.")


class ReasonMissing(Invalid):
    code, field = "reason_missing", "reason"
    message = sentence("Please say why, in a few words.")


class AnotherIsOpen(ShopError):
    code, status = "another_is_open", 409
    message = sentence("A correction of this notice is being written or waits already. Publish, refuse or withdraw that one first.")


class NotADraft(ShopError):
    code, status = "not_a_draft", 409
    message = sentence("Only its writer changes a draft, and only until it is sent for review. Nothing was changed.")


class NotWaiting(ShopError):
    code, status = "not_waiting", 409
    message = sentence("This text does not wait for review any more. Nothing was changed; please look again.")


class NothingToWithdraw(ShopError):
    code, status = "nothing_to_withdraw", 409
    message = sentence("This text is not shown and waits for nothing. Nothing was changed.")


class CannotBePublished(ShopError):
    code, status = "cannot_be_published", 409
    message = sentence("The last day of this notice is over, so nobody would see it. Refuse it, and say so.")
