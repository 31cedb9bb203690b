"""Origins, districts and lines of business in both languages; which shelves compare prices by weight.

Short locks only: columns are renamed or added with a constant default. Until somebody translates them, the Chinese words
stand in for the English ones.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

RENAMED = (("products", "origin"), ("communities", "district"))
TRANSLATED = (("products", "origin"), ("communities", "district"), ("merchants", "business"))


def upgrade() -> None:
    for table, name in RENAMED:
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {name} TO {name}_zh")
    for table, name in TRANSLATED:
        op.add_column(table, sa.Column(f"{name}_en", sa.Text(), nullable=False, server_default=""))
        op.execute(f"UPDATE {table} SET {name}_en = {name}_zh")
    op.add_column("categories", sa.Column("has_unit_price", sa.Boolean(), nullable=False, server_default=sa.true()))
    if op.get_bind().dialect.name == "postgresql":  # SQLite cannot drop a default in place
        for table, name in TRANSLATED:
            op.alter_column(table, f"{name}_en", server_default=None)
        op.alter_column("categories", "has_unit_price", server_default=None)


def downgrade() -> None:
    op.drop_column("categories", "has_unit_price")
    for table, name in TRANSLATED:
        op.drop_column(table, f"{name}_en")
    for table, name in RENAMED:
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {name}_zh TO {name}")
