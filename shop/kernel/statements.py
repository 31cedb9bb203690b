"""Tables of models, and inserts that both engines understand although each has a word of its own for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Session

ENGINES: Mapping[str, Any] = {"postgresql": postgresql, "sqlite": sqlite}


def table(model: type[DeclarativeBase]) -> sa.Table:
    """The table of a model, for statements that need no objects."""
    found = model.__table__
    assert isinstance(found, sa.Table), f"{model.__name__} is mapped to something else"
    return found


class PerEngine:
    """One statement, made once for each engine."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        self.made = {name: make(dialect.insert) for name, dialect in ENGINES.items()}

    def of(self, session: Session) -> Any:
        """The statement for the engine of this session."""
        return self.made[session.get_bind().dialect.name]


class WorkedOut(NamedTuple):
    """A value that the database works out: `expression` of `parameters`. The same `name` is always the same expression, so that a
    statement with it is made once. Parameters are called like no column."""

    name: str
    expression: sa.ColumnElement[Any]
    parameters: Mapping[str, Any]


@cache
def insert_or_ignore(into: sa.Table, returning: sa.Column[Any], key: tuple[str, ...] = ()) -> PerEngine:
    """Insert one row or many, but not those whose unique key is taken; `returning` of the new ones.

    `key` names the columns of the one key that may be taken; without it any may. Row counts of such inserts are not honest, `returning` is.
    """
    return PerEngine(lambda insert: insert(into).on_conflict_do_nothing(index_elements=key or None).returning(returning))


def inserting_or_ignoring(into: sa.Table, returning: sa.Column[Any], worked_out: Mapping[str, WorkedOut]) -> PerEngine:
    """The same with columns that are worked out."""
    key = (into, returning, tuple((column, value.name) for column, value in worked_out.items()))
    if (made := _inserting.get(key)) is None:
        values = {column: value.expression for column, value in worked_out.items()}
        made = _inserting[key] = PerEngine(lambda insert: insert(into).values(values).on_conflict_do_nothing().returning(returning))
    return made


_inserting: dict[tuple[Any, ...], PerEngine] = {}


def insert_made_or_ignore(into: sa.Table, values: Mapping[str, Any], key: Sequence[str], *returning: sa.Column[Any]) -> PerEngine:
    """The same for one row, of which some values are worked out by the database."""
    return PerEngine(lambda insert: insert(into).values(values).on_conflict_do_nothing(index_elements=key).returning(*returning))


def insert_or_update(
    into: sa.Table, key: Sequence[str], written: Callable[[Any], Mapping[str, Any]], returning: sa.Column[Any],
    *, values: Mapping[str, Any] | None = None, source: tuple[Sequence[str], Any] | None = None,
) -> PerEngine:  # fmt: skip
    """Insert `values`, or the rows of `source` (columns, select); where `key` is taken, the row there gets what `written`
    makes of the new one. `returning` of every row, new or changed.
    """

    def made(insert: Any) -> Any:
        statement = insert(into).values(values) if source is None else insert(into).from_select(*source)
        return statement.on_conflict_do_update(index_elements=key, set_=written(statement.excluded)).returning(returning)

    return PerEngine(made)
