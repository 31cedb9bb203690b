"""What may happen to an order, and what a weighed line costs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

from shop.cart.rules import MOST_UNITS, next_allowed
from shop.catalog.rules import ALL_YEAR, month_bit, season_mask
from shop.kernel.money import ZERO, Money, basis_points, divide_half_up
from shop.kernel.weight import price_of_weight
from shop.models.orders import SubOrderState
from shop.orders.permissions import OrderPermission
from shop.platform.actor import Actor
from shop.platform.permissions import Permission
from shop.promotions import rules as pricing

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

# What was done by mistake is taken back, while nobody has built on it: packing until it is sent, sending until it has arrived.
COMES_BACK_FROM: dict[State, State] = {State.ACCEPTED: State.PACKED, State.PACKED: State.IN_TRANSIT}

# Nothing more is expected to happen before the purchase can be closed.
DONE = (State.COLLECTED, State.COMPLETED, State.CANCELLED, State.SHORT, State.NOT_COLLECTED, State.RETURNED)
BEING_PREPARED = (State.PLACED, State.ACCEPTED, State.PACKED, State.IN_TRANSIT)
# The merchant has been given its money: all that was not given back before.
RELEASED = (State.COLLECTED, State.COMPLETED, State.NOT_COLLECTED, State.RETURNED)

LEFT_BEFORE = "left_before_payment"
"""Why a part was given up that nobody declined: its delivery had left when the money came, and there was no next one."""

MOST_GRAMS = 1_000_000


class Frozen(Protocol):
    """A line as it was agreed, whoever reads it."""

    @property
    def unit_price(self) -> Money: ...
    @property
    def discount_total(self) -> Money: ...
    @property
    def quantity(self) -> int: ...
    @property
    def short_quantity(self) -> int: ...
    @property
    def unit_grams(self) -> int: ...


AGREED = ("unit_price", "discount_total", "quantity", "short_quantity", "unit_grams")
"""The columns of a line that say what it can cost."""


def ceiling(line: Frozen) -> Money:
    """The most a line can cost: what was paid for the units that are there."""
    return paid_for(line, line.quantity - line.short_quantity)


def paid_for(line: Frozen, units: int) -> Money:
    """What was paid for the first `units` of a line. What is not there is missing from the end."""
    return pricing.paid_for(line.unit_price, line.discount_total, line.quantity, units)


def final_total(line: Frozen, grams: int) -> Money:
    """What a weighed line costs: its weight at what was paid for what is there, half up once, and never more than that."""
    most, nominal = ceiling(line), line.unit_grams * (line.quantity - line.short_quantity)
    return min(most, price_of_weight(most, grams, nominal)) if nominal else ZERO


def release_split(total: Money, refunded: Money, commission_bps: int) -> tuple[Money, Money]:
    """What of a buyer's money belongs to the merchant and what is commission: on the money that was kept, rounded once."""
    return _less_commission(total - refunded, commission_bps)


def support_split(supported: Money, goods_paid: Money, refunded: Money, commission_bps: int) -> tuple[Money, Money]:
    """What of the platform's part of a discount the merchant gets, and what is commission on it, rounded once.

    It goes with the goods: as much of it is due as of `goods_paid`, what the buyer paid for them, was not given back, half up. A fee is
    given back last.
    """
    due = supported
    if refunded and supported:
        kept = max(goods_paid - refunded, ZERO)
        due = Money(divide_half_up(supported.fen * kept.fen, goods_paid.fen)) if goods_paid else ZERO
    return _less_commission(due, commission_bps)


def _less_commission(amount: Money, commission_bps: int) -> tuple[Money, Money]:
    commission = basis_points(amount, commission_bps)
    return amount - commission, commission


def works_for(actor: Actor, merchant_id: int, permission: OrderPermission) -> bool:
    """Whether the actor may do this with the orders of a merchant."""
    return actor.kind in {"job", "command"} or merchant_id in actor.merchants(permission)


def keeps(actor: Actor, pickup_point_id: int, permission: Permission) -> bool:
    """Whether the actor may do this with the goods at a point."""
    return actor.kind in {"job", "command"} or pickup_point_id in actor.points(permission)


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
