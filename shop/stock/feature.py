"""What stock brings."""

from __future__ import annotations

from datetime import timedelta

from shop.kernel.errors import sentence
from shop.models.stock import Reservation, ShelfTerms, StockItem, StockLoss, StockMovement
from shop.platform.features import Feature
from shop.platform.retention import Forget, Keep
from shop.platform.typed import SHOPS, Reader, Typed
from shop.stock import jobs
from shop.stock.invariants import INVARIANTS
from shop.stock.notices import NOTICES
from shop.stock.permissions import StockPermission
from shop.stock.seeding import seed
from shop.stock.tags import Done

THREE_YEARS = timedelta(days=3 * 366)

FEATURE = Feature(
    name="stock",
    jobs=(jobs,),
    invariants=INVARIANTS,
    owns=(StockItem, StockMovement, StockLoss, Reservation, ShelfTerms),
    keeps={
        StockItem: Keep("One per variant."),
        StockMovement: Keep("What is on hand is the sum of all movements."),
        StockLoss: Keep(
            "Three years: why goods were written off. How many stays with their movement.", (Forget(THREE_YEARS, StockLoss.at),)
        ),
        ShelfTerms: Keep("One per shop."),
        Reservation: Keep("One per line of an order: that goods are sold once is checked against it."),
    },
    typed={
        StockLoss.words: Typed(what=sentence("Why goods of a shop were written off"), by=SHOPS, readers=(Reader.SHOP,)),
    },
    done=Done,
    notices=NOTICES,
    permissions=StockPermission,
    seed=seed,
)
