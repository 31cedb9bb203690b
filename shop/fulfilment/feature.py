"""What fulfilment brings."""

from __future__ import annotations

from shop.fulfilment import jobs
from shop.fulfilment.collecting import ORDERS_TO_COLLECT
from shop.fulfilment.endings import OLDEST
from shop.fulfilment.invariants import INVARIANTS
from shop.fulfilment.notices import NOTICES
from shop.fulfilment.permissions import FulfilmentPermission
from shop.fulfilment.tags import SUBJECTS, Done
from shop.models.pickup import Batch
from shop.platform.features import Feature
from shop.platform.retention import Keep

FEATURE = Feature(
    name="fulfilment",
    jobs=(jobs,),
    invariants=INVARIANTS,
    ages=OLDEST,
    owns=(Batch,),
    keeps={Batch: Keep("Orders are checked against their delivery for good.")},
    done=Done,
    subjects=SUBJECTS,
    notices=NOTICES,
    permissions=FulfilmentPermission,
    collectables=(ORDERS_TO_COLLECT,),
)
