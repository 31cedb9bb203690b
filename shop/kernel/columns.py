"""Column types shared by all models."""

from __future__ import annotations

import enum
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import mapped_column

from shop.kernel.money import Money


def money_of(value: Any) -> Money | None:
    return None if value is None else Money(int(value))


class MoneyType(sa.types.TypeDecorator[Money]):
    """Whole fen in a BIGINT."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: Money | None, dialect: sa.Dialect) -> int | None:
        return None if value is None else value.fen

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Callable[[Any], Money | None]:
        """What rows go through, straight: a page of cards holds 72 amounts."""
        return money_of

    def coerce_compared_value(self, op: Any, value: Any) -> Any:
        return self


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """An instant. Kept in UTC on both engines; a value without a zone is refused."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone reached the database; use shop.kernel.clock")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


TextEnum = sa.Enum(
    enum.Enum,
    native_enum=False,
    create_constraint=True,
    length=32,
    values_callable=lambda cls: [member.value for member in cls],
)

# SQLite numbers rows by itself only for plain INTEGER keys.
BigKey = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

pk = Annotated[int, mapped_column(BigKey, sa.Identity(), primary_key=True)]


CITY = 0
"""The community of what belongs to none: deeds about the whole city, payments of people who have not chosen a point yet."""


def _unsaid() -> int:
    raise LookupError("say to which community or merchant a row belongs, and of what moment it is: see docs/operations/scale.md")


# By what a table that grows is spread and parted (docs/operations/scale.md). Copied from what the row hangs on when it is made, and
# never changed; no foreign key, since the parent has it. Nobody leaves it out unnoticed: what has no value here is refused. The
# database's own default is for a process of the release before, which does not know the column.
community_key = Annotated[int, mapped_column(default=_unsaid, server_default="0")]
merchant_key = Annotated[int, mapped_column(default=_unsaid, server_default="0")]
moment_key = Annotated[datetime, mapped_column(default=_unsaid, server_default="1970-01-01 00:00:00+00")]


# A JSON document: JSONB on PostgreSQL, text on SQLite.
Document = sa.JSON().with_variant(JSONB(), "postgresql")
