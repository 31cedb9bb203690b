"""Indexes for everything that is listed, and sums of days that are over, so that no page reads or sorts a whole table.

On PostgreSQL the indexes are made concurrently: they take no lock that a shop would notice, and some seconds per million rows. The new
column has a constant default and is filled in by one statement over the finished rounds of a week; the two new tables are empty until
`flask orders sum-days` and the worker fill them. On SQLite everything happens in one transaction: writers wait for about a second per
million rows.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0018"
branch_labels = None
depends_on = None

SETTLED_AT = sa.text("COALESCE(collected_at, CASE WHEN state IN ('not_collected', 'returned') THEN ended_at END)")
LOOKED_AFTER = "handed_over_at IS NOT NULL AND state = 'unknown' OR contradicted_at IS NOT NULL"

INDEXES: tuple[tuple[str, str, list[Any], str], ...] = (
    ("ix_purchases_paid_at", "purchases", ["paid_at"], ""),
    ("ix_sub_orders_merchant_id_id", "sub_orders", ["merchant_id", "id"], ""),
    ("ix_sub_orders_merchant_id_settled_at", "sub_orders", ["merchant_id", SETTLED_AT, "id"], ""),
    ("ix_sub_orders_user_id_state", "sub_orders", ["user_id", "state"], ""),
    ("ix_cycles_pickup_point_id_arrives_on", "cycles", ["pickup_point_id", "arrives_on"], ""),
    ("ix_cycles_merchant_id_arrives_on", "cycles", ["merchant_id", "arrives_on"], ""),
    ("ix_handovers_pickup_point_id_outcome", "handovers", ["pickup_point_id", "outcome", "id"], ""),
    ("ix_bill_payments_looked_after", "bill_payments", ["id"], LOOKED_AFTER),
    ("ix_payments_open", "payments", ["expires_at"], "state IN ('created', 'requires_action', 'processing')"),
    ("ix_payments_failure_code", "payments", ["failure_code", "closed_at"], "failure_code IS NOT NULL"),
    ("ix_refund_proposals_refund_id", "refund_proposals", ["refund_id"], ""),
    ("ix_price_changes_variant_id_id", "price_changes", ["variant_id", "id"], ""),
    ("ix_audit_entries_at", "audit_entries", ["at"], ""),
    ("ix_audit_entries_action", "audit_entries", ["action", "id"], ""),
    ("ix_audit_entries_actor_id", "audit_entries", ["actor_id", "id"], "actor_id IS NOT NULL"),
    ("ix_audit_entries_rarely", "audit_entries", ["actor_kind", "id"], "actor_kind NOT IN ('user', 'job')"),
    ("ix_jobs_state_id", "jobs", ["state", "id"], ""),
    ("ix_jobs_asked_for", "jobs", ["kind", "id"], "NOT is_round"),
    ("ix_jobs_asked_for_id", "jobs", ["id"], "NOT is_round"),
)
WIDENED = (("ix_handovers_pickup_point_id", "handovers", "pickup_point_id"), ("ix_user_sessions_user_id", "user_sessions", "user_id"))


def aside() -> Any:
    """Outside the transaction on PostgreSQL, as indexes that are made beside a running shop have to be."""
    return op.get_context().autocommit_block() if is_postgresql() else nullcontext()


def is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def make(name: str, table: str, columns: list[Any], where: str = "") -> None:
    condition = sa.text(where) if where else None
    op.create_index(name, table, columns, postgresql_where=condition, sqlite_where=condition, postgresql_concurrently=is_postgresql())


def drop(name: str, table: str) -> None:
    op.drop_index(name, table_name=table, postgresql_concurrently=is_postgresql())


def upgrade() -> None:
    op.add_column("jobs", sa.Column("is_round", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute("UPDATE jobs SET is_round = TRUE WHERE dedupe_key LIKE kind || '@%'")
    op.create_table(
        "settled_days",
        sa.Column("merchant_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("orders", sa.BigInteger(), nullable=False),
        sa.Column("gross", sa.BigInteger(), nullable=False),
        sa.Column("refunded", sa.BigInteger(), nullable=False),
        sa.Column("support", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("commission", sa.BigInteger(), nullable=False),
        sa.Column("begins_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name="fk_settled_days_merchant_id"),
        sa.PrimaryKeyConstraint("merchant_id", "day", name="pk_settled_days"),
    )
    op.create_table(
        "closing_balances",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["ledger_accounts.id"], name="fk_closing_balances_account_id"),
        sa.PrimaryKeyConstraint("account_id", "day", name="pk_closing_balances"),
    )
    with aside():
        for name, table, columns, where in INDEXES:
            make(name, table, columns, where)
        drop("ix_jobs_state_run_at", "jobs")
        for name, table, column in WIDENED:
            drop(name, table)
            make(name, table, [column, "id"])


def downgrade() -> None:
    with aside():
        for name, table, column in WIDENED:
            drop(name, table)
            make(name, table, [column])
        make("ix_jobs_state_run_at", "jobs", ["state", "run_at"])
        for name, table, _columns, _where in INDEXES:
            drop(name, table)
    op.drop_table("closing_balances")
    op.drop_table("settled_days")
    op.drop_column("jobs", "is_round")
