"""What fulfilment brings."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from shop.fulfilment import jobs
from shop.fulfilment.endings import OLDEST
from shop.fulfilment.invariants import INVARIANTS
from shop.fulfilment.notices import NOTICES
from shop.fulfilment.permissions import FulfilmentPermission
from shop.fulfilment.tags import SUBJECTS, Done
from shop.models.pickup import Batch, Handover, HandoverItem, HandoverKept, HandoverOutcome
from shop.platform.features import Feature
from shop.platform.retention import Forget, Keep

FEATURE = Feature(
    name="fulfilment",
    jobs=(jobs,),
    invariants=INVARIANTS,
    ages=OLDEST,
    owns=(Batch, Handover, HandoverItem, HandoverKept),
    keeps={
        Batch: Keep("Orders are checked against their delivery for good."),
        Handover: Keep(
            "For good where goods left the desk; what was refused or repeated, a year.",
            (
                Forget(
                    timedelta(days=365), Handover.received_at,
                    lambda: sa.and_(
                        Handover.outcome.in_((HandoverOutcome.REFUSED, HandoverOutcome.DUPLICATE)),
                        ~sa.exists().where(HandoverItem.handover_id == Handover.id),
                    ),
                    first=(HandoverKept.handover_id,),
                ),
            ),
        ),
        HandoverItem: Keep("That nothing is handed over twice is its unique key."),
        HandoverKept: Keep("As long as its hand-over."),
    },
    done=Done,
    subjects=SUBJECTS,
    notices=NOTICES,
    permissions=FulfilmentPermission,
)
