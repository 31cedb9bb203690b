"""Pictures and drafts of goods: two tables of their own, and columns with defaults, which take their locks for a moment."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def one_of(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    op.create_table(
        "picture_uploads",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("merchant_id", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("state", one_of("picturestate", "waiting", "made", "refused"), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint("(state = 'waiting') = (content IS NOT NULL)", name=op.f("ck_picture_uploads_content_while_waiting")),
        sa.CheckConstraint("(state = 'refused') = (refusal IS NOT NULL)", name=op.f("ck_picture_uploads_refusal_when_refused")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_picture_uploads")),
        sa.UniqueConstraint("ref", name=op.f("uq_picture_uploads_ref")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_picture_uploads_product_id")),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_picture_uploads_created_by")),
    )
    op.create_index("ix_picture_uploads_product_id", "picture_uploads", ["product_id"])
    op.create_table(
        "listing_drafts",
        sa.Column("product_id", KEY, nullable=False, autoincrement=False),
        sa.Column("typed", DOCUMENT, nullable=False),
        sa.Column("saved_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("product_id", name=op.f("pk_listing_drafts")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_listing_drafts_product_id")),
    )
    for name in ("alt_zh", "alt_en"):
        op.add_column("product_images", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.add_column("product_images", sa.Column("has_medium", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("products", sa.Column("publish_at", MOMENT, nullable=True))
    op.create_index("ix_products_publish_at", "products", ["publish_at"])
    op.create_index("ix_products_merchant_id_id", "products", ["merchant_id", "id"])
    op.drop_index("ix_products_merchant_id", "products")


def downgrade() -> None:
    op.create_index("ix_products_merchant_id", "products", ["merchant_id"])
    op.drop_index("ix_products_merchant_id_id", "products")
    op.drop_index("ix_products_publish_at", "products")
    op.drop_column("products", "publish_at")
    for name in ("has_medium", "alt_en", "alt_zh"):
        op.drop_column("product_images", name)
    op.drop_table("listing_drafts")
    op.drop_table("picture_uploads")
