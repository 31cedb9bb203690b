"""Rows of a statement as facts, by name.

    rows = session.execute(sa.select(Pass.id, Pass.ref, User.display_name.label("holder_name")))
    return all_as(Waiting, rows)

A column fills the field that is called like it. What a statement brings and what a class wants are compared once per statement, so that a
column without a field, or a field nobody fills, is refused whatever the rows hold; filling costs no more than by position.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import MISSING, fields
from functools import lru_cache
from operator import itemgetter
from typing import Any, TypeVar, cast

import sqlalchemy as sa

F = TypeVar("F")
Row = sa.Row[*tuple[Any, ...]]


class RowsDoNotFit(TypeError):
    """A statement and the class its rows should become do not speak of the same."""


def all_as(kind: type[F], rows: sa.Result[*tuple[Any, ...]], **same: Any) -> list[F]:
    """Every row of a result as a `kind`; `same` are fields that are the same for all. Raises `RowsDoNotFit`, also without any row."""
    labels, known = tuple(rows.keys()), cast(Any, kind)
    fill = filler(kind, labels, (), tuple(same))
    if not same and labels == fields_of(known)[0][: len(labels)]:  # compared by name above, so that the order may be relied upon here
        return [kind(*row) for row in rows]
    return [fill(row, **same) for row in rows]


def one_as(kind: type[F], row: Row, *, leave_out: tuple[str, ...] = (), **more: Any) -> F:
    """One row as a `kind`, with `more` fields that no column brings and without the columns `leave_out`, which are no facts or not yet.

    Raises `RowsDoNotFit`. In a long list `filler` costs less.
    """
    return filler(kind, row._fields, leave_out, tuple(more))(row, **more)


def each_with(kind: type[F], rows: Sequence[Row], name: str, values: Iterable[Any], *, leave_out: tuple[str, ...] = ()) -> list[F]:
    """Rows as `kind`s, each with one field that no column brings: for the longest lists of the hottest pages. Raises `RowsDoNotFit`."""
    if not rows:
        return []
    labels, known = rows[0]._fields, cast(Any, kind)
    fill = filler(kind, labels, leave_out, (name,))
    wanted, width = fields_of(known)[0], len(labels) - len(leave_out)
    if (*labels[:width], name) == wanted:  # as in `all_as`
        make: Callable[[tuple[Any, ...]], F] = getattr(kind, "_make", None) or (lambda values: kind(*values))
        return [make((*row[:width], value)) for row, value in zip(rows, values, strict=True)]
    return [fill(row, **{name: value}) for row, value in zip(rows, values, strict=True)]


def filler(kind: type[F], labels: tuple[str, ...], leave_out: tuple[str, ...] = (), more: tuple[str, ...] = ()) -> Callable[..., F]:
    """What makes a `kind` of a row with these labels, given the fields `more` by name. Raises `RowsDoNotFit`."""
    return cast(Callable[..., F], _filler(cast(Any, kind), labels, leave_out, more))


@lru_cache(maxsize=1_000)
def _filler(kind: Any, labels: tuple[str, ...], leave_out: tuple[str, ...], more: tuple[str, ...]) -> Callable[..., Any]:
    names = tuple(label for label in labels if label not in leave_out)
    wanted, needed = fields_of(kind)
    given = {*names, *more}
    if len(given) < len(names) + len(more) or given - set(wanted) or needed - given or set(leave_out) - set(labels):
        without, missing = sorted(given - set(wanted)), sorted(needed - given)
        raise RowsDoNotFit(f"{kind.__name__}: no field for {without}, nothing for {missing}; the statement brings {list(labels)}")
    if names == labels == wanted[: len(labels)]:
        return lambda row, **more: kind(*row, **more)
    places = [labels.index(name) for name in names]
    if names == wanted[: len(names)] and len(places) > 1:
        chosen = itemgetter(*places)
        return lambda row, **more: kind(*chosen(row), **more)
    return lambda row, **more: kind(**{name: row[place] for name, place in zip(names, places, strict=True)}, **more)


@lru_cache(maxsize=1_000)
def fields_of(kind: Any) -> tuple[tuple[str, ...], set[str]]:
    """The fields of a dataclass or a named tuple in their order, and those that have to be given."""
    if hasattr(kind, "_fields"):
        return kind._fields, set(kind._fields) - set(kind._field_defaults)
    made = [field for field in fields(kind) if field.init]
    return tuple(field.name for field in made), {field.name for field in made if field.default is MISSING is field.default_factory}
