"""How long anything may stay where it is, who hears of it when, and how it ends. docs/algorithms/endings.md tells it with worked cases.

The one table behind the timers, the lists of what waits too long, and the ages `flask verify` knows. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shop.kernel.money import ZERO, Money
from shop.models.catalog import Storage
from shop.models.orders import SubOrderState

State = SubOrderState

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Wait(StrEnum):
    """What a paid sub-order waits for."""

    TO_PACK = "to_pack"  # its shop has not packed it
    TO_SEND = "to_send"  # packed, and neither sent nor counted at the point
    ON_THE_WAY = "on_the_way"  # sent, its delivery not received
    MISSING = "missing"  # its delivery was received without it
    TO_COLLECT = "to_collect"
    TO_CLAIM = "to_claim"  # collected; something may still be wrong with it


@dataclass(frozen=True, slots=True)
class Patience:
    """Counted from when the goods should have been there, or from when their delivery was received if that is later.

    The shop is told at once. From `listed` it stands on the operators' list, from `told` its buyer knows, from `alarm` a person has
    to decide, and at `ends` all of its money goes back by itself.
    """

    listed: timedelta
    told: timedelta
    alarm: timedelta
    ends: timedelta


NOT_HERE: dict[Wait, Patience] = {
    Wait.TO_PACK: Patience(listed=2 * HOUR, told=4 * HOUR, alarm=12 * HOUR, ends=1 * DAY),
    Wait.TO_SEND: Patience(listed=2 * HOUR, told=1 * DAY, alarm=1 * DAY, ends=3 * DAY),
    Wait.ON_THE_WAY: Patience(listed=2 * HOUR, told=1 * DAY, alarm=1 * DAY, ends=3 * DAY),
    Wait.MISSING: Patience(listed=0 * HOUR, told=4 * HOUR, alarm=1 * DAY, ends=3 * DAY),
}

REMINDERS = (1 * DAY, 2 * DAY)
"""So long after it came a buyer is reminded of what was not collected."""

FRESH_FOR_DAYS = 30
"""Goods that do not keep longer than this, or only in the cold, are fresh: uncollected they cannot be sold again."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """How long goods wait at the counter after their pass ran out, and at the latest since they came; how long claims are taken."""

    after_pass: timedelta
    latest: timedelta
    claims: timedelta


FRESH = Shelf(after_pass=1 * DAY, latest=7 * DAY, claims=2 * DAY)
KEEPS = Shelf(after_pass=4 * DAY, latest=14 * DAY, claims=7 * DAY)

COMING_BACK_FOR = 14 * DAY
"""So long a shop is shown what comes back to it; it may say that it is there."""

SLACK = 1 * DAY
"""How late a timer may be before `flask verify` says so: workers are restarted, databases restored."""

OLDEST: dict[str, timedelta] = {
    **{f"too_late_{wait.value}": patience.ends + SLACK for wait, patience in NOT_HERE.items()},
    f"too_late_{Wait.TO_COLLECT.value}": KEEPS.latest + SLACK,
    f"too_late_{Wait.TO_CLAIM.value}": KEEPS.claims + SLACK,
    "too_late_closing": KEEPS.latest + 2 * SLACK,
}
"""The ages beyond which nothing may stay in a state, under the names that the invariants use."""


def shelf(is_fresh: bool) -> Shelf:
    return FRESH if is_fresh else KEEPS


def is_fresh(storage: Storage, shelf_life_days: int) -> bool:
    """Whether goods spoil on the shelf of a pick-up point."""
    return storage is not Storage.AMBIENT or shelf_life_days <= FRESH_FOR_DAYS


def collect_until(ready_at: datetime, valid_until: datetime, fresh: bool) -> datetime:
    """When an order that lies ready ends: a while after its pass ran out, however often that was moved on at the latest."""
    terms = shelf(fresh)
    return min(valid_until + terms.after_pass, ready_at + terms.latest)


def goes_back(left: Money, lines: list[tuple[bool, Money]]) -> Money:
    """What a buyer gets back for goods not collected: their money for what keeps, as it goes back to its shop; none for what is fresh.

    `left` is what was not given back before, `lines` say of each line whether it is fresh and what it cost. Without anything fresh all
    of it goes back, the pick-up fee too.
    """
    if not any(fresh for fresh, _cost in lines):
        return left
    return min(left, Money.total(cost for fresh, cost in lines if not fresh)) if lines else ZERO
