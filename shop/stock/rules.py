"""Arithmetic of quantities and of the shelf (docs/algorithms/stock.md)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from shop.kernel.errors import sentence
from shop.models.stock import LossReason, MovementKind

BY_HAND = (MovementKind.RECEIVED, MovementKind.SPOILAGE, MovementKind.OFFLINE_SALE, MovementKind.CORRECTION)
"""What people write down themselves."""

LOSS_WORDS = {
    LossReason.SPOILED: sentence("Gone bad"), LossReason.BROKEN: sentence("Broken"), LossReason.PAST_DATE: sentence("Past its date"),
    LossReason.GIVEN_AWAY: sentence("Given away"), LossReason.STOLEN: sentence("Stolen"), LossReason.OTHER: sentence("Another reason"),
}  # fmt: skip
"""What a reason is called, in the order people are asked in."""

NEED_WORDS = frozenset({LossReason.STOLEN, LossReason.OTHER})
"""What says too little by itself."""

MOST_LOW_MARK = 100_000

MOST_WORDS = 200

WRITTEN_OFF_FOR = timedelta(days=7)
"""How long what was written off can be taken back: until the next count of most shops. Later a count says what lies there."""

MANY = 1_000
TIMES_THE_MOST = 10
NEVER_MANY = 50
FEW_OFF = 5


@dataclass(frozen=True, slots=True)
class Wanted:
    """So many selling units of a variant for one order line."""

    variant_id: int
    order_line_id: int
    quantity: int


def totals(wanted: Iterable[Wanted]) -> dict[int, int]:
    """Quantity per variant, in the order every transaction takes stock: by variant id. Two lines of one variant add up."""
    sums: dict[int, int] = {}
    for line in wanted:
        sums[line.variant_id] = sums.get(line.variant_id, 0) + line.quantity
    return dict(sorted(sums.items()))


@dataclass(frozen=True, slots=True)
class Lying:
    """One variant in selling units: `on_hand` is not sold, `reserved` of it is held for unpaid orders, `waiting` is sold and not
    packed, `missing` of what is promised was not found."""

    on_hand: int
    reserved: int
    missing: int
    waiting: int

    @property
    def on_shelf(self) -> int:
        """What should be lying there, to be counted: free, held, and sold but not packed."""
        return max(self.on_hand + self.waiting - self.missing, 0)

    @property
    def promised(self) -> int:
        return self.waiting + self.reserved

    def lacking(self, left: int) -> int:
        """How much of what is promised is not there when so many lie there."""
        return max(self.promised - left, 0)

    @property
    def available(self) -> int:
        return max(self.on_hand - self.reserved - self.missing, 0)


@dataclass(frozen=True, slots=True)
class Change:
    """By how much `on_hand` and `missing` change."""

    quantity: int
    missing_by: int = 0


def counted(lying: Lying, quantity: int) -> Change:
    """So many lie there: promises are kept first, what remains is free; what the promises lack is missing."""
    unsold = max(quantity - lying.waiting, lying.reserved)
    return Change(unsold - lying.on_hand, lying.lacking(quantity) - lying.missing)


def taken(lying: Lying, quantity: int) -> Change:
    """So many left the shelf: what nobody holds first, then what is promised, which is missing from then on."""
    unsold = min(quantity, lying.on_hand - lying.reserved)
    return Change(-unsold, quantity - unsold)


def last_moment_to_take_back(kind: MovementKind, at: datetime) -> datetime | None:
    """Until when a movement written down at a moment can be taken back; None for those that can be until something else ends it."""
    return at + WRITTEN_OFF_FOR if kind is MovementKind.SPOILAGE else None


def is_very_many(quantity: int, most: int) -> bool:
    """Whether so many at once are likely a slip; `most` is the largest movement before, 0 for none."""
    return quantity > MANY or (most > 0 and quantity > max(TIMES_THE_MOST * most, NEVER_MANY))


def is_count_far_off(expected: int, quantity: int) -> bool:
    """Whether a count changes the shelf by so much that it is likely a slip: more than half of it, and by more than a few."""
    off = abs(quantity - expected)
    return off > MANY or (off > FEW_OFF and 2 * off > expected)
