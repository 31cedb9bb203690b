"""Measures in turns beside the floors of the same run, prints medians, ratios and CPU, writes them as JSON."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import sys
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import floors, servers
from bench.load import Tally, run
from bench.measures import MEASURES, Measure, floor_work, hot_item
from bench.prepare import HOT_STOCK, City, prepare
from bench.race import race

FLOORS = ("f0", "f1", "f24", "fb")


@dataclass
class Row:
    """One figure of the table; CPU in milliseconds per deed."""

    engine: str
    name: str
    per_second: float
    ratio: float | None
    floor: str
    web_ms: float
    database_ms: float
    p95_ms: float
    failures: dict[str, int]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench/run", description=__doc__)
    every = ", ".join(measure.name for measure in MEASURES)
    parser.add_argument("names", nargs="*", help=f"{every}, hot-item, race (all when none is named)")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), action="append", help="one engine only")
    parser.add_argument("--seconds", type=float, default=4.0, help="per turn")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    options = parser.parse_args(arguments)
    known = {measure.name for measure in MEASURES} | {"hot-item", "race"}
    if unknown := set(options.names) - known:
        parser.error(f"not a measure: {', '.join(sorted(unknown))}")
    wanted = set(options.names) or known
    rows: list[Row] = []
    notes: list[str] = []
    engines = options.engine or ["sqlite", "postgresql"]
    skipped = {engine: reason for engine in engines if (reason := servers.missing(engine))}
    for engine, reason in skipped.items():
        say(f"{engine}: left out: {reason}")
    for engine in engines:
        if engine in skipped:
            continue
        try:
            with servers.database(engine) as url:
                if wanted - {"race"}:
                    rows += measure_pages(engine, url, wanted, options.seconds, options.turns, notes)
            if "race" in wanted:
                notes += race(engine)
        except Exception as error:  # the figures of the other engine are not lost for it
            traceback.print_exc()
            skipped[engine] = f"stopped half-way: {type(error).__name__}"
    show(rows, notes)
    for engine, reason in skipped.items():
        say(f"SKIPPED {engine}: {reason}")
    if options.json:
        found = {"rows": [asdict(row) for row in rows], "notes": notes, "skipped": skipped}
        options.json.write_text(json.dumps(found, indent=1, ensure_ascii=False))
    return 1 if skipped else 0


def environment_for(url: str) -> dict[str, str]:
    return {"DATABASE_URL": url, "APP_ENV": "development", "SECRET_KEY": "bench only", "WEB_CONCURRENCY": "2"}


def measure_pages(engine: str, url: str, wanted: set[str], seconds: float, turns: int, notes: list[str]) -> list[Row]:
    environment = environment_for(url)
    say(f"{engine}: preparing the city")
    servers.flask(environment, "db", "upgrade")
    servers.flask(environment, "seed", "demo", "--days", "3")
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        city = pool.apply(prepare, (environment,))
        pool.apply(floors.prepare, (floor_url(url),))
    measures = [measure for measure in MEASURES if measure.name in wanted]
    tallies: dict[str, list[tuple[Tally, float, float]]] = {}
    with servers.web("wsgi:app", environment) as shop, servers.web("bench.floors:create_app()", {"DATABASE_URL": floor_url(url)}) as floor:
        for turn in range(turns):
            say(f"{engine}: turn {turn + 1} of {turns}")
            for name in FLOORS:
                tallies.setdefault(name, []).append(timed(floor, floor_work(name), 8 if name == "fb" else 16, seconds))
            for measure in measures:
                tallies.setdefault(measure.name, []).append(timed(shop, measure.work(city), measure.connections, seconds))
        if "hot-item" in wanted:
            notes.append(hot(engine, shop, city))
        notes.append(f"{engine}: two web processes hold {shop.memory_megabytes():.0f} MB after the load")
    return [summary(engine, name, tallies, None) for name in FLOORS] + [summary(engine, one.name, tallies, one) for one in measures]


def floor_url(url: str) -> str:
    """The floors have a file of their own on SQLite, and tables of their own on PostgreSQL."""
    return url.replace("linli.db", "floor.db") if url.startswith("sqlite") else url.replace("postgresql://", "postgresql+psycopg://")


def timed(web: servers.Web, work, connections: int, seconds: float) -> tuple[Tally, float, float]:  # type: ignore[no-untyped-def]
    """A turn with the CPU seconds that web and database used."""
    port = int(web.url.rpartition(":")[2])
    run(port, work, connections, 0.4)
    pids, databases = web.processes(), servers.database_processes()
    before = servers.cpu_seconds(pids), servers.cpu_seconds(databases)
    tally = run(port, work, connections, seconds)
    return tally, servers.cpu_seconds(pids) - before[0], servers.cpu_seconds(databases) - before[1]


def summary(engine: str, name: str, tallies: dict[str, list[tuple[Tally, float, float]]], measure: Measure | None) -> Row:
    turns = tallies[name]
    rate = statistics.median(tally.rate for tally, _, _ in turns)
    floor = statistics.median(tally.rate for tally, _, _ in tallies[measure.floor]) if measure else 0.0
    failures: dict[str, int] = {}
    for tally, _, _ in turns:
        for outcome, count in tally.outcomes.items():
            if outcome != "ok":
                failures[outcome] = failures.get(outcome, 0) + count
    return Row(
        engine, name, rate, rate / floor if measure and floor else None, measure.floor if measure else "",
        statistics.median(1_000 * web / max(tally.done, 1) for tally, web, _ in turns),
        statistics.median(1_000 * database / max(tally.done, 1) for tally, _, database in turns),
        statistics.median(tally.percentile(0.95) for tally, _, _ in turns), failures,
    )  # fmt: skip


def hot(engine: str, shop: servers.Web, city: City) -> str:
    """200 buyers at once for 50 of one thing."""
    tally = run(int(shop.url.rpartition(":")[2]), hot_item(city), 200, 30, once=True)
    others = {outcome: count for outcome, count in tally.outcomes.items() if outcome != "ok"}
    verdict = "exactly the stock sold" if tally.done == HOT_STOCK else f"WRONG: {tally.done} sold"
    return f"{engine}: hot item, 200 buyers, {HOT_STOCK} in stock: {verdict}; slowest {tally.percentile(1):.0f} ms; others {others}"


def show(rows: list[Row], notes: list[str]) -> None:
    if rows:
        say(f"{'engine':<11}{'work':<13}{'per second':>11}{'of floor':>15}{'web ms':>9}{'db ms':>8}{'p95 ms':>8}  failures")
    for row in rows:
        ratio = f"{row.ratio:.0%} of {row.floor}" if row.ratio is not None else ""
        say(
            f"{row.engine:<11}{row.name:<13}{row.per_second:>11.1f}{ratio:>15}{row.web_ms:>9.2f}{row.database_ms:>8.2f}{row.p95_ms:>8.1f}"
            f"  {row.failures or ''}"
        )
    for note in notes:
        say(note)


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
