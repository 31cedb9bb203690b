"""Rows become facts by the names of their columns, and a statement that does not fit its class is refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa

from shop.kernel.rows import RowsDoNotFit, all_as, each_with, filler, one_as

pytestmark = pytest.mark.one_engine

ENGINE = sa.create_engine("sqlite://")


@dataclass(frozen=True, slots=True)
class Parcel:
    number: str
    weight: int
    notes: tuple[str, ...] = ()
    made: bool = field(default=True, init=False)


class Place(NamedTuple):
    street: str
    house: int = 1


def asked(sql: str) -> Any:
    return ENGINE.connect().execute(sa.text(sql))


def test_a_column_fills_the_field_that_is_called_like_it() -> None:
    assert all_as(Parcel, asked("SELECT 'A' AS number, 5 AS weight UNION SELECT 'B', 6")) == [Parcel("A", 5), Parcel("B", 6)]
    assert all_as(Parcel, asked("SELECT 5 AS weight, 'A' AS number")) == [Parcel("A", 5)], "whatever their order"
    assert all_as(Place, asked("SELECT 'Main' AS street")) == [Place("Main")]


def test_what_the_statement_does_not_bring_is_given_by_name() -> None:
    row = asked("SELECT 9 AS merchant_id, 'A' AS number, '5' AS weight").one()
    assert one_as(Parcel, row, leave_out=("merchant_id", "weight"), weight=int(row.weight), notes=("x",)) == Parcel("A", 5, ("x",))
    assert all_as(Parcel, asked("SELECT 'A' AS number"), weight=7) == [Parcel("A", 7)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 'A' AS number",  # one short
        "SELECT 'A' AS number, 5 AS weight, 6 AS height",  # one too many
        "SELECT 'A' AS number, 5 AS wieght",
        "SELECT 'A' AS number, 5 AS weight, 'B' AS number",  # which?
        "SELECT 'A' AS number, 5 AS weight, 0 AS made",  # not given from outside
    ],
)
def test_a_statement_that_does_not_fit_is_refused_also_when_it_finds_nothing(sql: str) -> None:
    for narrowed in ("", " WHERE 1 = 0"):
        with pytest.raises(RowsDoNotFit, match="Parcel"):
            all_as(Parcel, asked(sql + narrowed))


def test_two_columns_that_changed_places_are_no_harm_and_two_that_changed_names_are_seen() -> None:
    users = sa.table("users", sa.column("name"), sa.column("phone"))
    with pytest.raises(RowsDoNotFit, match="street"):
        filler(Place, tuple(sa.select(users.c.name, users.c.phone).selected_columns.keys()))


def test_nothing_is_left_out_that_is_not_there() -> None:
    with pytest.raises(RowsDoNotFit):
        filler(Parcel, ("number", "weight"), ("merchant_id",))


def test_long_lists_get_one_field_beside_their_columns() -> None:
    rows = asked("SELECT 'Main' AS street, 7 AS shop UNION SELECT 'Wall', 8").all()
    assert each_with(Place, rows, "house", [1, 2], leave_out=("shop",)) == [Place("Main", 1), Place("Wall", 2)]
    turned = asked("SELECT 7 AS shop, 5 AS weight, 'A' AS number").all()
    assert each_with(Parcel, turned, "notes", [("x",)], leave_out=("shop",)) == [Parcel("A", 5, ("x",))]
    assert each_with(Parcel, [], "notes", []) == []
    with pytest.raises(RowsDoNotFit):
        each_with(Place, rows, "house", [1, 2])
