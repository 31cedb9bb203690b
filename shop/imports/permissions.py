"""What staff may be permitted to do with sheets of goods. Listing goods is `catalog:goods:write`, prices are `catalog:price:write`."""

from __future__ import annotations

from shop.platform.permissions import Permission


class ImportPermission(Permission):
    SHEET_READ = "imports:sheet:read", "See which sheets were brought for a shop and what became of each row"
    SHEET_WRITE = "imports:sheet:write", "Bring sheets for a shop; what a row may change, other permissions say"
