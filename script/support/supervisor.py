"""Keep several programs running: start again what dies, stop everything at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from script.support.processes import Child, Follower, Program, describe_end

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 15.0
STEADY_AFTER = 30.0
"""A program that ran this many seconds counts as healthy again: its next pause is the first one."""

LOOK_EVERY = 0.1


def pause_before_restart(quick_deaths: int) -> float:
    """Seconds to wait after the given number of deaths in a row: 0.5, 1, 2, 4, 8, 15, 15 ..."""
    return float(min(FIRST_PAUSE * 2 ** max(quick_deaths - 1, 0), LONGEST_PAUSE))


@dataclass
class Place:
    """One program's place: the child that fills it now, or the time when the next one starts."""

    program: Program
    child: Child | None = None
    quick_deaths: int = 0
    next_start: float = 0.0
    is_to_begin_anew: bool = False


class Supervisor:
    """Runs programs side by side. Call `look` often, and `stop` at the end whatever happens."""

    def __init__(self, follow: Follower, announce: Callable[[str], None]) -> None:
        self.follow = follow
        self.announce = announce
        self.places: list[Place] = []

    def start(self, program: Program) -> None:
        """Start a program and keep it running from now on."""
        place = Place(program)
        self.places.append(place)
        place.child = Child(program, self.follow)

    def look(self) -> None:
        """One round: bury what died, start again what has waited long enough."""
        now = time.monotonic()
        for place in self.places:
            if place.child is None:
                if now >= place.next_start:
                    place.child = Child(place.program, self.follow)
            elif place.child.has_ended():
                self._after_death(place, place.child, now)

    def begin_anew(self, names: Sequence[str]) -> None:
        """Ask these programs to end, and start them again at once when they have. It counts as no death."""
        for place in self.places:
            if place.program.name in names and place.child is not None and not place.is_to_begin_anew:
                place.is_to_begin_anew = True
                place.child.ask_to_stop()

    def _after_death(self, place: Place, child: Child, now: float) -> None:
        lived = child.age()
        code = child.bury()
        place.child = None
        if place.is_to_begin_anew:
            place.is_to_begin_anew, place.quick_deaths, place.next_start = False, 0, now
            return
        place.quick_deaths = 1 if lived >= STEADY_AFTER else place.quick_deaths + 1
        pause = pause_before_restart(place.quick_deaths)
        place.next_start = now + pause
        self.announce(f"{place.program.name} stopped ({describe_end(code)}); starting it again in {pause:g} s")

    def most_deaths(self) -> int:
        """How often the least steady program died in a row."""
        return max((place.quick_deaths for place in self.places), default=0)

    def stop(self, names_last: Sequence[str] = (), patience: float = 12.0, is_urgent: Callable[[], bool] = lambda: False) -> None:
        """Stop everything: first the rest, then `names_last`. What does not end within `patience` seconds is killed."""
        running = [place.child for place in self.places if place.child is not None]
        self.places = []
        first = [child for child in running if child.program.name not in names_last]
        last = [child for child in running if child.program.name in names_last]
        for group in (first, last):
            deadline = time.monotonic() + patience
            for child in group:
                child.ask_to_stop()
            while any(not child.has_ended() for child in group) and time.monotonic() < deadline and not is_urgent():
                time.sleep(0.02)
            for child in group:
                child.bury()
