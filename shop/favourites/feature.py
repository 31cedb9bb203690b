"""What favourites bring."""

from __future__ import annotations

from shop.favourites import api, jobs, views
from shop.favourites.hearts import HEARTS, NAME
from shop.favourites.invariants import INVARIANTS
from shop.favourites.notices import NOTICES
from shop.favourites.queries import KEPT_BY_READER
from shop.favourites.seeding import seed
from shop.kernel.errors import sentence
from shop.models.favourites import Favourite
from shop.platform.features import Feature
from shop.platform.retention import Keep
from shop.platform.slots import OwnPage

FEATURE = Feature(
    name="favourites",
    blueprints=(views.bp,),
    api=(api,),
    jobs=(jobs,),
    invariants=INVARIANTS,
    owns=(Favourite,),
    keeps={Favourite: Keep("For good while it is liked; a month after it was taken away.", elsewhere=True)},
    notices=NOTICES,
    beside_goods=HEARTS,
    read_along={NAME: KEPT_BY_READER},
    own_pages=(OwnPage(sentence("My favourites"), "favourites.list_mine", "heart"),),
    seed=seed,
)
