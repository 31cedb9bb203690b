"""What the cart brings."""

from __future__ import annotations

from shop.cart import jobs, views
from shop.cart.browser import COUNT
from shop.cart.queries import COUNT_OF_READER
from shop.models.cart import Cart, CartLine
from shop.platform.features import Feature
from shop.platform.retention import Keep

FEATURE = Feature(
    name="cart",
    blueprints=(views.bp,),
    jobs=(jobs,),
    read_along={COUNT: COUNT_OF_READER},
    owns=(Cart, CartLine),
    keeps={
        Cart: Keep("A person's own for good; a browser's for a month after it was last used.", elsewhere=True),
        CartLine: Keep("As long as its cart."),
    },
)
