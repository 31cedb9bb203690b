"""What orders bring."""

from __future__ import annotations

from shop.models.orders import LineDiscount, OrderLine, Purchase, SettledDay, SubOrder
from shop.orders import commands, jobs, views
from shop.orders.invariants import INVARIANTS
from shop.orders.notices import NOTICES
from shop.orders.permissions import OrderPermission
from shop.orders.tags import SUBJECTS, Done
from shop.platform.features import Feature
from shop.platform.retention import LAW, Keep

FEATURE = Feature(
    name="orders",
    blueprints=(views.bp,),
    jobs=(jobs,),
    commands=(commands.group,),
    invariants=INVARIANTS,
    owns=(Purchase, SubOrder, OrderLine, LineDiscount, SettledDay),
    keeps={
        Purchase: Keep(LAW),
        SubOrder: Keep(LAW),
        OrderLine: Keep(LAW),
        LineDiscount: Keep(LAW),
        SettledDay: Keep("One per merchant and day: what statements are summed from."),
    },
    done=Done,
    subjects=SUBJECTS,
    notices=NOTICES,
    permissions=OrderPermission,
)
