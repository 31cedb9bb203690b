"""What moved on the account at the card provider for a payment, in the currency it settles in, and an index of payments without a fee.

One new table and one partial index: nothing is rewritten, and the locks are short. Movements booked before there was the table are
noted the next time the provider is asked about them; they are not booked again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KINDS = sa.Enum("charge", "dispute", name="movementkind", native_enum=False, create_constraint=True, length=32)
UNBOOKED = sa.text("booked_amount IS NULL OR booked_fee IS NULL")
WITHOUT_FEE = sa.text("provider_fee IS NULL AND method = 'stripe'")


def upgrade() -> None:
    op.create_table(
        "provider_movements",
        sa.Column("id", KEY, sa.Identity(), primary_key=True),
        sa.Column("payment_id", sa.BigInteger(), sa.ForeignKey("payments.id"), nullable=False),
        sa.Column("kind", KINDS, nullable=False),
        sa.Column("provider_ref", sa.Text(), nullable=False, unique=True),
        sa.Column("source_ref", sa.Text(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("fee", sa.BigInteger(), nullable=False),
        sa.Column("source_currency", sa.Text(), nullable=False),
        sa.Column("source_amount", sa.BigInteger(), nullable=False),
        sa.Column("exchange_rate", sa.Text(), nullable=True),
        sa.Column("booked_amount", sa.BigInteger(), nullable=True),
        sa.Column("booked_fee", sa.BigInteger(), nullable=True),
        sa.Column("is_by_hand", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_provider_movements_payment_id", "provider_movements", ["payment_id"])
    create_partial("provider_movements", "ix_provider_movements_unbooked", ["noted_at"], UNBOOKED)
    create_partial("payments", "ix_payments_without_fee", ["succeeded_at"], WITHOUT_FEE)


def create_partial(table: str, name: str, columns: list[str], where: sa.TextClause) -> None:
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    op.drop_index("ix_payments_without_fee", table_name="payments")
    op.drop_table("provider_movements")
