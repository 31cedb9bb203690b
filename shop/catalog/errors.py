"""What the catalogue refuses."""

from __future__ import annotations

from shop.kernel.errors import Invalid, NotFound, ShopError, sentence


class ProductNotFound(NotFound):
    message = sentence("We could not find this product. It may no longer be on sale.")


class CategoryNotFound(NotFound):
    message = sentence("We could not find this category.")


class SearchTooLong(Invalid):
    code, field = "search_too_long", "q"
    message = sentence("Please search for fewer than %(limit)s characters.")


class PriceNotPositive(Invalid):
    code, field = "price_not_positive", "price"
    message = sentence("A price must be more than zero.")


class PriceChangedMeanwhile(ShopError):
    """Somebody else gave it a price after this one was typed."""

    code, status, field = "price_changed_meanwhile", 409, "price"
    message = sentence("The price was changed meanwhile and is ¥%(now)s. Please look again before you change it.")


class PriceFarOff(ShopError):
    """So different from the price before that it is likely a slip; it is taken when told again with `sure`."""

    code, status, field = "price_far_off", 409, "price"


class PriceMuchHigher(PriceFarOff):
    message = sentence("¥%(old)s → ¥%(new)s, that is %(times)s times as much. Is that right?")


class PriceMuchLower(PriceFarOff):
    message = sentence("¥%(old)s → ¥%(new)s, that is %(percent)s less. Is that right?")


class PricesRefused(ShopError):
    """Of several prices none was saved; `refused` says by code what is wrong with which."""

    code, status = "prices_refused", 409
    message = sentence("Nothing was saved yet: please look at the prices that are marked.")

    def __init__(self, refused: dict[str, ShopError]) -> None:
        self.refused = refused
        super().__init__()

    @property
    def is_question(self) -> bool:
        """Whether saying yes is enough."""
        return all(isinstance(refusal, PriceFarOff) for refusal in self.refused.values())
