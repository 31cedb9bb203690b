"""What catalog puts on record: each kind of deed, and what it is called."""

from __future__ import annotations

from shop.kernel.errors import sentence
from shop.platform.audit import Tag


class Done(Tag):
    VARIANT_PRICED = "variant.priced", sentence("Price changed")
    VARIANT_LISTED = "variant.listed", sentence("Goods listed")
    VARIANT_CHANGED = "variant.changed", sentence("What is said of goods changed")


SUBJECTS = {
    "variant": sentence("Variant"),
}
"""What deeds are done to."""

FACTS = {"said": sentence("What was changed")}
"""What the facts of entries are called."""
