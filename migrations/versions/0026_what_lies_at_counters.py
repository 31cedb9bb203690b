"""What lies at counters has a table of its own, so that other things than orders can lie there. Needs a pause, of about a minute.

The code before would put orders on the shelf without it. Everything that ever lay at a counter is carried over in one statement, with the
hand-over that it left with; `handover_items`, which said only that, goes. Rows of `handover_kept` that named an order which has not come to
its counter to this day are left out. Each table is locked while it is written; nobody waits, as nobody is served.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WAITING = sa.text("state = 'waiting'")
STATES = ("waiting", "collected", "not_collected")

CARRIED_OVER = """
    INSERT INTO collectables (
        community_id, pickup_point_id, pass_id, user_id, kind, subject_id, number, source, state, since, left_at, handover_id
    )
    SELECT s.community_id, s.pickup_point_id, s.pass_id, s.user_id, 'sub_order', s.id, s.number, m.code,
        CASE WHEN s.state = 'ready' THEN 'waiting' WHEN i.id IS NULL THEN 'not_collected' ELSE 'collected' END,
        COALESCE(s.ready_at, s.placed_at),
        CASE WHEN s.state = 'ready' THEN NULL ELSE COALESCE(s.collected_at, s.ended_at, s.returned_at, s.ready_at, s.placed_at) END,
        CASE WHEN s.state = 'ready' THEN NULL ELSE i.handover_id END
    FROM sub_orders s JOIN merchants m ON m.id = s.merchant_id LEFT JOIN handover_items i ON i.sub_order_id = s.id
    WHERE s.pass_id IS NOT NULL AND s.state IN ('ready', 'collected', 'completed', 'not_collected', 'returned')
    ORDER BY s.id
"""
OF_THE_ORDER = """
    UPDATE handover_kept SET collectable_id = (
        SELECT c.id FROM collectables c WHERE c.kind = 'sub_order' AND c.subject_id = handover_kept.sub_order_id
    )
"""
ITEMS_AGAIN = """
    INSERT INTO handover_items (community_id, handover_id, sub_order_id, received_at)
    SELECT c.community_id, c.handover_id, c.subject_id, h.received_at FROM collectables c JOIN handovers h ON h.id = c.handover_id
    WHERE c.kind = 'sub_order' ORDER BY c.id
"""
ORDERS_AGAIN = """
    UPDATE handover_kept SET sub_order_id = (
        SELECT c.subject_id FROM collectables c WHERE c.id = handover_kept.collectable_id AND c.kind = 'sub_order'
    )
"""


def upgrade() -> None:
    op.create_table(
        "collectables",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("community_id", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("pickup_point_id", KEY, nullable=False),
        sa.Column("pass_id", KEY, nullable=False),
        sa.Column("user_id", KEY, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("state", sa.Enum(*STATES, name="collectablestate", native_enum=False, create_constraint=True, length=32), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("handover_id", KEY, nullable=True),
        sa.CheckConstraint("(state = 'collected') = (handover_id IS NOT NULL)", name=op.f("ck_collectables_collected_by_a_hand_over")),
        sa.CheckConstraint("(state = 'waiting') = (left_at IS NULL)", name=op.f("ck_collectables_state_matches_time")),
        sa.ForeignKeyConstraint(["handover_id"], ["handovers.id"], name=op.f("fk_collectables_handover_id")),
        sa.ForeignKeyConstraint(["pass_id"], ["passes.id"], name=op.f("fk_collectables_pass_id")),
        sa.ForeignKeyConstraint(["pickup_point_id"], ["pickup_points.id"], name=op.f("fk_collectables_pickup_point_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_collectables_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collectables")),
        sa.UniqueConstraint("kind", "subject_id", name=op.f("uq_collectables_kind_subject_id")),
    )
    op.execute(CARRIED_OVER)
    for column in ("handover_id", "number", "pass_id"):
        op.create_index(f"ix_collectables_{column}", "collectables", [column])
    op.create_index(
        "ix_collectables_waiting", "collectables", ["pickup_point_id", "pass_id"], sqlite_where=WAITING, postgresql_where=WAITING
    )
    op.add_column("handover_kept", sa.Column("collectable_id", KEY, nullable=True))
    op.execute(OF_THE_ORDER)
    op.execute("DELETE FROM handover_kept WHERE collectable_id IS NULL")
    name_by("collectable_id", "collectables", instead_of="sub_order_id")
    op.drop_table("handover_items")


def downgrade() -> None:
    """Other things than orders are forgotten."""
    op.create_table(
        "handover_items",
        sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
        sa.Column("community_id", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("handover_id", KEY, nullable=False),
        sa.Column("sub_order_id", KEY, nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default="1970-01-01 00:00:00+00", nullable=False),
        sa.ForeignKeyConstraint(["handover_id"], ["handovers.id"], name=op.f("fk_handover_items_handover_id")),
        sa.ForeignKeyConstraint(["sub_order_id"], ["sub_orders.id"], name=op.f("fk_handover_items_sub_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover_items")),
        sa.UniqueConstraint("sub_order_id", name=op.f("uq_handover_items_sub_order_id")),
    )
    op.execute(ITEMS_AGAIN)
    op.create_index("ix_handover_items_handover_id", "handover_items", ["handover_id"])
    op.add_column("handover_kept", sa.Column("sub_order_id", KEY, nullable=True))
    op.execute(ORDERS_AGAIN)
    op.execute("DELETE FROM handover_kept WHERE sub_order_id IS NULL")
    name_by("sub_order_id", "sub_orders", instead_of="collectable_id")
    op.drop_table("collectables")


def name_by(column: str, table: str, *, instead_of: str) -> None:
    """By which row `handover_kept` says what stayed. SQLite writes the table anew."""
    op.drop_index(f"ix_handover_kept_{instead_of}", "handover_kept")
    if op.get_bind().dialect.name == "sqlite":
        op.rename_table("handover_kept", "handover_kept_before")
        op.create_table(
            "handover_kept",
            sa.Column("id", KEY, sa.Identity(always=False), nullable=False),
            sa.Column("community_id", sa.BigInteger(), server_default="0", nullable=False),
            sa.Column("handover_id", KEY, nullable=False),
            sa.Column(column, KEY, nullable=False),
            sa.Column("reason", sa.Text(), nullable=False),
            sa.Column("received_at", sa.DateTime(timezone=True), server_default="1970-01-01 00:00:00+00", nullable=False),
            sa.ForeignKeyConstraint(["handover_id"], ["handovers.id"], name=op.f("fk_handover_kept_handover_id")),
            sa.ForeignKeyConstraint([column], [f"{table}.id"], name=op.f(f"fk_handover_kept_{column}")),
            sa.PrimaryKeyConstraint("id", name=op.f("pk_handover_kept")),
            sa.UniqueConstraint("handover_id", column, name=op.f(f"uq_handover_kept_handover_id_{column}")),
        )
        names = f"id, community_id, handover_id, {column}, reason, received_at"
        op.execute(f"INSERT INTO handover_kept ({names}) SELECT {names} FROM handover_kept_before")
        op.drop_table("handover_kept_before")
    else:
        op.drop_column("handover_kept", instead_of)
        op.alter_column("handover_kept", column, nullable=False)
        op.create_foreign_key(op.f(f"fk_handover_kept_{column}"), "handover_kept", table, [column], ["id"])
        op.create_unique_constraint(op.f(f"uq_handover_kept_handover_id_{column}"), "handover_kept", ["handover_id", column])
    op.create_index(f"ix_handover_kept_{column}", "handover_kept", [column])
