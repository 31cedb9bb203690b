"""Measures in turns, beside the floors of the same run and on request beside an older commit; prints the figures, writes them as JSON."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench import floors, missing, report, servers, turns
from bench.city import City, meet
from bench.houses import ROOT, House, Stopped, code_of, houses, name_of
from bench.load import Connection, Turn, percentile
from bench.measures import FLOORS, MEASURES, Measure, fill_carts, floor_work, hot_item
from bench.prepare import CROWD, HOT_STOCK
from bench.race import race

NOW = "now"
OTHERS = ("hot-item", "race")


@dataclass
class Findings:
    """What an engine's measurements have come to so far; what stops them costs nothing that is in here."""

    engine: str
    samples: dict[tuple[str, str], list[turns.Sample]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    skipped: str = ""


@dataclass(frozen=True)
class Wish:
    """What somebody wants measured."""

    names: frozenset[str]
    engines: tuple[str, ...]
    seconds: float
    turns: int
    of: str = ""

    @property
    def measures(self) -> list[Measure]:
        return [one for one in MEASURES if one.name in self.names]


def main(arguments: list[str]) -> int:
    wish, place = read(arguments)
    if lacking := missing.of_everything():
        for line in lacking:
            say(f"MISSING: {line}")
        return 2
    found = [Findings(engine, skipped=missing.of_engine(engine)) for engine in wish.engines]
    for one in found:
        if one.skipped:
            say(f"{one.engine}: left out: {one.skipped}")
    with ExitStack() as stack:
        codes = {NOW: ROOT}
        if wish.of:
            codes[wish.of] = stack.enter_context(code_of(wish.of))
        for one in found:
            if not one.skipped:
                measure_engine(one, wish, codes)
    return conclude(found, wish, place)


def read(arguments: list[str]) -> tuple[Wish, Path | None]:
    """The wish of the command line; what it cannot mean ends here, before anything begins."""
    parser = argparse.ArgumentParser(prog="bench/run", description=__doc__)
    every = [*(measure.name for measure in MEASURES), *OTHERS]
    parser.add_argument("names", nargs="*", help=f"{', '.join(every)} (all when none is named)")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), action="append", help="one engine only")
    parser.add_argument("--of", metavar="COMMIT", help="measure that commit's code as well, in turns with this checkout's")
    parser.add_argument("--seconds", type=float, default=4.0, help="per turn")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(every):
        parser.error(f"not a measure: {', '.join(sorted(unknown))}; there are {', '.join(every)}")
    if not 0 < options.seconds <= 600 or not 0 < options.turns <= 100:
        parser.error("--seconds must be above 0 and up to 600, --turns from 1 to 100")
    if options.json and not options.json.absolute().parent.is_dir():
        parser.error(f"--json: there is no folder {options.json.parent}")
    try:
        commit = name_of(options.of) if options.of else ""
    except LookupError as error:
        parser.error(f"--of: {error}")
    engines = tuple(dict.fromkeys(options.engine or ["sqlite", "postgresql"]))
    return Wish(frozenset(options.names or every), engines, options.seconds, options.turns, commit), options.json


def measure_engine(found: Findings, wish: Wish, codes: dict[str, Path]) -> None:
    """Measure what is wished on an engine; the figures of the other engine, and those it has already, are not lost for what stops it."""
    try:
        if wish.names - {"race"}:
            measure_houses(found, wish, codes)
        if "race" in wish.names:
            found.notes += race(found.engine)
    except KeyboardInterrupt:
        found.skipped = "stopped half-way: interrupted"
    except Exception as error:
        if isinstance(error, Stopped | servers.ServerEnded):
            say(str(error))
        else:
            traceback.print_exc()
        found.skipped = f"stopped half-way: {type(error).__name__}"


