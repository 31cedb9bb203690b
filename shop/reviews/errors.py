"""What reviews refuse."""

from __future__ import annotations

from shop.kernel.errors import Invalid, ShopError, sentence


class StarsMissing(Invalid):
    code, field = "stars_missing", "stars"
    message = sentence("Please choose one to five stars.")


class WordsMissing(Invalid):
    code, field = "words_missing", "text"
    message = sentence("Please write something here.")


class KindMissing(Invalid):
    code, field = "kind_missing", "kind"
    message = sentence("Please choose what is wrong with it.")


class ReasonMissing(Invalid):
    code, field = "reason_missing", "reason"
    message = sentence("Please say why, in a few words.")


class NotCollectedYet(ShopError):
    code, status = "not_collected_yet", 409
    message = sentence("You can review this once you have collected it.")


class NothingWasGot(ShopError):
    code, status = "nothing_was_got", 409
    message = sentence("This was not there or was paid back in full, so there is nothing to review.")


class TooLateToReview(ShopError):
    code, status = "too_late_to_review", 409
    message = sentence("Goods can be reviewed for %(days)s days after they were collected. That time is over.")


class TooLateToChange(ShopError):
    code, status = "too_late_to_change", 409
    message = sentence("What you wrote can be changed or taken back for %(days)s days. That time is over, so it stays as it is.")


class TooLateToFollowUp(ShopError):
    code, status = "too_late_to_follow_up", 409
    message = sentence("Something can be added for %(days)s days after the goods were collected. That time is over.")


class OwnShop(ShopError):
    code, status = "own_shop", 409
    message = sentence("You work at this shop, so you cannot review its goods.")


class OwnReview(ShopError):
    code, status = "own_review", 409
    message = sentence("This is your own review. You can change it or take it back instead.")


class IsHidden(ShopError):
    code, status = "review_is_hidden", 409
    message = sentence("This review was hidden by our staff, so it cannot be changed.")


class NothingToFollowUp(ShopError):
    code, status = "nothing_to_follow_up", 409
    message = sentence("There is no review of yours to add something to. Please write one first.")


class NotThere(ShopError):
    code, status = "review_not_there", 409
    message = sentence("This review is not shown any more. Nothing was changed.")


class ChangedMeanwhile(ShopError):
    code, status = "review_changed_meanwhile", 409
    message = sentence("The review was changed meanwhile. Nothing was changed; please look again.")


class NothingToDecide(ShopError):
    code, status = "nothing_to_decide", 409
    message = sentence("This was decided already. Nothing was changed; please look again.")
