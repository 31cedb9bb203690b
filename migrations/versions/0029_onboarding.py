"""Applications to sell with their papers and questions, licences and suspensions: tables of their own, which wait for nobody."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)
OPEN = sa.text("state IN ('draft', 'waiting', 'asked')")
APPROVED = sa.text("state = 'approved' AND uscc <> ''")
STANDS = sa.text("lifted_at IS NULL")
KINDS = ("shop", "stall", "co_op", "wholesaler", "service_provider", "farmer")
STATES = ("draft", "waiting", "asked", "approved", "declined", "withdrawn")
PAPERS = ("business_licence", "food_permit", "packaged_filing", "produce_certificate", "origin_proof", "identity", "other")


def one_of(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=op.f(name), native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    op.create_table(
        "applications",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", one_of("ck_applications_applicantkind", *KINDS), nullable=False),
        sa.Column("state", one_of("ck_applications_applicationstate", *STATES), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("name_zh", "name_en", "business_zh", "business_en")),
        sa.Column("food", one_of("ck_applications_food", "none", "produce", "packaged", "other"), nullable=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("legal_name", "uscc", "person")),
        sa.Column("declared_at", MOMENT, nullable=True),
        sa.Column("point_ids", DOCUMENT, nullable=False),
        sa.Column("changes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("touched_at", MOMENT, nullable=False),
        sa.Column("submitted_at", MOMENT, nullable=True),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("decided_by_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("merchant_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("decided_by_id <> user_id", name=op.f("ck_applications_decided_by_another")),
        sa.CheckConstraint("(state = 'approved') = (merchant_id IS NOT NULL)", name=op.f("ck_applications_approved_is_a_shop")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_applications")),
        sa.UniqueConstraint("merchant_id", name=op.f("uq_applications_merchant_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_applications_user_id")),
        sa.ForeignKeyConstraint(["decided_by_id"], ["users.id"], name=op.f("fk_applications_decided_by_id")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_applications_merchant_id")),
    )
    op.create_index("uq_applications_user_id", "applications", ["user_id"], unique=True, sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_index("uq_applications_uscc", "applications", ["uscc"], unique=True, sqlite_where=APPROVED, postgresql_where=APPROVED)
    op.create_index("ix_applications_state_submitted_at", "applications", ["state", "submitted_at", "id"])
    op.create_index("ix_applications_user_id_id", "applications", ["user_id", "id"])
    op.create_table(
        "application_papers",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("application_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", one_of("ck_application_papers_paperkind", *PAPERS), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("uploaded_at", MOMENT, nullable=False),
        sa.Column("removed_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_papers")),
        sa.ForeignKeyConstraint(["application_id"], ["applications.id"], name=op.f("fk_application_papers_application_id")),
    )
    op.create_index("ix_application_papers_application_id", "application_papers", ["application_id", "id"])
    op.create_table(
        "paper_slices",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("paper_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_paper_slices")),
        sa.UniqueConstraint("paper_id", "number", name=op.f("uq_paper_slices_paper_id_number")),
        sa.ForeignKeyConstraint(["paper_id"], ["application_papers.id"], name=op.f("fk_paper_slices_paper_id")),
    )
    op.create_table(
        "application_messages",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("application_id", sa.BigInteger(), nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=False),
        sa.Column("is_question", sa.Boolean(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("paper", one_of("ck_application_messages_paperkind", *PAPERS), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_messages")),
        sa.ForeignKeyConstraint(["application_id"], ["applications.id"], name=op.f("fk_application_messages_application_id")),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], name=op.f("fk_application_messages_author_id")),
    )
    op.create_index("ix_application_messages_application_id", "application_messages", ["application_id", "id"])
    op.create_table(
        "licences",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("merchant_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", one_of("ck_licences_paperkind", *PAPERS), nullable=False),
        sa.Column("legal_name", sa.Text(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_licences")),
        sa.UniqueConstraint("merchant_id", "kind", name=op.f("uq_licences_merchant_id_kind")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_licences_merchant_id")),
    )
    op.create_index("ix_licences_valid_until", "licences", ["valid_until"])
    op.create_table(
        "suspensions",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("merchant_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("suspended_by_id", sa.BigInteger(), nullable=False),
        sa.Column("suspended_at", MOMENT, nullable=False),
        sa.Column("lifted_reason", sa.Text(), nullable=False),
        sa.Column("lifted_by_id", sa.BigInteger(), nullable=True),
        sa.Column("lifted_at", MOMENT, nullable=True),
        sa.CheckConstraint("(lifted_at IS NULL) = (lifted_by_id IS NULL)", name=op.f("ck_suspensions_lifted_by_somebody")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suspensions")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_suspensions_merchant_id")),
        sa.ForeignKeyConstraint(["suspended_by_id"], ["users.id"], name=op.f("fk_suspensions_suspended_by_id")),
        sa.ForeignKeyConstraint(["lifted_by_id"], ["users.id"], name=op.f("fk_suspensions_lifted_by_id")),
    )
    op.create_index("uq_suspensions_merchant_id", "suspensions", ["merchant_id"], unique=True, sqlite_where=STANDS, postgresql_where=STANDS)


def downgrade() -> None:
    for table in ("suspensions", "licences", "application_messages", "paper_slices", "application_papers", "applications"):
        op.drop_table(table)
