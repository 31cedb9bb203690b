"""Writing rows in bulk, into the tables of whichever release is measured."""

from __future__ import annotations

from typing import Any


def write(session: Any, model: Any, rows: list[dict[str, Any]]) -> list[int]:
    """Add rows; their ids in the same order. What that release has no column for is left out."""
    import sqlalchemy as sa

    known = {attribute.key for attribute in sa.inspect(model).column_attrs}
    fitting = [{name: value for name, value in row.items() if name in known} for row in rows]
    return list(session.scalars(sa.insert(model).returning(model.id, sort_by_parameter_order=True), fitting))
