"""The biller's calendar: real time of day, on a date that can be moved by whole days."""

from __future__ import annotations

import time
from datetime import date, datetime, timedelta, timezone

CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")


def milliseconds() -> int:
    """Real time since 1970, in milliseconds; what delays are counted by, whatever the calendar says."""
    return time.time_ns() // 1_000_000


def shift_to(today: date) -> int:
    """How many days the calendar must be moved so that it reads `today` now."""
    return (today - moment(milliseconds(), 0).date()).days


def moment(at_milliseconds: int, shift_days: int) -> datetime:
    """What a calendar moved by `shift_days` reads at that real time, in Shanghai."""
    return datetime.fromtimestamp(at_milliseconds // 1000, CHINA) + timedelta(days=shift_days)
