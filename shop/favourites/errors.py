"""What favourites refuse."""

from __future__ import annotations

from shop.kernel.errors import ShopError, sentence


class TooManyFavourites(ShopError):
    code, status = "too_many_favourites", 409
    message = sentence("You have %(most)s favourites, as many as we keep. Take one away first.")
