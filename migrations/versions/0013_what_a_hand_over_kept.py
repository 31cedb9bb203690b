"""What of a hand-over stayed at the counter and why, what a device told under an id, and which scans were guesses of a code.

An index for what a desk asks at every scan: what waits at its point.

Rows from before were told without a fingerprint: a repeat of theirs is answered as before. Which of them were guesses only mattered for
the hour in which they were made.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("handovers", sa.Column("told_hash", sa.Text(), nullable=True))
    op.add_column("handovers", sa.Column("is_guess", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index("ix_handovers_pickup_point_id_received_at", "handovers", ["pickup_point_id", "received_at"])
    op.create_table(
        "handover_kept",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(always=False), nullable=False),
        sa.Column("handover_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sub_order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["handover_id"], ["handovers.id"], name=op.f("fk_handover_kept_handover_id")),
        sa.ForeignKeyConstraint(["sub_order_id"], ["sub_orders.id"], name=op.f("fk_handover_kept_sub_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover_kept")),
        sa.UniqueConstraint("handover_id", "sub_order_id", name=op.f("uq_handover_kept_handover_id_sub_order_id")),
    )
    op.create_index("ix_sub_orders_pickup_point_id_state", "sub_orders", ["pickup_point_id", "state"])
    op.create_index("ix_handover_kept_sub_order_id", "handover_kept", ["sub_order_id"])


def downgrade() -> None:
    op.drop_index("ix_sub_orders_pickup_point_id_state", "sub_orders")
    op.drop_table("handover_kept")
    op.drop_index("ix_handovers_pickup_point_id_received_at", "handovers")
    op.drop_column("handovers", "is_guess")
    op.drop_column("handovers", "told_hash")
