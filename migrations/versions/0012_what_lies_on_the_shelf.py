"""What was told about a shelf is kept with each movement, movements and prices can be taken back, and cards price the cheapest size.

Rows are carried over as they are. What was told is not known of movements made before: it stays empty, and of an old count nobody
knows more than what it changed. Listings are written anew, so that "from" is the cheapest size. SQLite cannot change a CHECK: there
the table of movements is written anew, with its indexes and triggers. PostgreSQL looks through it once.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

KINDS_BEFORE = ("received", "sale", "offline_sale", "cancellation", "correction", "spoilage")
KINDS = (*KINDS_BEFORE, "taken_back", "short")
NOT_ZERO_BEFORE = "quantity <> 0"
NOT_ZERO = "quantity <> 0 OR kind IN ('correction', 'taken_back', 'short', 'spoilage', 'offline_sale')"
BY_HAND = sa.text("kind IN ('received', 'offline_sale', 'correction', 'spoilage')")
KEPT = "id, variant_id, quantity, kind, cause, order_line_id, actor_id, at"
NEW_COLUMNS = ("missing_by", "told", "takes_back_id")

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

CHEAPEST = """
    SELECT v.id FROM variants v WHERE v.product_id = listings.product_id AND v.is_on_sale ORDER BY {} v.position, v.id LIMIT 1
"""
PRICED_ANEW = """
    UPDATE listings SET
        price = v.price, unit_zh = v.label_zh, unit_en = v.label_en, version = listings.version + 1,
        price_per_jin = (2 * v.price * 500 + v.net_weight_grams) / (2 * v.net_weight_grams),
        price_per_kilogram = (2 * v.price * 1000 + v.net_weight_grams) / (2 * v.net_weight_grams)
    FROM variants v WHERE v.id = listings.variant_id AND listings.has_choices
