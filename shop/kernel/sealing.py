"""Columns whose values are sealed at rest and plain everywhere else, and the columns they are found by.

    phone: Mapped[str] = mapped_column(Sealed("users.phone", found_by="phone_hash", purpose="phone"))
    phone_hash: Mapped[str] = found_by("phone", purpose="phone")

Reading and writing `User.phone` is reading and writing the number. `User.phone == "138..."` and `.in_([...])` compare the hash; any
other comparison of a sealed column raises, because it would find nothing or mean nothing. The hash is written with the row: whoever
changes a value that is found by its hash writes both (`flask verify` looks).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from operator import eq, ne
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import MappedColumn, mapped_column
from sqlalchemy.sql import operators

from shop.kernel import keys

BY_HASH = {eq, ne, operators.in_op, operators.not_in_op}
BY_PRESENCE = {operators.is_, operators.is_not}


class Sealed(sa.types.TypeDecorator[str]):
    """Text that only somebody with the data key can read. `place` is `table.column` and is bound into what is stored."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, place: str, found_by: str = "", purpose: str = "") -> None:
        super().__init__()
        self.place = place
        self.found_by = found_by
        self.purpose = purpose

    def bind_processor(self, dialect: sa.Dialect) -> Callable[[Any], Any]:
        place = self.place
        return lambda value: None if value is None else keys.ring().seal(place, value)

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Callable[[Any], Any]:
        place = self.place
        return lambda value: None if value is None else keys.ring().open(place, value)

    class Comparator(sa.types.TypeDecorator.Comparator[str]):
        """Compares by hash, or not at all."""

        def operate(self, op: Any, *other: Any, **options: Any) -> Any:
            kind = self.type
            assert isinstance(kind, Sealed)
            if op in BY_PRESENCE or is_another_column(kind, *other):
                return super().operate(op, *other, **options)
            if op not in BY_HASH or not kind.found_by:
                raise TypeError(f"{kind.place} is sealed: it cannot be compared or sorted by {getattr(op, '__name__', op)}")
            return op(hash_column(self.expr, kind), *(hashed(kind, one) for one in other), **options)

    comparator_factory = Comparator


class SealedDocument(Sealed):
    """A JSON document, sealed as text."""

    cache_ok = True

    def bind_processor(self, dialect: sa.Dialect) -> Callable[[Any], Any]:
        seal = super().bind_processor(dialect)
        return lambda value: None if value is None else seal(json.dumps(value, ensure_ascii=False, separators=(",", ":")))

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Callable[[Any], Any]:
        opened = super().result_processor(dialect, coltype)
        return lambda value: None if value is None else json.loads(opened(value))


def is_another_column(kind: Sealed, *other: Any) -> bool:
    """Whether this is no search but a column beside a column that is found otherwise; SQLAlchemy asks so whether they are the same."""
    columns = [one.__clause_element__() if hasattr(one, "__clause_element__") else one for one in other]
    others = (one for one in columns if isinstance(one, sa.ColumnElement) and not isinstance(one, sa.BindParameter))
    return any(not is_found_alike(kind, one) for one in others)


def is_found_alike(kind: Sealed, column: Any) -> bool:
    theirs = getattr(column, "type", None)
    return isinstance(theirs, Sealed) and bool(kind.found_by and theirs.found_by) and theirs.purpose == kind.purpose


def hash_column(column: Any, kind: Sealed) -> sa.ColumnElement[str]:
    """The column beside a sealed one that it is found by."""
    found: sa.ColumnElement[str] = column.table.c[kind.found_by]
    return found


def hashed(kind: Sealed, other: Any) -> Any:
    """The other side of a comparison, as hashes: a value, a list of them, or another sealed column of the same purpose."""
    if isinstance(other, str):
        return keys.ring().find(kind.purpose, other)
    if isinstance(other, list | tuple | set | frozenset):
        return [hashed(kind, one) for one in other]
    other = other.__clause_element__() if hasattr(other, "__clause_element__") else other
    if is_found_alike(kind, other):
        return hash_column(other, other.type)
    raise TypeError(f"{kind.place} is sealed: it is compared with values, or with columns found by the same hash")


def found_by(sealed: str, *, purpose: str, part: Callable[[str], str] = str, **column: Any) -> MappedColumn[Any]:
    """The column that holds the hash of a sealed one of the same row, or of `part` of its value; written when the row is."""

    def value(context: Any) -> str:
        return keys.ring().find(purpose, part(context.get_current_parameters()[sealed]))

    column_info = {"found_by": (sealed, purpose, part)}
    return mapped_column(sa.Text(), default=value, info=column_info, **column)


def sealed_columns(metadata: sa.MetaData) -> dict[sa.Table, list[sa.Column[Any]]]:
    """Every table with sealed columns, and which."""
    found = {table: [column for column in table.columns if isinstance(column.type, Sealed)] for table in metadata.sorted_tables}
    return {table: columns for table, columns in found.items() if columns}


def hash_columns(table: sa.Table) -> dict[str, tuple[str, str, Callable[[str], str]]]:
    """The hash columns of a table by name: the column they are made of, their purpose, and of which part."""
    return {column.name: column.info["found_by"] for column in table.columns if "found_by" in column.info}
