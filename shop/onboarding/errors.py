"""What onboarding refuses."""

from __future__ import annotations

from shop.kernel.errors import Invalid, ShopError, sentence


class KindUnknown(Invalid):
    code, field = "kind_unknown", "kind"
    message = sentence("Please choose how you sell.")


class FoodUnknown(Invalid):
    code, field = "food_unknown", "food"
    message = sentence("Please choose what of food you sell.")


class AnswerMissing(Invalid):
    code = "answer_missing"
    message = sentence("Please write something here.")


class NotDeclared(Invalid):
    code, field = "not_declared", "declares"
    message = sentence("Without a licence you can sell only what you grew yourself. Please declare that.")


class PointsMissing(Invalid):
    code, field = "points_missing", "points"
    message = sentence("Please choose at least one pick-up point.")


class PaperUnknown(Invalid):
    code, field = "paper_unknown", "paper"
    message = sentence("Please choose which paper it is.")


class PaperMissing(Invalid):
    code, field = "paper_missing", "file"
    message = sentence("Please choose a photo or a PDF file.")


class PaperUnreadable(Invalid):
    code, field = "paper_unreadable", "file"
    message = sentence("This is no photo (JPEG, PNG, WebP) and no PDF file that can be opened. Please take a photo of the paper.")


class PaperTooLarge(Invalid):
    code, field, status = "paper_too_large", "file", 413
    message = sentence("This file is too large. A photo may have 8 MB, a PDF file 3 MB.")


class PaperExpired(Invalid):
    code, field = "paper_expired", "valid_until"
    message = sentence("This paper is not valid any more. Please hand in the new one.")


class EndMissing(Invalid):
    code, field = "end_missing", "valid_until"
    message = sentence("Please say until when it is valid. It stands on the paper.")


class TooManyPapers(ShopError):
    code, status, field = "too_many_papers", 409, "file"
    message = sentence("An application has room for %(most)s papers. Please take one away first.")


class NotOpen(ShopError):
    code, status = "application_not_open", 409
    message = sentence("Your application cannot be changed just now. Nothing was changed; please look at it again.")


class NotComplete(ShopError):
    code, status = "application_not_complete", 409
    message = sentence("Something is still missing. Nothing was sent; what is missing is marked.")


class NotWaiting(ShopError):
    code, status = "application_not_waiting", 409
    message = sentence("This application does not wait for you any more. Nothing was changed; please look again.")


class ChangedMeanwhile(ShopError):
    code, status = "application_changed", 409
    message = sentence("The applicant has changed something since you looked. Nothing was decided; please read it again.")


class ReasonMissing(Invalid):
    code, field = "reason_missing", "reason"
    message = sentence("Please say why, in a few words.")


class CommissionUnclear(Invalid):
    code, field = "commission_unclear", "commission"
    message = sentence("Please write the commission as a share of the price from 0 to 30 percent, such as 3 or 2.5.")


class CodeIsTaken(ShopError):
    code, status, field = "credit_code_taken", 409, "uscc"
    message = sentence("There is a shop with this code of the register already. Nothing was changed.")


class PaperGone(ShopError):
    code, status = "paper_gone", 410
    message = sentence("This paper has been removed, as was promised to the applicant.")
