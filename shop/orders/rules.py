"""What may happen to an order, and what a weighed line costs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from shop.cart.rules import MOST_UNITS, next_allowed
from shop.catalog.rules import ALL_YEAR, month_bit, season_mask
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


class Missing(StrEnum):
    """Why something of an earlier order cannot be had today."""

    OFF_SALE = "off_sale"
    OUT_OF_SEASON = "out_of_season"
    SOLD_OUT = "sold_out"
    NOT_DELIVERED = "not_delivered"


@dataclass(frozen=True, slots=True)
class Today:
    """What a variant is at this moment, for one pick-up point."""

    price: Money
    is_on_sale: bool
    season_months: str
    left: int
    minimum_quantity: int
    multiple: int
    is_delivered: bool


def why_missing(today: Today | None, day: date) -> Missing | None:
    """Why none of it can be ordered for the point; None when some can. Gone and out of its months counts as the season's doing."""
    if today is None or not today.is_on_sale:
        mask = season_mask(today.season_months) if today else ALL_YEAR
        return Missing.OFF_SALE if mask & month_bit(day) else Missing.OUT_OF_SEASON
    if _most(today) == 0:
        return Missing.SOLD_OUT
    return None if today.is_delivered else Missing.NOT_DELIVERED


def quantity_today(today: Today, wanted: int) -> int:
    """How many of `wanted` can be ordered: in whole steps, at least the smallest quantity that is sold, and no more than is left."""
    return min(next_allowed(wanted, today.minimum_quantity, today.multiple), _most(today))


def _most(today: Today) -> int:
    most = min(today.left, MOST_UNITS) // today.multiple * today.multiple
    return most if most >= today.minimum_quantity else 0
