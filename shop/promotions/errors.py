"""Why an offer cannot be made."""

from __future__ import annotations

from shop.kernel.errors import Invalid, ShopError, sentence


class OfferImpossible(Invalid):
    code, field = "offer_impossible", "off"
    message = sentence("What comes off must be more than nothing and less than what the goods must be worth, and its time still to come.")


class OfferExists(ShopError):
    code, status, field = "offer_exists", 409, "code"
    message = sentence("There is an offer of this code that says something else. Offers are ended and made anew, never changed.")
