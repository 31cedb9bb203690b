"""Which payment carries the money of a bill payment, and since when it is with us: bills can be paid by card, several at once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("bill_payments", sa.Column("paid_with_id", sa.BigInteger(), nullable=True))
    op.add_column("bill_payments", sa.Column("held_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_bill_payments_paid_with_id", "bill_payments", ["paid_with_id"])
    op.execute(
        "UPDATE bill_payments SET held_at = created_at,"
        " paid_with_id = (SELECT MIN(y.id) FROM payments y WHERE y.bill_payment_id = bill_payments.id)"
    )


def downgrade() -> None:
    op.drop_index("ix_bill_payments_paid_with_id", "bill_payments")
    op.drop_column("bill_payments", "held_at")
    op.drop_column("bill_payments", "paid_with_id")
