"""What staff may be permitted to do with the goods of their shop."""

from __future__ import annotations

from shop.platform.permissions import Permission


class CatalogPermission(Permission):
    PRICE_READ = "catalog:price:read", "See a shop's prices, and what each was before"
    PRICE_WRITE = "catalog:price:write", "Decide what a shop's goods cost"
    GOODS_WRITE = "catalog:goods:write", "List goods of a shop, change what is said of them, put them on sale"
