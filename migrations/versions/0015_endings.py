"""How orders end that nobody collects: when they did, and indexes for the timers that see to it.

Columns that may be empty and small indexes: nothing is rewritten, and the locks are short.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

UNFINISHED = sa.text("state IN ('placed', 'accepted', 'packed', 'in_transit', 'ready', 'collected')")
OPEN = sa.text("state <> 'closed'")
LIVE = sa.text("state = 'live'")


def upgrade() -> None:
    for name in ("ended_at", "returned_at"):
        op.add_column("sub_orders", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_sub_orders_unfinished", "sub_orders", ["state", "cycle_id"], postgresql_where=UNFINISHED, sqlite_where=UNFINISHED)
    op.create_index("ix_batches_open", "batches", ["id"], postgresql_where=OPEN, sqlite_where=OPEN)
    op.create_index("ix_passes_live_valid_until", "passes", ["valid_until"], postgresql_where=LIVE, sqlite_where=LIVE)


def downgrade() -> None:
    op.drop_index("ix_passes_live_valid_until", table_name="passes")
    op.drop_index("ix_batches_open", table_name="batches")
    op.drop_index("ix_sub_orders_unfinished", table_name="sub_orders")
    op.drop_column("sub_orders", "returned_at")
    op.drop_column("sub_orders", "ended_at")
