"""Why goods were lost, and from how many on a shop wants to be told that something runs low.

Two new tables, which wait for nobody. `stock_items` gets two columns that may be empty: no row is rewritten, its lock is held for a moment
(the check is looked at while there is nothing in the column). The index on it is over no row yet; on PostgreSQL it is made beside the
running shop.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
REASONS = ("spoiled", "broken", "past_date", "given_away", "stolen", "other")
IS_LOW = sa.text("low_since IS NOT NULL")


def is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def aside() -> Any:
    """Outside the transaction on PostgreSQL, as indexes that are made beside a running shop have to be."""
    return op.get_context().autocommit_block() if is_postgresql() else nullcontext()


def upgrade() -> None:
    op.create_table(
        "stock_losses",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("merchant_id", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("variant_id", sa.BigInteger(), nullable=False),
        sa.Column("movement_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "reason",
            sa.Enum(*REASONS, name=op.f("ck_stock_losses_lossreason"), native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("words", sa.Text(), server_default="", nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.CheckConstraint("reason NOT IN ('stolen', 'other') OR words <> ''", name=op.f("ck_stock_losses_told_in_words")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_losses")),
        sa.ForeignKeyConstraint(["variant_id"], ["variants.id"], name=op.f("fk_stock_losses_variant_id")),
        sa.ForeignKeyConstraint(["movement_id"], ["stock_movements.id"], name=op.f("fk_stock_losses_movement_id")),
        sa.UniqueConstraint("movement_id", name=op.f("uq_stock_losses_movement_id")),
    )
    op.create_index("ix_stock_losses_merchant_id_id", "stock_losses", ["merchant_id", "id"])
    op.create_index("ix_stock_losses_merchant_id_reason_id", "stock_losses", ["merchant_id", "reason", "id"])
    op.create_index("ix_stock_losses_merchant_id_at", "stock_losses", ["merchant_id", "at"])
    op.create_table(
        "shelf_terms",
        sa.Column("merchant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("low_mark", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("low_mark >= 0", name=op.f("ck_shelf_terms_low_mark_not_negative")),
        sa.PrimaryKeyConstraint("merchant_id", name=op.f("pk_shelf_terms")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_shelf_terms_merchant_id")),
    )
    if is_postgresql():
        op.execute("SET LOCAL lock_timeout = '3s'")
    # With its check in one statement: SQLite would build the whole table anew for a check that is added later.
    op.execute(
        "ALTER TABLE stock_items ADD COLUMN low_mark BIGINT CONSTRAINT ck_stock_items_low_mark_not_negative CHECK (low_mark >= 0)"
    )
    op.add_column("stock_items", sa.Column("low_since", MOMENT, nullable=True))
    with aside():
        op.create_index(
            "ix_stock_items_low", "stock_items", ["variant_id"], sqlite_where=IS_LOW, postgresql_where=IS_LOW,
            postgresql_concurrently=is_postgresql(),
        )


def downgrade() -> None:
    op.drop_index("ix_stock_items_low", table_name="stock_items")
    op.drop_column("stock_items", "low_since")
    op.drop_column("stock_items", "low_mark")  # its check is the column's own and goes with it
    op.drop_table("shelf_terms")
    op.drop_table("stock_losses")
