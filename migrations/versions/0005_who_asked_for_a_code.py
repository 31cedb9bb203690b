"""Who asked for a code and who may type it; and each number that was looked up as one of the day's places.

New columns only. Codes of before belong to nobody and end within five minutes; look-ups of before have no place, and the places
of their day begin behind them.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

PLACES = "uq_bill_look_ups_user_id_day_place"


def upgrade() -> None:
    op.add_column("sign_in_codes", sa.Column("asker", sa.Text(), nullable=False, server_default=""))
    op.add_column("sign_in_codes", sa.Column("holder", sa.Text(), nullable=False, server_default=""))
    op.add_column("sign_in_codes", sa.Column("is_known", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("bill_look_ups", sa.Column("place", sa.BigInteger(), nullable=True))
    op.create_index(PLACES, "bill_look_ups", ["user_id", "day", "place"], unique=True)


def downgrade() -> None:
    op.drop_index(PLACES, "bill_look_ups")
    op.drop_column("bill_look_ups", "place")
    for name in ("is_known", "holder", "asker"):
        op.drop_column("sign_in_codes", name)
