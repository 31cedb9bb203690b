"""What is said to the database, and how it would do it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from shop.kernel.db import database


def plan_of(statement: str, engine_name: str) -> str:
    """How the database would do it; a small table would be read whole, so that is forbidden on PostgreSQL.

    PostgreSQL counts the rows anew first: what it remembers is of whichever test came before."""
    if engine_name == "postgresql":
        with database.engines[None].connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("ANALYZE")
    with database.engines["reading"].connect() as connection:
        if engine_name == "postgresql":
            connection.exec_driver_sql("SET enable_seqscan = off")
        rows = connection.exec_driver_sql(f"{'EXPLAIN' if engine_name == 'postgresql' else 'EXPLAIN QUERY PLAN'} {statement}").all()
        if engine_name == "postgresql":
            connection.exec_driver_sql("RESET enable_seqscan")
    return "\n".join(str(row[-1]) for row in rows)


def statements(work: Callable[[], object]) -> list[str]:
    """What `work` says to the database, with its values written in."""
    said: list[str] = []
    engines = list(database.engines.values())

    def note(_connection: Any, clause: Any, *_rest: Any) -> None:
        if isinstance(clause, sa.sql.ClauseElement):
            said.append(str(clause.compile(engines[0], compile_kwargs={"literal_binds": True})))

    for engine in engines:
        sa.event.listen(engine, "before_execute", note)
    try:
        work()
    finally:
        for engine in engines:
            sa.event.remove(engine, "before_execute", note)
    return said


@dataclass(frozen=True, slots=True)
class Said:
    """One statement as it reached the driver, and how long the database took."""

    statement: str
    values: Any
    seconds: float = field(compare=False)


@contextmanager
def heard_by_driver() -> Iterator[list[Said]]:
    """What is asked of the reading engine inside the block, in order."""
    engine, said, began = database.engines["reading"], [], [0.0]

    def before(*_facts: Any) -> None:
        began[0] = time.perf_counter()

    def after(_connection: Any, _cursor: Any, statement: str, values: Any, *_rest: Any) -> None:
        if statement.lstrip("( ").startswith(("SELECT", "WITH")):
            said.append(Said(statement, values, time.perf_counter() - began[0]))

    sa.event.listen(engine, "before_cursor_execute", before)
    sa.event.listen(engine, "after_cursor_execute", after)
    try:
        yield said
    finally:
        sa.event.remove(engine, "before_cursor_execute", before)
        sa.event.remove(engine, "after_cursor_execute", after)


SMALL = ("merchants", "pickup_points", "communities", "regions", "categories", "billers", "partners", "merchant_points", "role_grants")
"""What does not grow with business: PostgreSQL reads such a table whole rather than by its index, even a hundred times over."""

MOST_ROWS = 12_000
"""So many rows may a statement touch on PostgreSQL in all its scans and sorts, however many there are: 200 on a page, joined widely."""

MOST_STEPS = 150_000
"""So many steps may SQLite's machine take for a statement; looking at 100,000 rows takes at least 300,000."""


def excess(said: Said, times: int = 1) -> str:
    """What is wrong with the way the database did it: it touched more than a page can need, or so many. Empty when nothing is."""
    with database.engines["reading"].connect() as connection:
        if connection.dialect.name == "postgresql":
            explained = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {said.statement}", said.values)
            plan = explained.scalar_one()[0]["Plan"]
            touched = [one for one in rows_touched(plan) if not any(one[0].endswith(f" of {name}") for name in SMALL)]
            total = sum(rows for _name, rows in touched)
            worst = ", ".join(f"{name} {rows:,}" for name, rows in sorted(touched, key=lambda one: -one[1])[:3])
            return f"{total:,} rows touched: {worst}" if total > MOST_ROWS * times else ""
        steps = steps_of(connection, said)
        if steps <= MOST_STEPS * times:
            return ""
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {said.statement}", said.values).all()
        return f"{steps:,} steps: {'; '.join(row[-1] for row in plan)}"


def rows_touched(node: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Every scan and sort of a plan, with how many rows went through it: also those that were thrown away."""
    below = node.get("Plans", [])
    removed = sum(node.get(name, 0) for name in ("Rows Removed by Filter", "Rows Removed by Index Recheck"))
    if ("Relation Name" in node and "Scan" in node["Node Type"]) or "Index Name" in node:
        name = f"{node['Node Type']} of {node.get('Relation Name') or node['Index Name']}"
        yield name, round((node["Actual Rows"] + removed) * node["Actual Loops"])
    elif node["Node Type"] in ("Sort", "Incremental Sort"):
        yield f"Sort by {', '.join(node['Sort Key'])}", round(sum(one["Actual Rows"] * one["Actual Loops"] for one in below))
    for one in below:
        yield from rows_touched(one)


def steps_of(connection: sa.Connection, said: Said, every: int = 100) -> int:
    """How many steps SQLite's machine takes, to a hundred."""
    raw: Any = connection.connection.driver_connection
    counted = [0]

    def step() -> None:
        counted[0] += every

    raw.set_progress_handler(step, every)
    try:
        connection.exec_driver_sql(said.statement, said.values).all()
    finally:
        raw.set_progress_handler(None, every)
    return counted[0]
