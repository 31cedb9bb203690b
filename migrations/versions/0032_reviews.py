"""What people say of what they collected: four tables of their own, which wait for nobody (no table with rows in it is locked)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SHOWN, HIDDEN = sa.text("state = 'shown'"), sa.text("state = 'hidden'")
UNANSWERED = sa.text("state = 'shown' AND answer = ''")
OPEN = sa.text("decided_at IS NULL")
LONG_AGO = "1970-01-01 00:00:00+00"


def enum(table: str, name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=op.f(f"ck_{table}_{name}"), native_enum=False, create_constraint=True, length=32)


def number(name: str, default: str | None = None, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), server_default=default, nullable=nullable)


def text(name: str, default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default=default, nullable=False)


def moment(name: str, default: str | None = None, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=nullable)


def key() -> sa.Column[int]:
    return sa.Column("id", KEY, sa.Identity(always=False), nullable=False)


def points_to(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}"))


def upgrade() -> None:
    op.create_table(
        "reviews",
        key(),
        number("line_id"),
        number("product_id"),
        number("merchant_id", "0"),
        number("user_id"),
        sa.Column("state", enum("reviews", "reviewstate", "shown", "taken_back", "hidden"), nullable=False),
        number("number"),
        number("stars"),
        text("text"),
        sa.Column("is_anonymous", sa.Boolean(), nullable=False),
        moment("written_at", LONG_AGO),
        moment("changed_at", nullable=True),
        text("follow_up", ""),
        moment("followed_up_at", nullable=True),
        text("answer", ""),
        moment("answered_at", nullable=True),
        number("answered_by_id", nullable=True),
        moment("answer_corrected_at", nullable=True),
        text("hidden_reason", ""),
        number("decided_by_id", nullable=True),
        moment("decided_at", nullable=True),
        sa.CheckConstraint("stars BETWEEN 1 AND 5", name=op.f("ck_reviews_stars_one_to_five")),
        sa.CheckConstraint("state <> 'hidden' OR hidden_reason <> ''", name=op.f("ck_reviews_hidden_with_a_reason")),
        sa.CheckConstraint("(follow_up = '') = (followed_up_at IS NULL)", name=op.f("ck_reviews_follow_up_has_its_time")),
        sa.CheckConstraint("(answer = '') = (answered_at IS NULL)", name=op.f("ck_reviews_answer_has_its_time")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
        points_to("reviews", "line_id", "order_lines"),
        points_to("reviews", "product_id", "products"),
        points_to("reviews", "user_id", "users"),
        points_to("reviews", "answered_by_id", "users"),
        points_to("reviews", "decided_by_id", "users"),
        sa.UniqueConstraint("line_id", name=op.f("uq_reviews_line_id")),
    )
    for name, columns, where in (
        ("ix_reviews_shown", ["product_id", "id"], SHOWN),
        ("ix_reviews_unanswered", ["merchant_id", "id"], UNANSWERED),
        ("ix_reviews_hidden", ["id"], HIDDEN),
    ):
        op.create_index(name, "reviews", columns, sqlite_where=where, postgresql_where=where)
    op.create_index("ix_reviews_merchant_id_id", "reviews", ["merchant_id", "id"])
    op.create_index("ix_reviews_user_id_id", "reviews", ["user_id", "id"])
    op.create_table(
        "review_versions",
        key(),
        number("review_id"),
        number("merchant_id", "0"),
        number("number"),
        sa.Column("part", enum("review_versions", "reviewpart", "review", "follow_up", "answer"), nullable=False),
        number("stars", nullable=True),
        text("text"),
        moment("at", LONG_AGO),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_versions")),
        points_to("review_versions", "review_id", "reviews"),
        sa.UniqueConstraint("review_id", "number", name=op.f("uq_review_versions_review_id_number")),
    )
    op.create_table(
        "review_reports",
        key(),
        number("review_id"),
        number("merchant_id", "0"),
        number("user_id"),
        sa.Column("kind", enum("review_reports", "reportkind", "abuse", "advert", "privacy", "untrue", "other"), nullable=False),
        text("words"),
        moment("reported_at", LONG_AGO),
        moment("decided_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_reports")),
        points_to("review_reports", "review_id", "reviews"),
        points_to("review_reports", "user_id", "users"),
        sa.UniqueConstraint("review_id", "user_id", name=op.f("uq_review_reports_review_id_user_id")),
    )
    op.create_index("ix_review_reports_open", "review_reports", ["id"], sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_table(
        "product_ratings",
        key(),
        number("product_id"),
        *(number(name, "0") for name in ("ones", "twos", "threes", "fours", "fives", "changes")),
        sa.CheckConstraint(
            "ones >= 0 AND twos >= 0 AND threes >= 0 AND fours >= 0 AND fives >= 0", name=op.f("ck_product_ratings_counts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_ratings")),
        points_to("product_ratings", "product_id", "products"),
        sa.UniqueConstraint("product_id", name=op.f("uq_product_ratings_product_id")),
    )


def downgrade() -> None:
    for table in ("product_ratings", "review_reports", "review_versions", "reviews"):
        op.drop_table(table)
