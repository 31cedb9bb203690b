"""What favourites tell people in their inbox."""

from __future__ import annotations

from shop.kernel.errors import sentence
from shop.platform.notices import Words

NOTICES: Words = {
    "favourites.back": (sentence("A favourite is back"), sentence("%(product)s can be ordered again for your pick-up point.")),
}
