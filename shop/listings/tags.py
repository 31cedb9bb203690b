"""What listings put on record: each kind of deed, and what it is called."""

from __future__ import annotations

from shop.kernel.errors import sentence
from shop.platform.audit import Tag


class Done(Tag):
    PRODUCT_PICTURED = "product.pictured", sentence("Pictures of a product changed")
    PRODUCT_PUBLISHED = "product.published", sentence("Product put on sale")
    PRODUCT_SCHEDULED = "product.scheduled", sentence("Product planned to go on sale")
    PRODUCT_DROPPED = "product.dropped", sentence("Draft of a product thrown away")


SUBJECTS = {"product": sentence("Product")}
"""What deeds are done to."""

FACTS = {"pictures": sentence("Pictures"), "publish_at": sentence("On sale from")}
"""What the facts of entries are called."""
