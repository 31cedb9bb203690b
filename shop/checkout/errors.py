"""Why a cart did not become an order. In every case nothing was charged and nothing was taken."""

from __future__ import annotations

from shop.kernel.errors import Invalid, ShopError, sentence
from shop.payments.errors import MethodUnavailable as MethodUnavailable


class CartEmpty(ShopError):
    code, status = "cart_empty", 409
    message = sentence("The cart is empty.")


class NothingChosen(ShopError):
    code, status = "nothing_chosen", 409
    message = sentence("Nothing in the cart is ticked. Please tick what you want to order.")


class CartChanged(ShopError):
    code, status = "cart_changed", 409
    message = sentence("The cart has changed since this page was made. Please look at it again; nothing was ordered.")


class QuoteExpired(ShopError):
    code, status = "quote_expired", 409
    message = sentence("This page was open for more than ten minutes. Please check the amounts again; nothing was ordered.")


class PriceChanged(ShopError):
    """`total_minor` is what it would cost now."""

    code, status = "price_changed", 409
    message = sentence("A price has changed. Please check the new total; nothing was ordered.")


class NotDeliveredHere(ShopError):
    """`variants` cannot be had at this point in the coming days."""

    code, status, field = "not_delivered_here", 409, "pickup_point"
    message = sentence("Some goods are not delivered to this pick-up point in the coming days.")


class BelowMinimum(ShopError):
    code, status = "below_minimum", 409
    message = sentence("A shop delivers from a certain amount on, and the cart is below it.")


class PointMissing(Invalid):
    code, field = "pickup_point_missing", "pickup_point"
    message = sentence("Please choose where you want to collect.")


class UnknownCoupon(Invalid):
    code, field = "unknown_coupon", "coupons"
    message = sentence("We do not know this coupon.")