def measure_houses(found: Findings, wish: Wish, codes: dict[str, Path]) -> None:
    engine = found.engine
    with ExitStack() as stack:
        there = stack.enter_context(houses(engine, codes))
        floor_database = stack.enter_context(servers.database(engine))
        say(f"{engine}: preparing the city of {' and of '.join(codes)}")
        with ThreadPoolExecutor() as pool:
            cities = dict(zip(codes, meet(list(pool.map(House.prepare, there))), strict=True))
        with multiprocessing.get_context("spawn").Pool(1) as other:
            other.apply(floors.prepare, (floor_url(floor_database),))
        webs = {house.name: stack.enter_context(house.open()) for house in there}
        environment = {**os.environ, "DATABASE_URL": floor_url(floor_database)}
        floor = stack.enter_context(servers.web("bench.floors:create_app()", environment, ROOT, there[0].instance / "floor.txt"))
        if {"cart", "add-to-cart"} & wish.names:
            for house in there:
                fill_carts(Connection(port_of(webs[house.name])), cities[house.name])
        works = {(house.name, one.name): one.work(cities[house.name]) for house in there for one in wish.measures}
        processors = os.cpu_count() or 1
        for number in range(1, wish.turns + 1):
            say(f"{engine}: turn {number} of {wish.turns}")
            for name, connections in FLOORS.items() if wish.measures else ():
                turn = Turn(name, number, connections, wish.seconds)
                keep(found, report.FLOOR, name, turns.measure(floor, floor_database, floor_work(name), turn, processors))
            for measure in wish.measures:
                turn = Turn(measure.name, number, measure.connections, wish.seconds)
                for house in there if number % 2 else reversed(there):  # who goes first takes turns too
                    work = works[house.name, measure.name]
                    keep(found, house.name, measure.name, turns.measure(webs[house.name], house.database, work, turn, processors))
        for house in there:
            if "hot-item" in wish.names:
                found.notes.append(hot(house, webs[house.name], cities[house.name], processors))
            held = webs[house.name].memory_megabytes()
            found.notes.append(f"{engine}: {house.name}: two web processes hold {held:.0f} MB after the load")


def keep(found: Findings, house: str, name: str, sample: turns.Sample) -> None:
    found.samples.setdefault((house, name), []).append(sample)


def port_of(web: servers.Web) -> int:
    return int(web.url.rpartition(":")[2])


def floor_url(database: servers.Database) -> str:
    return database.url.replace("postgresql://", "postgresql+psycopg://") if database.server else database.url


def hot(house: House, web: servers.Web, city: City, processors: int) -> str:
    """200 buyers at once for 50 of one thing."""
    engine = "postgresql" if house.database.server else "sqlite"
    sample = turns.measure(web, house.database, hot_item(city), Turn("hot-item", 1, CROWD, 30, once=True), processors)
    verdict = "exactly the stock sold" if sample.tally.done == HOT_STOCK else f"WRONG: {sample.tally.done} sold"
    slowest = percentile(sample.tally.times, 1)
    return (
        f"{engine}: {house.name}: hot item, {CROWD} buyers, {HOT_STOCK} in stock: {verdict}; slowest {slowest:.0f} ms; "
        f"others {sample.failures}"
    )


def conclude(found: list[Findings], wish: Wish, place: Path | None) -> int:
    """Print what was found and write it down; 1 when something wished is not there or is wrong."""
    rows, ratios, notes = [], [], []
    for one in found:
        floor_of = {measure.name: measure.floor for measure in MEASURES}
        rows += [report.row(one.engine, work, house, one.samples, floor_of.get(work, "")) for house, work in one.samples]
        if wish.of:
            compared = [report.ratio(one.engine, measure.name, NOW, wish.of, one.samples) for measure in wish.measures]
            ratios += [ratio for ratio in compared if ratio is not None]
        notes += one.notes + report.wrong(one.engine, one.samples)
    skipped = {one.engine: one.skipped for one in found if one.skipped}
    for line in [*report.lines(rows, ratios), *notes, *(f"SKIPPED {engine}: {reason}" for engine, reason in skipped.items())]:
        say(line)
    if place:
        told = {
            "seconds": wish.seconds, "turns": wish.turns, "rows": [asdict(row) for row in rows],
            "ratios": [asdict(ratio) for ratio in ratios], "notes": notes, "skipped": skipped,
        }  # fmt: skip
        place.write_text(json.dumps(told, indent=1, ensure_ascii=False), encoding="utf-8")
    return 1 if skipped or any("WRONG" in note for note in notes) else 0


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
