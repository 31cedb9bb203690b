"""By which way a refund goes, who made it, what it carries on, and who has it; and what one person wants to give back and another agrees to.

Every refund there is goes the way its payment came. Refunds that failed before are with a person from now on. The names the
provider gives its refunds may stand on several rows, as one of its refunds may concern several sub-orders.
"""

from __future__ import annotations

import re

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
METHODS = sa.Enum("wallet", "stripe", "cash", "bank", name="refundmethod", native_enum=False, create_constraint=True, length=32)
HANDED_OVER = sa.text("handed_over_at IS NOT NULL")
OPEN_PROPOSAL = sa.text("state = 'asked' AND refund_id IS NOT NULL")
ACCOUNT_KINDS = "ck_ledger_accounts_accountkind"


def upgrade() -> None:
    op.add_column("refunds", sa.Column("way", sa.Text(), nullable=True))
    op.execute("UPDATE refunds SET way = (SELECT method FROM payments WHERE payments.id = refunds.payment_id)")
    origins = sa.Enum("shop", "provider", name="refundorigin", native_enum=False, create_constraint=True, length=32)
    with op.batch_alter_table("refunds") as refunds:
        refunds.drop_constraint("uq_refunds_provider_ref", type_="unique")
        refunds.add_column(sa.Column("method", METHODS, nullable=False, server_default="stripe"))
        refunds.add_column(sa.Column("origin", origins, nullable=False, server_default="shop"))
        refunds.add_column(sa.Column("replaces_id", KEY, nullable=True))
        refunds.add_column(sa.Column("carried_on", sa.BigInteger(), nullable=False, server_default="0"))
        refunds.add_column(sa.Column("uncovered_at", TIME, nullable=True))
        refunds.add_column(sa.Column("handed_over_at", TIME, nullable=True))
        refunds.create_foreign_key("fk_refunds_replaces_id", "refunds", ["replaces_id"], ["id"])
        refunds.create_check_constraint(op.f("ck_refunds_carried_on_within_amount"), "carried_on >= 0 AND carried_on <= amount")
        refunds.create_check_constraint(op.f("ck_refunds_only_failed_is_carried_on"), "carried_on = 0 OR state = 'failed'")
    op.execute("UPDATE refunds SET method = way")
    op.execute("UPDATE refunds SET handed_over_at = settled_at WHERE state = 'failed'")
    with op.batch_alter_table("refunds") as refunds:
        refunds.drop_column("way")
        for name in ("method", "origin", "carried_on"):
            refunds.alter_column(name, server_default=None)
    op.create_index("ix_refunds_provider_ref", "refunds", ["provider_ref"])
    op.create_index("ix_refunds_replaces_id", "refunds", ["replaces_id"])
    op.create_index("ix_refunds_handed_over_at", "refunds", ["handed_over_at"], sqlite_where=HANDED_OVER, postgresql_where=HANDED_OVER)
    states = sa.Enum("asked", "approved", "refused", name="proposalstate", native_enum=False, create_constraint=True, length=32)
    op.create_table(
        "refund_proposals",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("sub_order_id", KEY, nullable=True),
        sa.Column("refund_id", KEY, nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("method", METHODS, nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", states, nullable=False),
        sa.Column("asked_by_id", KEY, nullable=False),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("decided_by_id", KEY, nullable=True),
        sa.Column("decided_at", TIME, nullable=True),
        sa.CheckConstraint("amount > 0", name=op.f("ck_refund_proposals_amount_positive")),
        sa.CheckConstraint("(sub_order_id IS NULL) <> (refund_id IS NULL)", name=op.f("ck_refund_proposals_concerns_one_thing")),
        sa.CheckConstraint("(state = 'asked') = (decided_at IS NULL)", name=op.f("ck_refund_proposals_decided_with_its_time")),
        sa.CheckConstraint("state <> 'approved' OR decided_by_id <> asked_by_id", name=op.f("ck_refund_proposals_approved_by_another")),
        sa.CheckConstraint("method <> 'bank' OR reference <> ''", name=op.f("ck_refund_proposals_transfers_have_a_reference")),
        sa.ForeignKeyConstraint(["asked_by_id"], ["users.id"], name=op.f("fk_refund_proposals_asked_by_id")),
        sa.ForeignKeyConstraint(["decided_by_id"], ["users.id"], name=op.f("fk_refund_proposals_decided_by_id")),
        sa.ForeignKeyConstraint(["refund_id"], ["refunds.id"], name=op.f("fk_refund_proposals_refund_id")),
        sa.ForeignKeyConstraint(["sub_order_id"], ["sub_orders.id"], name=op.f("fk_refund_proposals_sub_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund_proposals")),
        sa.UniqueConstraint("key", name=op.f("uq_refund_proposals_key")),
    )
    op.create_index("ix_refund_proposals_sub_order_id", "refund_proposals", ["sub_order_id"])
    op.create_index("ix_refund_proposals_state_id", "refund_proposals", ["state", "id"])
    op.create_index(
        "uq_refund_proposals_open_refund", "refund_proposals", ["refund_id"], unique=True, sqlite_where=OPEN_PROPOSAL,
        postgresql_where=OPEN_PROPOSAL,
    )  # fmt: skip
    let_accounts_be("'bank'", allowed=True)


def downgrade() -> None:
    """What only the new columns can hold must not be there: several rows for one refund of the provider, or transfers by hand."""
    let_accounts_be("'bank'", allowed=False)
    op.drop_table("refund_proposals")
    for name in ("handed_over_at", "replaces_id", "provider_ref"):
        op.drop_index(f"ix_refunds_{name}", table_name="refunds")
    with op.batch_alter_table("refunds") as refunds:
        refunds.drop_constraint(op.f("ck_refunds_only_failed_is_carried_on"), type_="check")
        refunds.drop_constraint(op.f("ck_refunds_carried_on_within_amount"), type_="check")
        refunds.drop_constraint("fk_refunds_replaces_id", type_="foreignkey")
        refunds.drop_constraint(op.f("ck_refunds_refundorigin"), type_="check")
        refunds.drop_constraint(op.f("ck_refunds_refundmethod"), type_="check")
        for name in ("handed_over_at", "uncovered_at", "carried_on", "replaces_id", "origin", "method"):
            refunds.drop_column(name)
        refunds.create_unique_constraint("uq_refunds_provider_ref", ["provider_ref"])


def let_accounts_be(kind: str, *, allowed: bool) -> None:
    """Let the kinds of accounts hold one more, or one less, whichever the others are.

    SQLite cannot change a CHECK, and a table others point to cannot be made anew within a transaction; its own manual changes the
    words of the table instead, which is safe for a CHECK: no row is written differently.
    """
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        words = connection.scalar(sa.text(f"SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = '{ACCOUNT_KINDS}'"))
        kinds = {f"'{found}'" for found in re.findall(r"'([a-z_]+)'", str(words))}
        kinds = kinds | {kind} if allowed else kinds - {kind}
        op.execute(f"ALTER TABLE ledger_accounts DROP CONSTRAINT {ACCOUNT_KINDS}")
        op.execute(f"ALTER TABLE ledger_accounts ADD CONSTRAINT {ACCOUNT_KINDS} CHECK (kind IN ({', '.join(sorted(kinds))}))")
        return
    words = str(connection.scalar(sa.text("SELECT sql FROM sqlite_master WHERE name = 'ledger_accounts'")))
    changed = words.replace("'suspense'", f"'suspense', {kind}") if allowed else words.replace(f", {kind}", "")
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    connection.execute(sa.text("UPDATE sqlite_master SET sql = :sql WHERE name = 'ledger_accounts'"), {"sql": changed})
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")
