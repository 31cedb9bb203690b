"""What staff may be permitted to do with the shelves of their shop."""

from __future__ import annotations

from shop.platform.permissions import Permission


class StockPermission(Permission):
    SHELF_READ = "stock:shelf:read", "See what lies on a shop's shelves, and why"
    COUNT_WRITE = "stock:count:write", "Write down what came, was counted, spoiled or was sold across the counter"
    LOW_WRITE = "stock:low:write", "Say with how many left something runs low, for one thing or for the whole shop"
    COUNT_TAKE_BACK = "stock:count:take_back", "Undo what was written down about a shelf by mistake"
