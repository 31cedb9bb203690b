"""One turn: a kind of deed for some seconds, and what web, database and everybody else used meanwhile."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from bench import servers
from bench.load import Tally, Turn, Work, run

WARM_UP_SECONDS = 0.5
IDLE = 0.1
"""A web process that did less than this share of the work did not take part."""

MANY_FAILURES = 0.02


@dataclass
class Sample:
    """What one turn of one house came to. CPU in milliseconds per deed."""

    tally: Tally
    web_ms: float
    database_ms: float
    shares: list[float] = field(default_factory=list)
    """Of the work, what each web process did."""
    others: float = 0.0
    """Of the machine, what neither the measured nor the load used."""

    @property
    def total_ms(self) -> float:
        return self.web_ms + self.database_ms

    @property
    def lesser_share(self) -> float:
        return min(self.shares, default=0.0)

    @property
    def failures(self) -> dict[str, int]:
        return {outcome: count for outcome, count in self.tally.outcomes.items() if outcome != "ok"}

    def wrong(self) -> list[str]:
        """Why this turn does not say what it should; empty when it does."""
        found = []
        if len(self.shares) != 2:
            found.append(f"{len(self.shares)} web processes instead of 2")
        elif self.lesser_share < IDLE:
            found.append(f"one web process did {self.lesser_share:.0%} of the work")
        failed = sum(self.failures.values())
        if failed > MANY_FAILURES * max(self.tally.done + failed, 1):
            found.append(f"{failed} of {self.tally.done + failed} deeds failed")
        return found


def measure(web: servers.Web, database: servers.Database, work: Work, turn: Turn, processors: int) -> Sample:
    """A short turn that does not count, then the one that does."""
    port = int(web.url.rpartition(":")[2])
    if not turn.once:
        run(port, work, Turn(turn.name, f"warm-up {turn.number}", turn.connections, WARM_UP_SECONDS))
    before = servers.cpu_of(web.processes()), servers.cpu_of(database.processes())
    busy, began = servers.busy_seconds(), time.perf_counter()
    tally = run(port, work, turn)
    busy, lasted = servers.busy_seconds() - busy, time.perf_counter() - began
    webs = servers.used_since(before[0], servers.cpu_of(web.processes()))
    databases = servers.used_since(before[1], servers.cpu_of(database.processes()))
    return sample(tally, webs, databases, busy, lasted * processors)


def sample(tally: Tally, webs: dict[int, float], databases: dict[int, float], busy: float, room: float) -> Sample:
    """A turn's figures, from the seconds that each process used, those that the machine was busy, and those it could have been."""
    used, stored, done = sum(webs.values()), sum(databases.values()), max(tally.done, 1)
    others = max(0.0, busy - used - stored - tally.cpu_seconds) / room if room else 0.0
    shares = [seconds / used if used else 0.0 for seconds in webs.values()]
    return Sample(tally, 1_000 * used / done, 1_000 * stored / done, shares, others)