"""


def upgrade() -> None:
    op.execute(
        "ALTER TABLE stock_items ADD COLUMN missing BIGINT DEFAULT 0 NOT NULL "
        "CONSTRAINT ck_stock_items_missing_not_negative CHECK (missing >= 0)"
    )
    key = "INTEGER" if is_sqlite() else "BIGINT"
    op.execute(f"ALTER TABLE price_changes ADD COLUMN actor_id {key} CONSTRAINT fk_price_changes_actor_id REFERENCES users (id)")
    if is_sqlite():
        write_anew(KINDS, NOT_ZERO, is_new=True)
    else:
        op.add_column("stock_movements", sa.Column("missing_by", sa.BigInteger(), server_default="0", nullable=False))
        op.add_column("stock_movements", sa.Column("told", sa.BigInteger(), nullable=True))
        op.add_column("stock_movements", sa.Column("takes_back_id", sa.BigInteger(), nullable=True))
        op.create_foreign_key(op.f("fk_stock_movements_takes_back_id"), "stock_movements", "stock_movements", ["takes_back_id"], ["id"])
        op.create_unique_constraint(op.f("uq_stock_movements_takes_back_id"), "stock_movements", ["takes_back_id"])
        check_anew(KINDS, NOT_ZERO)
        op.drop_index("ix_stock_movements_variant_id_at", "stock_movements")
    op.create_index("ix_stock_movements_variant_id_id", "stock_movements", ["variant_id", "id"])
    op.create_index(
        "ix_stock_movements_by_hand", "stock_movements", ["variant_id", "id"], sqlite_where=BY_HAND, postgresql_where=BY_HAND
    )
    price_listings("v.price,")


def downgrade() -> None:
    """Movements that the version before cannot tell are told as the counts they amount to."""
    price_listings("")
    op.drop_index("ix_stock_movements_by_hand", "stock_movements")
    op.drop_index("ix_stock_movements_variant_id_id", "stock_movements")
    if is_sqlite():
        write_anew(KINDS_BEFORE, NOT_ZERO_BEFORE, is_new=False)
    else:
        op.execute("ALTER TABLE stock_movements DISABLE TRIGGER stock_movements_no_change")
        op.execute("UPDATE stock_movements SET takes_back_id = NULL WHERE takes_back_id IS NOT NULL")
        op.execute("DELETE FROM stock_movements WHERE quantity = 0")
        op.execute("UPDATE stock_movements SET kind = 'correction' WHERE kind IN ('taken_back', 'short')")
        op.execute("ALTER TABLE stock_movements ENABLE TRIGGER stock_movements_no_change")
        check_anew(KINDS_BEFORE, NOT_ZERO_BEFORE)
        for name in NEW_COLUMNS:
            op.drop_column("stock_movements", name)
        op.create_index("ix_stock_movements_variant_id_at", "stock_movements", ["variant_id", "at"])
    op.execute("ALTER TABLE stock_items DROP COLUMN missing")
    op.execute("ALTER TABLE price_changes DROP COLUMN actor_id")


def is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def price_listings(first: str) -> None:
    """Let each product with several sizes be priced by the first of them in this order."""
    op.execute(f"UPDATE listings SET variant_id = ({CHEAPEST.format(first)}) WHERE has_choices AND EXISTS ({CHEAPEST.format(first)})")
    op.execute(PRICED_ANEW)


def check_anew(kinds: tuple[str, ...], not_zero: str) -> None:
    """On PostgreSQL: the kinds a movement may have, and when it may change nothing."""
    checks = sa.inspect(op.get_bind()).get_check_constraints("stock_movements")
    for check in checks:
        op.execute(f'ALTER TABLE stock_movements DROP CONSTRAINT "{check["name"]}"')
    name = next(str(check["name"]) for check in checks if "'received'" in check["sqltext"] and "<>" not in check["sqltext"])
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    op.execute(f'ALTER TABLE stock_movements ADD CONSTRAINT "{name}" CHECK (kind IN ({listed}))')
    op.execute(f"ALTER TABLE stock_movements ADD CONSTRAINT ck_stock_movements_quantity_not_zero CHECK ({not_zero})")


def write_anew(kinds: tuple[str, ...], not_zero: str, *, is_new: bool) -> None:
    """On SQLite: the table with other checks, its rows as they are, its indexes and the triggers that keep it append-only."""
    old = "stock_movements_before"
    op.drop_index("ix_stock_movements_order_line_id", "stock_movements")
    if is_new:
        op.drop_index("ix_stock_movements_variant_id_at", "stock_movements")
    for verb in ("update", "delete"):
        op.execute(f"DROP TRIGGER stock_movements_no_{verb}")
    op.rename_table("stock_movements", old)
    more = [
        sa.Column("missing_by", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("told", sa.BigInteger(), nullable=True),
        sa.Column("takes_back_id", KEY, nullable=True),
        sa.ForeignKeyConstraint(["takes_back_id"], ["stock_movements.id"], name=op.f("fk_stock_movements_takes_back_id")),
        sa.UniqueConstraint("takes_back_id", name=op.f("uq_stock_movements_takes_back_id")),
    ]
    op.create_table(
        "stock_movements",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("variant_id", KEY, nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Enum(*kinds, name="movementkind", native_enum=False, create_constraint=True, length=32), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("order_line_id", KEY, nullable=True),
        sa.Column("actor_id", KEY, nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        *(more if is_new else []),
        sa.CheckConstraint(not_zero, name=op.f("ck_stock_movements_quantity_not_zero")),
        sa.ForeignKeyConstraint(["actor_id"], ["users.id"], name=op.f("fk_stock_movements_actor_id")),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_lines.id"], name=op.f("fk_stock_movements_order_line_id")),
        sa.ForeignKeyConstraint(["variant_id"], ["variants.id"], name=op.f("fk_stock_movements_variant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_movements")),
        sa.UniqueConstraint("cause", name=op.f("uq_stock_movements_cause")),
    )
    kind = "kind" if is_new else "CASE WHEN kind IN ('taken_back', 'short') THEN 'correction' ELSE kind END"
    carried = KEPT.replace("kind", kind, 1)
    op.execute(f"INSERT INTO stock_movements ({KEPT}) SELECT {carried} FROM {old}{'' if is_new else ' WHERE quantity <> 0'}")
    op.drop_table(old)
    op.create_index("ix_stock_movements_order_line_id", "stock_movements", ["order_line_id"])
    if not is_new:
        op.create_index("ix_stock_movements_variant_id_at", "stock_movements", ["variant_id", "at"])
    forbid_changes("stock_movements")


def forbid_changes(table: str) -> None:
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )
