"""What people like is kept: a table of its own, which waits for nobody (no table with rows in it is locked)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OPEN = sa.text("ended_at IS NULL")
AWAITED = sa.text("gone_at IS NOT NULL AND ended_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "favourites",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("user_id", KEY, nullable=False),
        sa.Column("product_id", KEY, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_favourites")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_favourites_user_id")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_favourites_product_id")),
        sa.UniqueConstraint("user_id", "product_id", name=op.f("uq_favourites_user_id_product_id")),
    )
    op.create_index("ix_favourites_product_id", "favourites", ["product_id"], sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_index("ix_favourites_awaited", "favourites", ["product_id", "id"], sqlite_where=AWAITED, postgresql_where=AWAITED)


def downgrade() -> None:
    op.drop_table("favourites")
