"""The only place that asks for the time. UTC inside, Asia/Shanghai in every decision; movable in development.

A shift of the clock lives in a small file shared by web, worker and commands, so that the whole demo city
moves together. Production never reads it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path
from zoneinfo import ZoneInfo

BUSINESS_ZONE = ZoneInfo("Asia/Shanghai")

_shift_file: Path | None = None
_shift = timedelta(0)
_shift_read_at = 0.0


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC) + shift()


def today() -> date:
    """The business day: the date in Asia/Shanghai."""
    return now().astimezone(BUSINESS_ZONE).date()


def local(moment: datetime) -> datetime:
    """The same moment on the city's wall clock."""
    return moment.astimezone(BUSINESS_ZONE)


def at(day: date, wall_time: time_of_day) -> datetime:
    """The UTC moment of a wall-clock time on a business day."""
    return datetime.combine(day, wall_time, BUSINESS_ZONE).astimezone(UTC)


def shift() -> timedelta:
    """How far the clock has been moved; re-read at most every half second."""
    global _shift, _shift_read_at
    if _shift_file is None:
        return _shift
    ticks = time.monotonic()
    if ticks - _shift_read_at > 0.5:
        _shift_read_at = ticks
        try:
            _shift = timedelta(seconds=float(_shift_file.read_text()))
        except (FileNotFoundError, ValueError):
            _shift = timedelta(0)
    return _shift


def share_shift(place: Path | None) -> None:
    """Keep the shift in `place` (development); None holds the clock to real time (production, tests)."""
    global _shift_file, _shift, _shift_read_at
    _shift_file, _shift, _shift_read_at = place, timedelta(0), 0.0


def move(by: timedelta) -> None:
    """Set the shift. With a shared file every process follows within a second."""
    global _shift, _shift_read_at
    _shift = by
    if _shift_file is not None:
        _shift_file.parent.mkdir(parents=True, exist_ok=True)
        waiting = _shift_file.with_suffix(f".{os.getpid()}")
        waiting.write_text(str(by.total_seconds()))
        waiting.replace(_shift_file)
        _shift_read_at = time.monotonic()


@contextmanager
def apart() -> Iterator[None]:
    """Inside the block `move` moves this process alone, whoever shares the clock; afterwards it is as before.

    For history that is written by the real operations at their own time: demo data, imports.
    """
    global _shift_file, _shift, _shift_read_at
    shared, before = _shift_file, shift()
    _shift_file, _shift = None, before
    try:
        yield
    finally:
        _shift_file, _shift, _shift_read_at = shared, before, 0.0
