"""What a payment's page is opened with, when the provider was asked about it and since when it is silent, and what became of wrong amounts.

Columns that may be empty and an index over refunds: nothing is rewritten, and the locks are short.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TIMES = ("asked_at", "answered_at", "silent_since", "returned_at")


def upgrade() -> None:
    op.add_column("payments", sa.Column("opening", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=True))
    for name in TIMES:
        op.add_column("payments", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.add_column("payments", sa.Column("return_refused", sa.Text(), nullable=True))
    op.create_index("ix_refunds_state_created_at", "refunds", ["state", "created_at"])
    # Wrong amounts that went back before there was a column for it; those not booked in fen are asked about once more.
    op.execute(
        "UPDATE payments SET returned_at = closed_at WHERE state = 'failed' AND failure_code = 'amount_mismatch' AND EXISTS"
        " (SELECT 1 FROM transfers WHERE transfers.cause = 'payment\\:' || payments.id || '\\:mismatch_returned')"
    )


def downgrade() -> None:
    op.drop_index("ix_refunds_state_created_at", "refunds")
    op.drop_column("payments", "return_refused")
    for name in reversed(TIMES):
        op.drop_column("payments", name)
    op.drop_column("payments", "opening")
