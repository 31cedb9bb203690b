"""Two small new tables: how far checks and pruning have come, and how each invariant stood. And an index of carts of nobody.

New tables lock nothing. The index holds writes to `carts` while it is built: below a second for 200,000 carts, since only those of
browsers that are not signed in are in it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

NOBODYS = sa.text("user_id IS NULL")


def upgrade() -> None:
    op.create_table(
        "marks",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("up_to", sa.BigInteger(), nullable=False),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_marks"),
    )
    op.create_table(
        "invariant_checks",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("whole_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("broken_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.Column("milliseconds", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_invariant_checks"),
    )
    op.create_index("ix_carts_nobodys", "carts", ["updated_at"], sqlite_where=NOBODYS, postgresql_where=NOBODYS)


def downgrade() -> None:
    op.drop_index("ix_carts_nobodys", "carts")
    op.drop_table("invariant_checks")
    op.drop_table("marks")
