"""What the catalogue refuses."""

from __future__ import annotations

from shop.kernel.errors import Invalid, NotFound, sentence


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
