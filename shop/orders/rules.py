"""What may happen to an order, and what a weighed line costs."""

from __future__ import annotations

from shop.kernel.money import Money, basis_points
from shop.kernel.weight import price_of_weight
from shop.models.orders import SubOrderState
from shop.platform.actor import Actor

State = SubOrderState

# From where a sub-order may move to a state. Everything else is refused.
COMES_FROM: dict[State, tuple[State, ...]] = {
    State.PLACED: (State.CANCELLED,),  # only when money came late for an order that had run out
    State.ACCEPTED: (State.PLACED,),
    State.PACKED: (State.ACCEPTED,),
    State.IN_TRANSIT: (State.PACKED,),
    State.READY: (State.IN_TRANSIT,),
    State.COLLECTED: (State.READY,),
    State.COMPLETED: (State.COLLECTED,),
    State.CANCELLED: (State.PLACED,),
    State.SHORT: (State.PLACED, State.ACCEPTED, State.PACKED, State.IN_TRANSIT),
    State.NOT_COLLECTED: (State.READY,),
    State.RETURNED: (State.COLLECTED, State.NOT_COLLECTED),
}

# Nothing more is expected to happen before the purchase can be closed.
DONE = (State.COLLECTED, State.COMPLETED, State.CANCELLED, State.SHORT, State.NOT_COLLECTED, State.RETURNED)
BEING_PREPARED = (State.PLACED, State.ACCEPTED, State.PACKED, State.IN_TRANSIT)
# The merchant has been given its money.
RELEASED = (State.COLLECTED, State.COMPLETED, State.RETURNED)

MERCHANT_ROLES = ("merchant_owner", "merchant_clerk")
POINT_ROLES = ("keeper",)
MOST_GRAMS = 1_000_000


def final_total(ceiling: Money, unit_price: Money, unit_grams: int, grams: int) -> Money:
    """What a weighed line costs: its weight at the agreed price, half up once, and never more than was agreed."""
    return min(ceiling, price_of_weight(unit_price, grams, unit_grams))


def release_split(total: Money, refunded: Money, commission_bps: int) -> tuple[Money, Money]:
    """What of a sub-order belongs to the merchant and what is commission: on the money that was kept, rounded once."""
    kept = total - refunded
    commission = basis_points(kept, commission_bps)
    return kept - commission, commission


def works_for(actor: Actor, merchant_id: int) -> bool:
    """Whether the actor may prepare this merchant's orders."""
    return actor.kind in {"job", "command"} or merchant_id in actor.merchants(*MERCHANT_ROLES)


def keeps(actor: Actor, pickup_point_id: int) -> bool:
    """Whether the actor may hand goods over at this point."""
    return actor.kind in {"job", "command"} or pickup_point_id in actor.points(*POINT_ROLES)
