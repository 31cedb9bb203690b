"""What a merchant should do next, the most pressing first. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum

from shop.fulfilment.queries import Delivery

HURRY = timedelta(hours=4)
"""So long before its arrival a delivery has to leave the shop."""


class Urgency(IntEnum):
    """How pressing it is; the smaller the sooner."""

    LATE = 0
    NOW = 1
    TODAY = 2
    LATER = 3

    @property
    def word(self) -> str:
        """For templates and style names."""
        return self.name.lower()


class Deed(StrEnum):
    """What is to be done with a delivery."""

    SEND = "send"
    PACK = "pack"
    ACCEPT = "accept"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: so many orders of one delivery."""

    deed: Deed
    urgency: Urgency
    delivery: Delivery
    orders: int


def urgency_of(arrives_at: datetime, moment: datetime) -> Urgency:
    """How pressing it is that something leaves which should arrive then."""
    if arrives_at <= moment:
        return Urgency.LATE
    if arrives_at - moment <= HURRY:
        return Urgency.NOW
    return Urgency.TODAY if arrives_at - moment <= timedelta(hours=24) else Urgency.LATER


def next_steps(deliveries: Iterable[Delivery], moment: datetime) -> list[Step]:
    """Everything a merchant's deliveries wait for, the most pressing first, the earlier arrival before the later.

    Packed goods are sent when all of the delivery is packed, or when it is time; orders are packed from the cut-off on,
    before it they are only accepted, because more may come.
    """
    found = []
    for delivery in deliveries:
        urgency = urgency_of(delivery.arrives_at, moment)
        is_closed = delivery.closed_at is not None or delivery.cut_off_at <= moment
        if delivery.packed and (not delivery.to_pack or urgency <= Urgency.NOW) and is_closed:
            found.append(Step(Deed.SEND, urgency, delivery, delivery.packed))
        if delivery.to_pack and is_closed:
            found.append(Step(Deed.PACK, urgency, delivery, delivery.to_pack))
        elif delivery.to_accept:
            found.append(Step(Deed.ACCEPT, Urgency.LATER, delivery, delivery.to_accept))
    return sorted(found, key=lambda step: (step.urgency, step.delivery.arrives_at, step.deed is Deed.SEND, step.delivery.cycle_id))
