"""Why goods could not be taken."""

from __future__ import annotations

from shop.kernel.errors import Invalid, ShopError, sentence


class StockShortage(ShopError):
    """Less is left than was wanted. `details` lists `{variant_code, available}` for every variant that fell short."""

    code, status = "stock_shortage", 409
    message = sentence("Some of this has just been sold. Take what is left, or leave it out.")


class QuantityNotPositive(Invalid):
    code, field = "quantity_not_positive", "quantity"
    message = sentence("Please enter a quantity of at least 1.")
