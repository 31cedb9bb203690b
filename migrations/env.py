"""How migrations run: one transaction, plain column types, batch mode for SQLite.

Migrations never import the shop, so that an old one keeps its meaning. `migrations/.head` names the newest: two made
side by side collide there, on purpose.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import context
from flask import current_app

from shop.kernel.columns import MoneyType, UtcDateTime
from shop.kernel.db import Base, database
from shop.kernel.sealing import Sealed


def plain_type(kind: str, thing: Any, _autogenerate: Any) -> str | bool:
    """Write our own column types as the plain types they are made of."""
    if kind != "type":
        return False
    if isinstance(thing, MoneyType):
        return "sa.BigInteger()"
    if isinstance(thing, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if isinstance(thing, Sealed):
        return "sa.Text()"
    if isinstance(thing, sa.BigInteger) and thing._variant_mapping:
        return 'sa.BigInteger().with_variant(sa.Integer(), "sqlite")'
    if isinstance(thing, sa.JSON) and thing._variant_mapping:
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    if isinstance(thing, sa.Enum):
        values = ", ".join(repr(value) for value in thing.enums)
        return f"sa.Enum({values}, name={thing.name!r}, native_enum=False, create_constraint=True, length={thing.length})"
    return False


def run() -> None:
    engine = database.engines[None]
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET statement_timeout = 0")
            connection.commit()
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_item=plain_type,
            transactional_ddl=True,
            **current_app.extensions["migrate"].configure_args,
        )
        with context.begin_transaction():
            context.run_migrations()
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("RESET statement_timeout")  # the connection goes back to its pool
            connection.commit()


run()
