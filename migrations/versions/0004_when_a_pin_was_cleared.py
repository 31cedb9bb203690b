"""When the PIN of a wallet was cleared by hand: for a day after that the wallet pays less.

A column that may be empty: nothing is rewritten, and the lock is short.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("wallets", sa.Column("pin_cleared_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("wallets", "pin_cleared_at")
