"""What the counter brings."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from shop.counter import jobs
from shop.counter.invariants import INVARIANTS
from shop.counter.permissions import CounterPermission
from shop.counter.tags import Done
from shop.models.pickup import Collectable, Handover, HandoverKept, HandoverOutcome
from shop.platform.features import Feature
from shop.platform.retention import Forget, Keep

FEATURE = Feature(
    name="counter",
    jobs=(jobs,),
    invariants=INVARIANTS,
    owns=(Collectable, Handover, HandoverKept),
    keeps={
        Collectable: Keep("That nothing is handed over twice is its one row."),
        Handover: Keep(
            "For good where goods left the desk; what was refused or repeated, a year.",
            (
                Forget(
                    timedelta(days=365), Handover.received_at,
                    lambda: sa.and_(
                        Handover.outcome.in_((HandoverOutcome.REFUSED, HandoverOutcome.DUPLICATE)),
                        ~sa.exists().where(Collectable.handover_id == Handover.id),
                    ),
                    first=(HandoverKept.handover_id,),
                ),
            ),
        ),
        HandoverKept: Keep("As long as its hand-over."),
    },
    done=Done,
    permissions=CounterPermission,
)
