"""What listings put on record: each kind of deed, and what it is called."""

from __future__ import annotations

from shop.kernel.errors import sentence
from shop.platform.audit import Tag


class Done(Tag):
    PRODUCT_PICTURED = "product.pictured", sentence("Pictures of a product changed")


SUBJECTS = {"product": sentence("Product")}
"""What deeds are done to."""

FACTS = {"pictures": sentence("Pictures")}
"""What the facts of entries are called."""
