"""Search reads the best entries of its index first and looks no further, and what many people search for is counted.

Entries know where their goods stand in the shop's order and whose they are. Those written before say neither (0) and stay good; they
are written anew by `flask catalog terms`. The key is turned round, so that an entry is found by its product first: on PostgreSQL both
indexes are made beside the running shop and the key is exchanged in a moment (ACCESS EXCLUSIVE, no rows are read); the columns have
constant defaults. On SQLite the table is copied: about four seconds per million rows.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TERM = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BEST = ["term", sa.text("weight DESC"), "rank", "product_id", "merchant_id"]


def is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def aside() -> Any:
    """Outside the transaction on PostgreSQL, as indexes that are made beside a running shop have to be."""
    return op.get_context().autocommit_block() if is_postgresql() else nullcontext()


def create_terms(name: str, key: tuple[str, str], *more: sa.Column[Any]) -> None:
    """The table of terms with a key of this order."""
    op.create_table(
        name,
        sa.Column("product_id", KEY, nullable=False),
        sa.Column("term", TERM, nullable=False),
        sa.Column("weight", sa.BigInteger(), nullable=False),
        *more,
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_search_terms_product_id")),
        sa.PrimaryKeyConstraint(*key, name=op.f("pk_search_terms")),
    )


def copied(key: tuple[str, str], *more: sa.Column[Any]) -> None:
    """The same rows in a table with another key: SQLite cannot exchange it."""
    create_terms("search_terms_new", key, *more)
    op.execute("INSERT INTO search_terms_new (product_id, term, weight) SELECT product_id, term, weight FROM search_terms")
    op.drop_table("search_terms")
    op.rename_table("search_terms_new", "search_terms")


def exchange_key(*key: str) -> None:
    """Another order of the key, from an index made beside the running shop."""
    with aside():
        op.create_index("search_terms_key", "search_terms", list(key), unique=True, postgresql_concurrently=True)
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("ALTER TABLE search_terms DROP CONSTRAINT pk_search_terms")
    op.execute("ALTER TABLE search_terms ADD CONSTRAINT pk_search_terms PRIMARY KEY USING INDEX search_terms_key")


def upgrade() -> None:
    op.create_table(
        "search_words",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.Column("people", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_words")),
        sa.UniqueConstraint("day", "word", name=op.f("uq_search_words_day_word")),
    )
    op.create_index("ix_search_words_day_people", "search_words", ["day", "people", "id"])
    new = (
        sa.Column("rank", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("merchant_id", sa.BigInteger(), nullable=False, server_default="0"),
    )
    if is_postgresql():
        for column in new:
            op.add_column("search_terms", column)
        exchange_key("product_id", "term")
    else:
        copied(("product_id", "term"), *new)
    with aside():
        op.create_index("ix_search_terms_best", "search_terms", BEST, postgresql_concurrently=is_postgresql())
        if is_postgresql():
            op.drop_index("ix_search_terms_product_id", table_name="search_terms", postgresql_concurrently=True)


def downgrade() -> None:
    if is_postgresql():
        with aside():
            op.create_index("ix_search_terms_product_id", "search_terms", ["product_id"], postgresql_concurrently=True)
            op.drop_index("ix_search_terms_best", table_name="search_terms", postgresql_concurrently=True)
        exchange_key("term", "product_id")
        op.drop_column("search_terms", "merchant_id")
        op.drop_column("search_terms", "rank")
    else:
        copied(("term", "product_id"))
        op.create_index("ix_search_terms_product_id", "search_terms", ["product_id"])
    op.drop_table("search_words")
