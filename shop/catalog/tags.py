"""What catalog puts on record: each kind of deed, and what it is called."""

from __future__ import annotations

from shop.kernel.errors import sentence
from shop.platform.audit import Tag


class Done(Tag):
    VARIANT_PRICED = "variant.priced", sentence("Price changed")


SUBJECTS = {
    "variant": sentence("Variant"),
}
"""What deeds are done to."""
