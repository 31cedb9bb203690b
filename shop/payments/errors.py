"""Why a payment or refund is refused."""

from __future__ import annotations

from shop.kernel.errors import Invalid, NotFound, ShopError, sentence


class PaymentNotFound(NotFound):
    code = "payment_not_found"
    message = sentence("There is no such payment.")


class PaymentClosed(ShopError):
    code, status = "payment_closed", 409
    message = sentence("This payment is no longer open. Nothing was charged; please start again.")


class CardMinimum(Invalid):
    code, field = "card_minimum", "amount"
    message = sentence("A card payment is at least ¥%(minimum)s. Please pay from your wallet.")


class NotRefundable(ShopError):
    code, status = "not_refundable", 409
    message = sentence("Only a payment that succeeded can be given back.")


class RefundTooLarge(ShopError):
    code, status, field = "refund_too_large", 409, "amount"
    message = sentence("More than was paid cannot be given back; ¥%(left)s are left.")


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
