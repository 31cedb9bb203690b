"""What happens when in the demo city's past: deeds in the order of their time, each with the clock moved to it."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from itertools import count
from random import Random

from sqlalchemy.orm import Session

from shop.kernel import clock

Deed = Callable[[Session], None]


class Agenda:
    """A queue of deeds. Those that would lie in the future are left out: nobody has done them yet."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.present = clock.now()
        self._queue: list[tuple[datetime, int, Deed]] = []
        self._numbers = count()

    @property
    def today(self) -> date:
        return clock.local(self.present).date()

    def put(self, moment: datetime, deed: Deed) -> None:
        """Have a deed done at a moment."""
        if moment <= self.present:
            heapq.heappush(self._queue, (moment, next(self._numbers), deed))

    def after(self, minutes: float, deed: Deed) -> None:
        """Have a deed done some minutes from the one that is being done."""
        self.put(clock.now() + timedelta(minutes=minutes), deed)

    def on(self, day: date, wall_time: str, deed: Deed, within_minutes: int = 0) -> None:
        """Have a deed done on a day at a time of the city's clock, or up to so many minutes later."""
        hour, minute = wall_time.split(":")
        spread = timedelta(minutes=self.chance.uniform(0, within_minutes)) if within_minutes else timedelta(0)
        self.put(clock.at(day, time(int(hour), int(minute))) + spread, deed)

    def run(self, session: Session, begins: datetime, step: Callable[[int], object]) -> None:
        """Do everything in order. `step` hears of each day that has passed. Rows read for one deed are forgotten before the next."""
        days = 0
        while self._queue:
            moment, _, deed = heapq.heappop(self._queue)
            self.travel(moment)
            deed(session)
            session.flush()
            session.expunge_all()
            if (passed := (moment - begins).days) > days:
                step(passed - days)
                days = passed
        step((self.present - begins).days - days)
        self.travel(self.present)

    def travel(self, moment: datetime) -> None:
        """Let it be this moment, for this process."""
        clock.move(moment - (clock.now() - clock.shift()))
