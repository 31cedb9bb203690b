"""What checkout puts on record: each kind of deed, and what it is called."""

from __future__ import annotations

from shop.kernel.errors import sentence
from shop.platform.audit import Tag


class Done(Tag):
    PURCHASE_PLACED = "purchase.placed", sentence("Order placed")
