"""The audit is sealed into a chain per community and month, so that a month can be put away and checked by itself.

New tables only: no lock on what is there, whatever its size. What is sealed stays sealed in the chain of before, which the release
before may go on with. Sealing goes on behind the last entry that chain holds; which ones before it are not in it is looked up once.
"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

APPEND_ONLY = ("audit_links",)
LOOKED_BACK = 10_000
"""Of so many of the last entries the numbers that are missing may still come: of transactions that are open at this moment."""


def upgrade() -> None:
    op.create_table(
        "audit_chains",
        sa.Column("community_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("links", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.Text(), nullable=False),
        sa.Column("anchored_links", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("anchored_head", sa.Text(), nullable=True),
        sa.Column("anchored_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("community_id", "month", name=op.f("pk_audit_chains")),
    )
    op.create_table(
        "audit_links",
        sa.Column("community_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "month", "position", name=op.f("pk_audit_links")),
        sa.UniqueConstraint("entry_id", "community_id", "month", name=op.f("uq_audit_links_entry_id_community_id_month")),
    )
    op.create_table(
        "audit_progress",
        sa.Column("id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("sealed_up_to", sa.BigInteger(), nullable=False),
        sa.Column("rounds", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_progress")),
    )
    op.create_table(
        "audit_gaps",
        sa.Column("first_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("first_id", name=op.f("pk_audit_gaps")),
    )
    for table in APPEND_ONLY:
        make_append_only(table)
    go_on_behind_the_old_chain()


def go_on_behind_the_old_chain() -> None:
    connection = op.get_bind()
    last = connection.execute(sa.text("SELECT MAX(entry_id) FROM audit_seals")).scalar()
    if last is None:
        return
    connection.execute(
        sa.text(
            "INSERT INTO audit_chains (community_id, month, links, head, anchored_links)"
            " SELECT 0, 'first', sequence, hash, 0 FROM audit_seals ORDER BY sequence DESC LIMIT 1"
        )
    )
    connection.execute(sa.text("INSERT INTO audit_progress (id, sealed_up_to, rounds) VALUES (1, :last, 0)"), {"last": last})
    unsealed = connection.execute(
        sa.text(
            "SELECT e.id FROM audit_entries e WHERE e.id <= :last"
            " AND NOT EXISTS (SELECT 1 FROM audit_seals s WHERE s.entry_id = e.id) ORDER BY e.id"
        ),
        {"last": last},
    )
    gaps = [(row.id, row.id) for row in unsealed]
    near = connection.execute(
        sa.text("SELECT id FROM audit_entries WHERE id > :from_id AND id <= :last ORDER BY id"),
        {"from_id": max(last - LOOKED_BACK, 0), "last": last},
    )
    before = max(last - LOOKED_BACK, 0)
    for row in near:
        if row.id > before + 1:
            gaps.append((before + 1, row.id - 1))
        before = row.id
    if gaps:
        written = sa.text(
            "INSERT INTO audit_gaps (first_id, last_id, seen_at) VALUES (:first, :last, :moment)"
        ).bindparams(sa.bindparam("moment", type_=sa.DateTime(timezone=True)))
        moment = datetime.now(UTC)
        connection.execute(written, [{"first": first, "last": end, "moment": moment} for first, end in gaps])


def make_append_only(table: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {table}_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_is_append_only()"
    )
    op.execute(
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {table}_is_append_only()"
    )


def downgrade() -> None:
    for table in ("audit_gaps", "audit_progress", "audit_links", "audit_chains"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        for table in APPEND_ONLY:
            op.execute(f"DROP FUNCTION {table}_is_append_only()")
