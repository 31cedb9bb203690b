"""Sheets of goods are kept while they are read and decided about: three tables of their own, which wait for nobody."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def one_of(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    op.create_table(
        "product_imports",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("merchant_id", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("kind", one_of("importkind", "goods", "figures"), nullable=False),
        sa.Column("state", one_of("importstate", "reading", "checked", "applying", "done", "refused", "dropped"), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("usual", DOCUMENT, nullable=False),
        sa.Column("layout", sa.Text(), nullable=False),
        sa.Column("headers", DOCUMENT, nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("rows_total", "rows_read", "rows_applied", "rows_failed", "pictures")),
        sa.Column("has_prices", sa.Boolean(), nullable=False),
        sa.Column("choice", one_of("choice", "all", "good"), nullable=True),
        sa.Column("refusal", DOCUMENT, nullable=True),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("chosen_by", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.CheckConstraint("rows_read >= 0 AND rows_read <= rows_total", name=op.f("ck_product_imports_read_within_total")),
        sa.CheckConstraint("rows_applied + rows_failed <= rows_total", name=op.f("ck_product_imports_applied_within_total")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_imports")),
        sa.UniqueConstraint("ref", name=op.f("uq_product_imports_ref")),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_product_imports_created_by")),
        sa.ForeignKeyConstraint(["chosen_by"], ["users.id"], name=op.f("fk_product_imports_chosen_by")),
    )
    op.create_index("ix_product_imports_merchant_id_id", "product_imports", ["merchant_id", "id"])
    op.create_table(
        "import_files",
        sa.Column("import_id", KEY, nullable=False, autoincrement=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("import_id", name=op.f("pk_import_files")),
        sa.ForeignKeyConstraint(["import_id"], ["product_imports.id"], name=op.f("fk_import_files_import_id")),
    )
    op.create_table(
        "import_rows",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("import_id", sa.BigInteger(), nullable=False),
        sa.Column("merchant_id", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("verdict", one_of("verdict", "new", "changed", "same", "wrong"), nullable=False),
        *(sa.Column(name, DOCUMENT, nullable=False) for name in ("cells", "values", "changes", "questions", "wrongs")),
        sa.Column("is_asked", sa.Boolean(), nullable=False),
        sa.Column("is_sure", sa.Boolean(), nullable=False),
        sa.Column("outcome", one_of("outcome", "applied", "failed"), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_rows")),
        sa.UniqueConstraint("import_id", "number", name=op.f("uq_import_rows_import_id_number")),
        sa.ForeignKeyConstraint(["import_id"], ["product_imports.id"], name=op.f("fk_import_rows_import_id")),
    )
    op.create_index("ix_import_rows_import_id_verdict_number", "import_rows", ["import_id", "verdict", "number"])


def downgrade() -> None:
    op.drop_table("import_rows")
    op.drop_table("import_files")
    op.drop_table("product_imports")
