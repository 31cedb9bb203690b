"""Why an order could not be changed."""

from __future__ import annotations

from shop.kernel.errors import Invalid, ShopError, sentence


class TooLateToCancel(ShopError):
    code, status = "too_late_to_cancel", 409
    message = sentence("This order is already being prepared, so it can no longer be cancelled here. Nothing was changed.")


class WrongState(ShopError):
    """The order is not where this step starts from: somebody was faster, or the page is old."""

    code, status = "wrong_state", 409
    message = sentence("This order has moved on in the meantime. Please look at it again.")


class CannotTakeBack(ShopError):
    """Something was built on the hand-over since: money was given back, or the order has moved on."""

    code, status = "cannot_take_back", 409
    message = sentence("Something was changed about this order since, so it cannot be taken back here. Please call operations.")


class NotSoldByWeight(ShopError):
    code, status, field = "not_sold_by_weight", 409, "grams"
    message = sentence("This line has a fixed price; it is not weighed.")


class AlreadyWeighed(ShopError):
    """Somebody was faster. Told with the weight that is written down, a correction is taken."""

    code, status, field = "already_weighed", 409, "grams"
    message = sentence("This line is written down as %(grams)s g already. Look who weighed it, and correct it if that is wrong.")


class WeighedLine(ShopError):
    code, status, field = "weighed_line", 409, "there"
    message = sentence("This line has been weighed. Correct its weight instead: what is not there weighs nothing.")


class LineComplete(Invalid):
    code, field = "more_there_than_ordered", "there"
    message = sentence("Please enter how many are there: a whole number from 0 to %(most)s.")


class ReasonMissing(Invalid):
    code, field = "reason_missing", "reason"
    message = sentence("Please say why, in a few words.")


class LinesNotWeighed(ShopError):
    code, status = "lines_not_weighed", 409
    message = sentence("Weigh every line sold by weight before packing is finished.")


class WeightOutOfRange(Invalid):
    code, field = "weight_out_of_range", "grams"
    message = sentence("Please enter a weight between 0 and %(most)s grams.")


class RefundTooLarge(ShopError):
    code, status, field = "refund_too_large", 409, "amount"
    message = sentence("That is more than is left to give back on this order.")
