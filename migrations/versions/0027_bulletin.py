"""The community bulletin: three tables of its own, which wait for nobody (no table with rows in it is locked)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OPEN = sa.text("state IN ('draft', 'waiting')")
PUBLISHED = sa.text("state = 'published'")
KINDS = ("community", "government", "party_building", "event")
STATES = ("draft", "waiting", "published", "replaced", "refused", "withdrawn")


def enum(name: str, values: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(*values, name=op.f(f"ck_bulletin_versions_{name}"), native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    op.create_table(
        "bulletin_notices",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("readers", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulletin_notices")),
    )
    op.create_table(
        "bulletin_versions",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("notice_id", sa.BigInteger(), nullable=False),
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("state", enum("versionstate", STATES), nullable=False),
        sa.Column("kind", enum("bulletinkind", KINDS), nullable=False),
        sa.Column("title_zh", sa.Text(), nullable=False),
        sa.Column("title_en", sa.Text(), nullable=False),
        sa.Column("text_zh", sa.Text(), nullable=False),
        sa.Column("text_en", sa.Text(), nullable=False),
        sa.Column("building", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("is_pinned", sa.Boolean(), nullable=False),
        sa.Column("written_by_id", sa.BigInteger(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by_id", sa.BigInteger(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by_id", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("ck_bulletin_versions_ends_after_it_starts")),
        sa.CheckConstraint("published_by_id <> written_by_id", name=op.f("ck_bulletin_versions_published_by_another")),
        sa.CheckConstraint(
            "state NOT IN ('published', 'replaced') OR published_by_id IS NOT NULL", name=op.f("ck_bulletin_versions_published_by_somebody")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulletin_versions")),
        sa.ForeignKeyConstraint(["notice_id"], ["bulletin_notices.id"], name=op.f("fk_bulletin_versions_notice_id")),
        sa.ForeignKeyConstraint(["written_by_id"], ["users.id"], name=op.f("fk_bulletin_versions_written_by_id")),
        sa.ForeignKeyConstraint(["published_by_id"], ["users.id"], name=op.f("fk_bulletin_versions_published_by_id")),
        sa.ForeignKeyConstraint(["closed_by_id"], ["users.id"], name=op.f("fk_bulletin_versions_closed_by_id")),
        sa.UniqueConstraint("notice_id", "number", name=op.f("uq_bulletin_versions_notice_id_number")),
    )
    for name, columns, where, is_unique in (
        ("uq_bulletin_versions_open", ["notice_id"], OPEN, True),
        ("uq_bulletin_versions_published", ["notice_id"], PUBLISHED, True),
        ("ix_bulletin_versions_shown", ["community_id", "ends_on"], PUBLISHED, False),
    ):
        op.create_index(name, "bulletin_versions", columns, unique=is_unique, sqlite_where=where, postgresql_where=where)
    op.create_index("ix_bulletin_versions_community_id_id", "bulletin_versions", ["community_id", "id"])
    op.create_table(
        "bulletin_readers",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("notice_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("community_id", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default="1970-01-01 00:00:00+00", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulletin_readers")),
        sa.ForeignKeyConstraint(["notice_id"], ["bulletin_notices.id"], name=op.f("fk_bulletin_readers_notice_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_bulletin_readers_user_id")),
        sa.UniqueConstraint("notice_id", "user_id", name=op.f("uq_bulletin_readers_notice_id_user_id")),
    )


def downgrade() -> None:
    for table in ("bulletin_readers", "bulletin_versions", "bulletin_notices"):
        op.drop_table(table)
