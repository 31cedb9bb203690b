"""When orders close and goods arrive. All of it on the city's wall clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from shop.kernel import clock

# Households one merchant can serve at one point on one day, unless somebody sets another number on the cycle.
DEFAULT_CAPACITY = 500
DAYS_AHEAD = 7


@dataclass(frozen=True, slots=True)
class CycleTimes:
    """One delivery: its day, until when it can be ordered, from when it can be collected."""

    arrives_on: date
    cut_off_at: datetime
    arrives_at: datetime


def is_open(cut_off_at: datetime, moment: datetime) -> bool:
    """Orders are taken up to the cut-off, not at it: 22:59:59 is in time for 23:00, 23:00:00 is not."""
    return moment < cut_off_at


def cycle_times(arrives_on: date, cut_off: time, lead_days: int, arrival: time) -> CycleTimes | None:
    """The times of a delivery; None for terms that would close after the goods are there."""
    cut_off_at = clock.at(arrives_on - timedelta(days=lead_days), cut_off)
    arrives_at = clock.at(arrives_on, arrival)
    return CycleTimes(arrives_on, cut_off_at, arrives_at) if cut_off_at < arrives_at else None


def next_days(today: date, days: int) -> list[date]:
    """Today and the days after it, `days` of them after today."""
    return [today + timedelta(days=ahead) for ahead in range(days + 1)]
