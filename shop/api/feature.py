"""What the API brings of its own: resources over several features."""

from __future__ import annotations

from shop.api.v1 import (
    auth,
    bills,
    cart,
    catalog,
    checkout,
    me,
    merchant,
    openapi,
    orders,
    partners,
    passes,
    places,
    search,
    shelf,
    station,
    wallet,
)
from shop.platform.api import core
from shop.platform.features import Feature

FEATURE = Feature(
    name="api",
    blueprints=(core.bp,),
    api=(auth, bills, cart, catalog, checkout, me, merchant, openapi, orders, partners, passes, places, search, shelf, station, wallet),
)
