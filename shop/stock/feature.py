"""What stock brings."""

from __future__ import annotations

from shop.models.stock import Reservation, StockItem, StockMovement
from shop.platform.features import Feature
from shop.platform.retention import Keep
from shop.stock.invariants import INVARIANTS
from shop.stock.permissions import StockPermission
from shop.stock.tags import Done

FEATURE = Feature(
    name="stock",
    invariants=INVARIANTS,
    owns=(StockItem, StockMovement, Reservation),
    keeps={
        StockItem: Keep("One per variant."),
        StockMovement: Keep("What is on hand is the sum of all movements."),
        Reservation: Keep("One per line of an order: that goods are sold once is checked against it."),
    },
    done=Done,
    permissions=StockPermission,
)
