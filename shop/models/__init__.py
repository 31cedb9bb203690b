"""The one model layer: one module per area, no behaviour beyond tiny properties.

Import a model from its module (`from shop.models.orders import Purchase`), so that everybody sees who touches what.
Importing this package maps every table. Children name parents by string; nothing points back.
"""

from shop.models import (  # noqa: F401  (mapping every table is the point)
    accounts,
    bills,
    bulletin,
    cart,
    catalog,
    checkout,
    communities,
    favourites,
    imports,
    listings,
    merchants,
    onboarding,
    orders,
    payments,
    pickup,
    platform,
    promotions,
    reviews,
    stock,
    wallet,
)
