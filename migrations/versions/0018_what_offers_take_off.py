"""Offers, what they take off each line of an order and who pays for it, what was paid for a line, and the account the platform pays from.

What was ordered before is carried over as it was: nothing came off it, and `paid_total` is `line_total`. Two new tables. `ledger_accounts`,
`sub_orders` and `order_lines` are locked (ACCESS EXCLUSIVE on PostgreSQL) until the migration is committed: the first two while their new
checks read them through, the last while it is written anew for the sum that the database keeps itself (`paid_total`), which takes 4 seconds
for a million lines on two busy cores. Who runs the release before goes on afterwards: the new columns have defaults.
"""

from __future__ import annotations

import re

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ACCOUNT_KINDS = "ck_ledger_accounts_accountkind"
PROMOTION = "promotion"


def enum(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    let_accounts_be(PROMOTION, allowed=True)
    op.execute(f"UPDATE ledger_accounts SET kind = '{PROMOTION}' WHERE code = '{PROMOTION}'")  # left by a way back from here
    op.create_table(
        "price_offers",
        sa.Column("id", KEY, sa.Identity(), primary_key=True),
        sa.Column("code", sa.Text(), nullable=False, unique=True),
        sa.Column("kind", enum("offerkind", "ladder", "threshold"), nullable=False),
        sa.Column("funder", enum("funder", "merchant", "platform"), nullable=False),
        sa.Column("merchant_id", sa.BigInteger(), sa.ForeignKey("merchants.id"), nullable=True),
        sa.Column("community_id", sa.BigInteger(), sa.ForeignKey("communities.id"), nullable=True),
        sa.Column("variant_id", sa.BigInteger(), sa.ForeignKey("variants.id"), nullable=True),
        sa.Column("at_least", sa.BigInteger(), nullable=False),
        sa.Column("off", sa.BigInteger(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("at_least > 0 AND off > 0", name="amounts_positive"),
        sa.CheckConstraint("ends_at > starts_at", name="ends_after_it_starts"),
        sa.CheckConstraint("(kind = 'ladder') = (variant_id IS NOT NULL)", name="ladders_are_of_one_thing"),
        sa.CheckConstraint("kind <> 'threshold' OR off < at_least", name="something_is_left_to_pay"),
        sa.CheckConstraint("(funder = 'platform' AND kind = 'threshold') OR merchant_id IS NOT NULL", name="merchants_pay_for_their_own"),
    )
    op.create_index("ix_price_offers_merchant_id", "price_offers", ["merchant_id"])
    op.create_index("ix_price_offers_ends_at", "price_offers", ["ends_at"])
    # With its check in one statement: SQLite would build the whole table anew for a check that is added later.
    op.execute(
        "ALTER TABLE sub_orders ADD COLUMN supported_total BIGINT DEFAULT 0 NOT NULL"
        " CONSTRAINT ck_sub_orders_support_within_discount CHECK (supported_total >= 0 AND supported_total <= discount_total)"
    )
    op.execute(
        "ALTER TABLE order_lines ADD COLUMN discount_total BIGINT DEFAULT 0 NOT NULL"
        " CONSTRAINT ck_order_lines_discount_within_line CHECK (discount_total >= 0 AND discount_total <= line_total)"
    )
    kept = True if op.get_bind().dialect.name == "postgresql" else None  # SQLite adds no column that is kept in the row
    paid = sa.Computed("line_total - discount_total", persisted=kept)
    op.add_column("order_lines", sa.Column("paid_total", sa.BigInteger(), paid, nullable=False))
    op.create_table(
        "line_discounts",
        sa.Column("id", KEY, sa.Identity(), primary_key=True),
        sa.Column("line_id", sa.BigInteger(), sa.ForeignKey("order_lines.id"), nullable=False),
        sa.Column("offer_id", sa.BigInteger(), sa.ForeignKey("price_offers.id"), nullable=False),
        sa.Column("merchant_id", sa.BigInteger(), sa.ForeignKey("merchants.id"), nullable=False),
        sa.Column("funder", enum("funder", "merchant", "platform"), nullable=False),
        sa.Column("share", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("share > 0", name="share_positive"),
        sa.UniqueConstraint("line_id", "offer_id"),
    )
    op.create_index("ix_line_discounts_offer_id_at", "line_discounts", ["offer_id", "at"])


def let_accounts_be(kind: str, *, allowed: bool) -> None:
    """Let the kinds of accounts hold one more, or one less, whichever the others are.

    SQLite cannot change a CHECK, and a table others point to cannot be made anew within a transaction; its own manual changes the
    words of the table instead, which is safe for a CHECK: no row is written differently.
    """
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        words = connection.scalar(sa.text(f"SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = '{ACCOUNT_KINDS}'"))
        kinds = set(re.findall(r"'([a-z_]+)'", str(words)))
        named = ", ".join(f"'{one}'" for one in sorted(kinds | {kind} if allowed else kinds - {kind}))
        op.execute(f"ALTER TABLE ledger_accounts DROP CONSTRAINT {ACCOUNT_KINDS}")
        op.execute(f"ALTER TABLE ledger_accounts ADD CONSTRAINT {ACCOUNT_KINDS} CHECK (kind IN ({named})) NOT VALID")
        op.execute(f"ALTER TABLE ledger_accounts VALIDATE CONSTRAINT {ACCOUNT_KINDS}")
        return
    words = str(connection.scalar(sa.text("SELECT sql FROM sqlite_master WHERE name = 'ledger_accounts'")))
    changed = words.replace("'suspense'", f"'suspense', '{kind}'") if allowed else words.replace(f", '{kind}'", "")
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    connection.execute(sa.text("UPDATE sqlite_master SET sql = :sql WHERE name = 'ledger_accounts'"), {"sql": changed})
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")


def downgrade() -> None:
    op.drop_table("line_discounts")
    op.drop_column("order_lines", "paid_total")
    op.drop_column("order_lines", "discount_total")  # checks of columns go with them
    op.drop_column("sub_orders", "supported_total")
    op.drop_table("price_offers")
    op.execute(f"UPDATE ledger_accounts SET kind = 'commission' WHERE kind = '{PROMOTION}'")  # the platform's own money, as before
    let_accounts_be(PROMOTION, allowed=False)
