"""What orders bring."""

from __future__ import annotations

from shop.kernel.errors import sentence
from shop.models.orders import LineDiscount, OrderLine, Purchase, SettledDay, SubOrder
from shop.orders import commands, jobs, views
from shop.orders.invariants import INVARIANTS
from shop.orders.notices import NOTICES
from shop.orders.permissions import OrderPermission
from shop.orders.tags import SUBJECTS, Done
from shop.platform.features import Feature
from shop.platform.retention import LAW, Keep
from shop.platform.typed import SHOPS, Reader, Typed

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
    typed={
        SubOrder.declined_reason: Typed(
            what=sentence("Why a shop cannot deliver an order"), by=SHOPS, readers=(Reader.BUYER, Reader.STAFF)
        ),
        OrderLine.short_reason: Typed(
            what=sentence("Why goods of an order are not there"), by=SHOPS, readers=(Reader.BUYER, Reader.SHOP, Reader.STAFF)
        ),
    },
    done=Done,
    subjects=SUBJECTS,
    notices=NOTICES,
    permissions=OrderPermission,
)
