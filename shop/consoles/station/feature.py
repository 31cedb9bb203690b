"""What the stations' console brings."""

from __future__ import annotations

from shop.consoles.station import deliveries, overdue, views
from shop.platform.features import Feature

FEATURE = Feature(
    name="station console",
    blueprints=(views.bp,),
    pages=(deliveries, overdue),
)
