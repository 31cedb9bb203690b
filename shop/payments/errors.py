"""Why a payment or refund is refused."""

from __future__ import annotations

from shop.kernel.errors import Invalid, NotFound, ShopError, sentence


class PaymentNotFound(NotFound):
    code = "payment_not_found"
    message = sentence("There is no such payment.")


class PaymentClosed(ShopError):
    code, status = "payment_closed", 409
    message = sentence("This payment is no longer open. Nothing was charged; please start again.")


class MethodUnavailable(ShopError):
    code, status, field = "payment_method_unavailable", 409, "method"
    message = sentence("This way of paying is not possible here. Please choose another.")


class PaymentUnderWay(ShopError):
    """A bank has it: whether money comes is known in a while, and until then nothing else may pay."""

    code, status = "payment_under_way", 409
    message = sentence("Your bank is still working on the card payment. Please wait for its answer. Nothing was taken from your wallet.")


class AlreadyPaid(ShopError):
    code, status = "already_paid", 409
    message = sentence("This order has been paid already. Nothing more was charged.")


class CardMinimum(Invalid):
    code, field = "card_minimum", "amount"
    message = sentence("A card payment is at least ¥%(minimum)s. Please pay from your wallet.")


class NotRefundable(ShopError):
    code, status = "not_refundable", 409
    message = sentence("Only a payment that succeeded can be given back.")


class RefundTooLarge(ShopError):
    code, status, field = "refund_too_large", 409, "amount"
    message = sentence("More than was paid cannot be given back; ¥%(left)s are left.")


class CannotTakeAgain(ShopError):
    """Money that has gone to a card, or was spent out of the wallet since, is its owner's."""

    code, status = "cannot_take_again", 409
    message = sentence("What was given back has reached the buyer and cannot be asked for again. Nothing was changed.")


class AlreadyLookedAfter(ShopError):
    """Somebody was faster, or the page is old: what this refund still held is on its way by now, or it did not fail."""

    code, status = "refund_already_looked_after", 409
    message = sentence("This money is being looked after already. Nothing was moved again.")


class AlreadyProposed(ShopError):
    code, status = "refund_already_proposed", 409
    message = sentence("Somebody has asked for this already. It waits for another person's yes.")


class AlreadyDecided(ShopError):
    code, status = "refund_already_decided", 409
    message = sentence("Somebody has decided this already. Nothing was moved again.")


class OwnProposal(ShopError):
    code, status = "own_proposal", 403
    message = sentence("What you asked for yourself needs somebody else's yes.")


class ProviderUnavailable(ShopError):
    """The provider gave no answer that can be used. What it did is not known until it is asked again."""

    code, status = "provider_unavailable", 503
    message = sentence("The payment service does not answer at the moment. Nothing is lost; please try again in a minute.")


class ProviderRefused(ShopError):
    """The provider said a definite no."""

    code, status = "provider_refused", 502
    message = sentence("The payment service refused this payment. Nothing was charged.")


class BadSignature(ShopError):
    code, status = "bad_signature", 400
    message = sentence("This message is not signed by our payment service.")
