"""Which of its payments paid a purchase: one per purchase, known from then on.

Until now it was taken to be the first that succeeded, which may be one whose money came late and went back.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

PAID = """
    UPDATE payments SET pays_purchase = true WHERE id IN (
        SELECT MIN(y.id) FROM payments y JOIN purchases p ON p.id = y.purchase_id
        WHERE y.state = 'succeeded' AND p.paid_at IS NOT NULL AND y.amount = p.total
            AND NOT EXISTS (SELECT 1 FROM refunds r WHERE r.payment_id = y.id AND r.cause = 'payment\\:' || y.id || '\\:late')
        GROUP BY y.purchase_id
    )
"""


def upgrade() -> None:
    op.add_column("payments", sa.Column("pays_purchase", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute(PAID)
    paid = sa.text("pays_purchase")
    op.create_index("uq_payments_pays_purchase", "payments", ["purchase_id"], unique=True, postgresql_where=paid, sqlite_where=paid)


def downgrade() -> None:
    op.drop_index("uq_payments_pays_purchase", "payments")
    op.drop_column("payments", "pays_purchase")
