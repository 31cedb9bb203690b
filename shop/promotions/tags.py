"""What is put on record of offers: each kind of deed, and what it is called."""

from __future__ import annotations

from shop.kernel.errors import sentence
from shop.platform.audit import Tag


class Done(Tag):
    OFFER_MADE = "offer.made", sentence("Offer made")
    OFFER_ENDED = "offer.ended", sentence("Offer ended")


SUBJECTS = {
    "offer": sentence("Offer"),
}
"""What deeds are done to."""
