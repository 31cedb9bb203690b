"""Which events say what, and how often we look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from shop.kernel.money import ZERO, Money, share

MISMATCH = "amount_mismatch"
TOP_UP_MOST = Money(500_000)
LOOK_AFTER = timedelta(seconds=60)
OPENS_AGAIN_IN = timedelta(seconds=2)
GIVE_UP_OPENING_AFTER = timedelta(seconds=90)
"""How long one question for a page is followed; longer than a page that still waits takes to ask anew."""
DISPUTES_LAST = timedelta(days=240)
"""Until when a dispute may still move money after it was opened: the cards' rules give both sides some months, appeals included."""
ROUND_SECONDS = 15.0
"""How long one round of asking may take, so that at a slow provider rounds do not pile up behind each other."""
LISTS_REFUNDS_OF = timedelta(hours=2)
LISTS_ALL_REFUNDS_OF = timedelta(days=35)
"""How far back the provider's refunds are read through, every few minutes and once a day: a bank may send one back weeks later."""
HANDED_OVER_AFTER = timedelta(hours=12)
"""From then on a person has a refund that is still on its way."""
PLANNED_ANEW = "planned_anew"


def is_about_refund(kind: str) -> bool:
    """Events whose object is a refund."""
    return kind.startswith(("refund.", "charge.refund."))


def is_about_refunds_of_charge(kind: str) -> bool:
    """Events about a charge that was given back; looked at through the payment's intent."""
    return kind == "charge.refunded"


@dataclass(frozen=True, slots=True)
class Room:
    """Where money given back at the provider's side can belong: a sub-order, or money held aside (no sub-order).

    `left` was not given back yet; `failed` are refunds that did not arrive, by id with what each still holds, the oldest first.
    """

    sub_order_id: int | None
    number: str
    left: Money
    is_held: bool
    failed: tuple[tuple[int, Money], ...] = ()

    @property
    def holds(self) -> Money:
        """All that can be given back of it."""
        return Money.total([self.left, *(amount for _id, amount in self.failed)])


@dataclass(frozen=True, slots=True)
class Assigned:
    """So much of it belongs to a sub-order, or carries on a refund that failed; neither: to nobody we hold money for."""

    amount: Money
    sub_order_id: int | None = None
    refund_id: int | None = None


def assign(amount: Money, order: str | None, rooms: Sequence[Room]) -> list[Assigned]:
    """What money given back at the provider's side was for, as far as it can be known. The pieces always sum to `amount`.

    A refund that failed with exactly this amount was done by hand. Else it is the order that whoever made it named; else the one of
    which exactly this is left. Otherwise it is shared in proportion to what can be given back of each, by largest remainder: over what
    is still held, and only beyond that over what merchants have been given. Within one, what failed comes first.
    """
    for room in rooms:
        for refund_id, failed in room.failed:
            if failed == amount:
                return [Assigned(amount, room.sub_order_id, refund_id)]
    shares, rest = dict.fromkeys(range(len(rooms)), ZERO), amount
    named = [place for place, room in enumerate(rooms) if order and room.number == order]
    exact = [place for place, room in enumerate(rooms) if room.holds == amount]
    chosen = named or (exact if len(exact) == 1 else [])
    held = [place for place, room in enumerate(rooms) if room.is_held]
    given = [place for place, room in enumerate(rooms) if not room.is_held]
    for places in (chosen, held, given):
        open_to = [rooms[place].holds - shares[place] for place in places]
        part = min(rest, Money.total(open_to))
        for place, piece in zip(places, share(part, [one.fen for one in open_to]) if part else (), strict=False):
            shares[place] += piece
        rest -= part
    pieces = [piece for place, room in enumerate(rooms) for piece in _within(room, shares[place])]
    return [*pieces, *([Assigned(rest)] if rest else [])]


def _within(room: Room, amount: Money) -> list[Assigned]:
    """First what failed, the oldest first, then what is left."""
    pieces = []
    for refund_id, failed in room.failed:
        if part := min(failed, amount):
            pieces.append(Assigned(part, room.sub_order_id, refund_id))
            amount -= part
    return [*pieces, *([Assigned(amount, room.sub_order_id)] if amount else [])]


def is_about_dispute(kind: str) -> bool:
    """Events whose object is a dispute; looked at through the payment's intent."""
    return kind.startswith("charge.dispute.")


def is_intent(object_id: str) -> bool:
    """Whether an object's id is that of a payment intent."""
    return object_id.startswith("pi_")
