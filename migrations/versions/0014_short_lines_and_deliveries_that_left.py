"""Lines of which something was not there, why a shop declined, weights that were corrected, and deliveries that left before their cut-off.

Columns that may be empty or have a default: nothing is rewritten. Deliveries that left before are closed at the moment they left.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

SHORT = "short_quantity >= 0 AND short_quantity <= quantity"


def upgrade() -> None:
    op.add_column("cycles", sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("sub_orders", sa.Column("declined_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("sub_orders", sa.Column("declined_reason", sa.Text(), nullable=True))
    op.add_column("order_lines", sa.Column("weighed_times", sa.BigInteger(), server_default="0", nullable=False))
    # With its check in one statement: SQLite would build the whole table anew for a check that is added later.
    op.execute(
        "ALTER TABLE order_lines ADD COLUMN short_quantity BIGINT DEFAULT 0 NOT NULL"
        f" CONSTRAINT ck_order_lines_short_within_quantity CHECK ({SHORT})"
    )
    op.add_column("order_lines", sa.Column("short_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("order_lines", sa.Column("short_reason", sa.Text(), nullable=True))
    op.execute("UPDATE order_lines SET weighed_times = 1 WHERE final_grams IS NOT NULL")
    op.execute(
        "UPDATE cycles SET closed_at = (SELECT sealed_at FROM batches WHERE batches.cycle_id = cycles.id)"
        " WHERE id IN (SELECT cycle_id FROM batches WHERE sealed_at IS NOT NULL)"
    )


def downgrade() -> None:
    op.drop_column("order_lines", "short_reason")
    op.drop_column("order_lines", "short_at")
    op.drop_column("order_lines", "short_quantity")  # its check is the column's own and goes with it
    op.drop_column("order_lines", "weighed_times")
    op.drop_column("sub_orders", "declined_reason")
    op.drop_column("sub_orders", "declined_at")
    op.drop_column("cycles", "closed_at")
