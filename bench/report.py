"""The figures of all turns together: rows of the table, and what one code costs beside another."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.load import percentile
from bench.turns import Sample

Samples = Mapping[tuple[str, str], Sequence[Sample]]
"""By house and by what was measured, in the order of turns."""

FLOOR = "floor"
"""The house of the floors."""


@dataclass(frozen=True)
class Row:
    """One line of the table: medians over turns, with the least and most of the CPU in milliseconds per deed."""

    engine: str
    work: str
    house: str
    turns: int
    per_second: float
    requests_per_second: float
    floor: str
    of_floor: float | None
    web_ms: float
    database_ms: float
    least_ms: float
    most_ms: float
    p50_ms: float
    p95_ms: float
    lesser_share: float
    others: float
    failures: dict[str, int]


@dataclass(frozen=True)
class Ratio:
    """What a deed costs now beside then: web and database together, turn by turn, as the median with the least and the most."""

    engine: str
    work: str
    then: str
    then_ms: float
    now_ms: float
    ratio: float
    least: float
    most: float


def row(engine: str, work: str, house: str, samples: Samples, floor: str = "") -> Row:
    turns = samples[house, work]
    rate = statistics.median(one.tally.rate for one in turns)
    beside = statistics.median(one.tally.rate for one in samples[FLOOR, floor]) if floor and samples.get((FLOOR, floor)) else 0.0
    times = [seconds for one in turns for seconds in one.tally.times]
    failures: dict[str, int] = {}
    for one in turns:
        for outcome, count in one.failures.items():
            failures[outcome] = failures.get(outcome, 0) + count
    return Row(
        engine, work, house, len(turns), rate, statistics.median(one.tally.requests_rate for one in turns), floor,
        rate / beside if beside else None, statistics.median(one.web_ms for one in turns),
        statistics.median(one.database_ms for one in turns), min(one.total_ms for one in turns), max(one.total_ms for one in turns),
        percentile(times, 0.5), percentile(times, 0.95), min(one.lesser_share for one in turns),
        statistics.median(one.others for one in turns), failures,
    )  # fmt: skip


def ratio(engine: str, work: str, now: str, then: str, samples: Samples) -> Ratio | None:
    """Now beside then; None when there is no turn that both had."""
    pairs = [
        (late.total_ms, early.total_ms)
        for late, early in zip(samples.get((now, work), ()), samples.get((then, work), ()), strict=False)
        if early.total_ms
    ]
    if not pairs:
        return None
    ratios = [late / early for late, early in pairs]
    return Ratio(
        engine, work, then, statistics.median(early for _, early in pairs), statistics.median(late for late, _ in pairs),
        statistics.median(ratios), min(ratios), max(ratios),
    )  # fmt: skip


def wrong(engine: str, samples: Samples) -> list[str]:
    """What turns do not say as they should."""
    return [
        f"{engine}: WRONG: {house} {work}, turn {place}: {problem}"
        for (house, work), turns in samples.items()
        for place, one in enumerate(turns, 1)
        for problem in one.wrong()
    ]


def lines(rows: Sequence[Row], ratios: Sequence[Ratio]) -> list[str]:
    """The tables as people read them."""
    found = []
    if rows:
        found.append(
            f"{'engine':<11}{'work':<13}{'code':<11}{'deeds/s':>8}{'req/s':>8}{'of floor':>13}{'web ms':>9}{'db ms':>8}"
            f"{'both, least to most':>21}{'p50':>8}{'p95':>8}{'lesser':>8}{'others':>8}  failures"
        )
    for one in rows:
        beside = f"{one.of_floor:.0%} of {one.floor}" if one.of_floor is not None else ""
        spread = f"{one.least_ms:.2f} to {one.most_ms:.2f}"
        found.append(
            f"{one.engine:<11}{one.work:<13}{one.house:<11}{one.per_second:>8.1f}{one.requests_per_second:>8.1f}{beside:>13}{one.web_ms:>9.2f}"
            f"{one.database_ms:>8.2f}{spread:>21}{one.p50_ms:>8.1f}{one.p95_ms:>8.1f}{one.lesser_share:>8.0%}{one.others:>8.0%}"
            f"  {one.failures or ''}".rstrip()
        )
    if ratios:
        found.append(f"{'engine':<11}{'work':<13}{'then ms':>9}{'now ms':>9}  now beside then, turn by turn")
    found += [
        f"{one.engine:<11}{one.work:<13}{one.then_ms:>9.2f}{one.now_ms:>9.2f}  {one.ratio:.2f} ({one.least:.2f} to {one.most:.2f})"
        for one in ratios
    ]
    return found
