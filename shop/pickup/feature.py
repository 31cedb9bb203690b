"""What pick-up brings."""

from __future__ import annotations

from shop.models.pickup import Cycle, MerchantPoint, Pass, PickupPoint
from shop.pickup import jobs, views
from shop.pickup.invariants import INVARIANTS
from shop.pickup.permissions import PickupPermission
from shop.pickup.tags import SUBJECTS, Done
from shop.platform.features import Feature
from shop.platform.retention import PLACES, Keep

FEATURE = Feature(
    name="pickup",
    blueprints=(views.bp,),
    jobs=(jobs,),
    invariants=INVARIANTS,
    owns=(PickupPoint, MerchantPoint, Cycle, Pass),
    keeps={
        PickupPoint: Keep(PLACES),
        MerchantPoint: Keep(PLACES),
        Cycle: Keep("Orders name it."),
        Pass: Keep("Hand-overs name it: whose pass it was settles what was collected by whom."),
    },
    done=Done,
    subjects=SUBJECTS,
    permissions=PickupPermission,
)
