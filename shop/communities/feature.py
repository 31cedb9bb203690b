"""What communities bring."""

from __future__ import annotations

from shop.communities import views
from shop.models.communities import Community, Region
from shop.platform.features import Feature
from shop.platform.retention import PLACES, Keep

FEATURE = Feature(
    name="communities",
    blueprints=(views.bp,),
    owns=(Region, Community),
    keeps={Region: Keep(PLACES), Community: Keep(PLACES)},
)
