"""Why something could not be put into a cart."""

from __future__ import annotations

from shop.kernel.errors import Invalid, NotFound, ShopError, sentence


class NotOnSale(NotFound):
    """There is no such variant, or it is not sold any more: the answer is the same."""

    code = "not_on_sale"
    message = sentence("This is not on sale any more.")


class QuantityNotAllowed(Invalid):
    code, field = "quantity_not_allowed", "quantity"
    message = sentence("This is sold from %(minimum)s, in steps of %(multiple)s.")


class QuantityTooLarge(Invalid):
    code, field = "quantity_too_large", "quantity"
    message = sentence("At most %(most)s of one kind fit into a cart.")


class CartMovedOn(ShopError):
    """Somebody, perhaps the same person on another device, has changed this line since; `quantity` lies there now."""

    code, status, field = "cart_moved_on", 409, "quantity"
    message = sentence("This was changed elsewhere in the meantime: %(quantity)s lie in the cart now. Nothing was changed just now.")


class CartFull(ShopError):
    code, status = "cart_full", 409
    message = sentence("A cart holds at most %(most)s kinds of goods. Order these first, then go on.")
