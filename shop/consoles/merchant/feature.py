"""What the merchants' console brings."""

from __future__ import annotations

from shop.consoles.merchant import (
    bulk,
    deliveries,
    downloads,
    editing,
    figures,
    goods,
    grid,
    imports,
    listings,
    losses,
    low,
    members,
    overdue,
    packing,
    pictures,
    prices,
    views,
)
from shop.platform.features import Feature

FEATURE = Feature(
    name="merchant console",
    blueprints=(views.bp,),
    pages=(
        bulk, deliveries, downloads, editing, figures, goods, grid, imports, listings, losses, low, members, overdue, packing, pictures,
        prices,
    ),
)
