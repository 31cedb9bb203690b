"""What was sold on a day is kept with the sum of the day, and what spoiled is found by its time.

Two columns that may be empty: no lock beyond a moment, no rows are written. The worker fills them, some hundred days at a time; until it
has, and for days that the code before sums anew, figures are added up from the orders (`sold_at` is then not the moment of the sum).
The index is made beside the running shop on PostgreSQL; it holds spoiled goods alone.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

SPOILED = sa.text("kind = 'spoilage'")


def is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def aside() -> Any:
    """Outside the transaction on PostgreSQL, as indexes that are made beside a running shop have to be."""
    return op.get_context().autocommit_block() if is_postgresql() else nullcontext()


def upgrade() -> None:
    if is_postgresql():
        op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column("settled_days", sa.Column("sold", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=True))
    op.add_column("settled_days", sa.Column("sold_at", sa.DateTime(timezone=True), nullable=True))
    with aside():
        op.create_index(
            "ix_stock_movements_spoiled", "stock_movements", ["merchant_id", "at"], postgresql_where=SPOILED, sqlite_where=SPOILED,
            postgresql_concurrently=is_postgresql(),
        )


def downgrade() -> None:
    with aside():
        op.drop_index("ix_stock_movements_spoiled", table_name="stock_movements", postgresql_concurrently=is_postgresql())
    op.drop_column("settled_days", "sold_at")
    op.drop_column("settled_days", "sold")
