"""Which lines of a cart are ticked, which lay there before a sign-in, and which offers leave the cart alone.

Columns with a constant default: nothing is rewritten. What lies in carts today is ticked, which is what it was.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

COLUMNS = (("cart_lines", "is_chosen", sa.true()), ("cart_lines", "is_earlier", sa.false()), ("quotes", "is_direct", sa.false()))


def upgrade() -> None:
    for table, name, usual in COLUMNS:
        op.add_column(table, sa.Column(name, sa.Boolean(), nullable=False, server_default=usual))


def downgrade() -> None:
    for table, name, _usual in reversed(COLUMNS):
        op.drop_column(table, name)
