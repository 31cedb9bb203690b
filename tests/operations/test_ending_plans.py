"""What waits too long is found through the small index of what is unfinished, however much there ever was."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from sqlalchemy.orm import Session

from shop.fulfilment import operations, overdue
from shop.fulfilment.endings import NOT_HERE, Wait
from shop.kernel import clock
from shop.kernel.db import Base, database, perform, reading, transaction
from tests.support.counter import Counter
from tests.support.factories import Factories
from tests.support.plans import excess, heard_by_driver
from tests.support.queries import counted

ROWS = 100_000


def reads(merchant_id: int) -> dict[str, Callable[[Session], Any]]:
    """Every question, by name. The shop is the one of all those orders."""
    return {
        **{f"due {wait}": partial(overdue.due, wait=wait) for wait in (*NOT_HERE, Wait.TO_COLLECT, Wait.TO_CLAIM)},
        **{f"tell {wait}": partial(overdue.buyers_to_tell, wait=wait) for wait in NOT_HERE},
        "list": overdue.too_long, "list of a shop": partial(overdue.too_long, merchant_id=merchant_id), "counts": overdue.counts,
        "late deliveries": overdue.late_deliveries, "reminders": partial(overdue.reminders, time=1),
    }  # fmt: skip


def copies(table: str, engine: str, **changes: str) -> str:
    """The only row of a table, so many times more; `n` is the number of a copy."""
    columns = [column.name for column in Base.metadata.tables[table].columns]
    values = ", ".join(changes.get(name, f'{table}."{name}"') for name in columns)
    names = ", ".join(f'"{name}"' for name in columns)
    if engine == "postgresql":
        return f"INSERT INTO {table} ({names}) SELECT {values} FROM {table}, generate_series(1, {ROWS}) AS many(n)"
    many = f"WITH RECURSIVE many(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < {ROWS})"
    return f"{many} INSERT INTO {table} ({names}) SELECT {values} FROM {table}, many"


def test_a_hundred_thousand_orders_that_have_ended_cost_nothing(make: Factories, engine_name: str) -> None:
    counter = Counter(make)
    counter.goods("rice", price=2_000)
    (part,) = counter.packed(counter.buyer(), {"rice": 1})
    with transaction() as session:
        if engine_name == "postgresql":  # the copies point where the row itself does: nothing to look up
            session.connection().exec_driver_sql("SET LOCAL session_replication_role = replica")
        highest = session.connection().exec_driver_sql("SELECT MAX(id) FROM sub_orders").scalar_one()
        ended = copies(
            "sub_orders", engine_name, id=f"{highest} + n", number="'X' || n", state="'completed'", collected_at="placed_at",
            completed_at="placed_at",
        )  # fmt: skip
        session.connection().exec_driver_sql(ended)
    with database.engines[None].connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("ANALYZE")
    for name, read in reads(part.merchant_id).items():
        with heard_by_driver() as said:
            read(reading())
        assert said, name
        assert [found for one in said if (found := excess(one))] == [], name


@pytest.mark.one_engine
def test_a_list_of_fifty_asks_as_much_as_a_list_of_one(make: Factories) -> None:
    counter = Counter(make)
    counter.goods("rice", price=2_000, on_hand=500)

    def asked() -> int:
        reading().rollback()
        with counted() as queries:
            rows, _more = overdue.too_long(reading(), point_id=counter.point.id)
            overdue.holders(reading(), rows)
        return len(queries)

    (part,) = counter.packed(counter.buyer(), {"rice": 1})
    many = [counter.packed(counter.buyer(), {"rice": 1})[0] for _ in range(20)]
    clock.move(clock.shift() + overdue.NOT_HERE[Wait.TO_SEND].ends * 2)
    of_many = asked()
    for one in many:
        perform(operations.end_by_itself, one.id)
    assert (asked(), of_many) == (3, 3)
    assert part.id
