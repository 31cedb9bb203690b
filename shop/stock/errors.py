"""Why goods could not be taken, and why what was told about a shelf was not written down."""

from __future__ import annotations

from shop.kernel.errors import Invalid, ShopError, sentence


class StockShortage(ShopError):
    """Less is left than was wanted. `details` lists `{variant_code, available}` for every variant that fell short."""

    code, status = "stock_shortage", 409
    message = sentence("Some of this has just been sold. Take what is left, or leave it out.")


class QuantityNotPositive(Invalid):
    code, field = "quantity_not_positive", "quantity"
    message = sentence("Please enter a quantity of at least 1.")


class QuantityOutOfRange(Invalid):
    code, field = "quantity_out_of_range", "quantity"
    message = sentence("Please enter a whole number from %(least)s to %(most)s.")


class MoreThanThere(ShopError):
    code, status, field = "more_than_there", 409, "quantity"
    message = sentence("There are only %(on_shelf)s on the shelf.")


class ToldDifferently(ShopError):
    """The same reference came with other figures: which of the two is meant cannot be guessed."""

    code, status = "told_differently", 422
    message = sentence("This was written down before with other figures. Nothing has changed now; please look and enter it anew.")


class Doubtful(ShopError):
    """Likely a slip: nothing was written down, and it is when it is told again with `sure`. `others` are further doubts."""

    status, field = 409, "quantity"
    others: tuple[Doubtful, ...] = ()


class PromisedGoods(Doubtful):
    """Less would lie there than was promised. `orders` lists the newest of what is promised, `{number, quantity, is_paid}`."""

    code = "promised_goods"
    message = sentence(
        "%(promised)s of these are promised to customers (%(waiting)s paid, %(held)s being paid). With %(left)s on the shelf, "
        "%(short)s are missing, for example for %(named)s."
    )


class ShelfMoved(Doubtful):
    code = "shelf_moved"
    message = sentence(
        "Since you opened the page something was packed or came in: %(now)s should be lying there now, before it was %(expected)s. "
        "Did you count after that?"
    )


class MuchMore(Doubtful):
    code = "quantity_far_off"
    message = sentence("%(quantity)s at once? The most so far was %(most)s.")


class VeryMany(Doubtful):
    code = "quantity_far_off"
    message = sentence("%(quantity)s at once? That is very many.")


class CountFarOff(Doubtful):
    code = "quantity_far_off"
    message = sentence("You counted %(quantity)s, and %(expected)s should be lying there.")


class TakenBackBefore(ShopError):
    code, status = "taken_back_before", 409
    message = sentence("This was taken back before.")


class NotByHand(ShopError):
    code, status = "not_by_hand", 409
    message = sentence("Only what somebody wrote down can be taken back; sales and cancellations follow their orders.")


class CountedSince(ShopError):
    code, status = "counted_since", 409
    message = sentence("It was counted after that, and the count has put it right. Take the count back first, or count again.")


class GoodsGone(ShopError):
    code, status = "goods_gone", 409
    message = sentence("These goods are gone: only %(available)s can still be sold. Please count the shelf instead.")


class TooLateToTakeBack(ShopError):
    code, status = "too_late_to_take_back", 409
    message = sentence("What was written off can be taken back for %(days)s days. Please count the shelf instead.")


class LossReasonMissing(Invalid):
    code, field = "loss_reason_missing", "reason"
    message = sentence("Please say why.")


class LossWordsMissing(Invalid):
    code, field = "loss_words_missing", "words"
    message = sentence("Please say what happened, in a few words.")


class LowMarkOutOfRange(Invalid):
    code, field = "low_mark_out_of_range", "low_mark"
    message = sentence("Please enter a whole number from 0 to %(most)s, or leave it empty.")
