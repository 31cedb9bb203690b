"""To which community or merchant the rows of growing tables belong, and of what moment they are: by that they can be spread.

Columns with a constant default: nothing is rewritten, each takes its table's exclusive lock for a moment (PostgreSQL gives up after its
lock time-out, and the migration can be run again). Then the keys are filled from what the rows hang on, 5,000 rows at a time, each
committed by itself: the rows of a batch are locked for as long as it takes, the tables never. Interrupted, it goes on where it was.

The release before may run meanwhile; rows that it writes carry the default until `flask scale fill-keys` is said after its end.
Jobs are not filled: they are about to be done. Rows that are written once (transfers, audit, movements) are opened for just that: a key
that was not said may be said, and nothing else about them changed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

BATCH = 5_000
COMMUNITY, MERCHANT = "community_id", "merchant_id"
UNSAID_MOMENT = "1970-01-01 00:00:00.000000"


def by_id(table: str, child: str, column: str, key: str) -> str:
    """A column of the parent that a row names."""
    return f"(SELECT parent.{column} FROM {table} parent WHERE parent.id = {child}.{key})"


def of_point(child: str) -> str:
    return by_id("pickup_points", child, COMMUNITY, "pickup_point_id")


def of_person(user_id: str) -> str:
    """Where a person collects; the city while none was chosen."""
    return (
        "COALESCE((SELECT point.community_id FROM users person JOIN pickup_points point ON point.id = person.pickup_point_id"
        f" WHERE person.id = {user_id}), 0)"
    )


def of_seller(child: str) -> str:
    return (
        "(SELECT goods.merchant_id FROM variants kind JOIN products goods ON goods.id = kind.product_id"
        f" WHERE kind.id = {child}.variant_id)"
    )


SUBJECTS = {
    "purchase": "purchases", "sub_order": "sub_orders", "order_line": "order_lines", "payment": "payments", "refund": "refunds",
    "refund_proposal": "refund_proposals", "bill_payment": "bill_payments", "pass": "passes", "batch": "batches",
    "pickup_point": "pickup_points",
}  # fmt: skip


def of_subject(child: str) -> str:
    """Of what a row is about, named by kind and id."""
    cases = [f"WHEN '{kind}' THEN {by_id(table, child, COMMUNITY, 'subject_id')}" for kind, table in SUBJECTS.items()]
    user = f"WHEN 'user' THEN {of_person(f'{child}.subject_id')}"
    session = (
        "WHEN 'user_session' THEN (SELECT point.community_id FROM user_sessions seat JOIN users person ON person.id = seat.user_id"
        f" JOIN pickup_points point ON point.id = person.pickup_point_id WHERE seat.id = {child}.subject_id)"
    )
    return f"COALESCE(CASE {child}.subject_type {' '.join([*cases, user, session])} END, 0)"


# Parents first. Table, and what its new columns are filled with.
FILLED: tuple[tuple[str, dict[str, str]], ...] = (
    ("cycles", {COMMUNITY: of_point("cycles")}),
    ("quotes", {COMMUNITY: of_point("quotes")}),
    ("sub_orders", {COMMUNITY: by_id("purchases", "sub_orders", COMMUNITY, "purchase_id")}),
    (
        "order_lines",
        {
            COMMUNITY: by_id("sub_orders", "order_lines", COMMUNITY, "sub_order_id"),
            "placed_at": by_id("sub_orders", "order_lines", "placed_at", "sub_order_id"),
        },
    ),
    ("bill_look_ups", {COMMUNITY: of_person("bill_look_ups.user_id")}),
    ("bill_payments", {COMMUNITY: of_person("bill_payments.user_id")}),
    (
        "bill_payment_items",
        {
            COMMUNITY: by_id("bill_payments", "bill_payment_items", COMMUNITY, "bill_payment_id"),
            "created_at": by_id("bill_payments", "bill_payment_items", "created_at", "bill_payment_id"),
        },
    ),
    ("bill_attempts", {COMMUNITY: by_id("bill_payments", "bill_attempts", COMMUNITY, "bill_payment_id")}),
    (
        "payments",
        {
            COMMUNITY: f"COALESCE({by_id('purchases', 'payments', COMMUNITY, 'purchase_id')},"
            f" {by_id('bill_payments', 'payments', COMMUNITY, 'bill_payment_id')}, {of_person('payments.user_id')})"
        },
    ),
    ("provider_movements", {COMMUNITY: by_id("payments", "provider_movements", COMMUNITY, "payment_id")}),
    ("refunds", {COMMUNITY: by_id("payments", "refunds", COMMUNITY, "payment_id")}),
    (
        "refund_proposals",
        {
            COMMUNITY: f"COALESCE({by_id('refunds', 'refund_proposals', COMMUNITY, 'refund_id')},"
            f" {by_id('sub_orders', 'refund_proposals', COMMUNITY, 'sub_order_id')}, 0)"
        },
    ),
    ("batches", {COMMUNITY: by_id("cycles", "batches", COMMUNITY, "cycle_id")}),
    ("passes", {COMMUNITY: of_point("passes")}),
    ("handovers", {COMMUNITY: of_point("handovers")}),
    *(
        (
            table,
            {
                COMMUNITY: by_id("handovers", table, COMMUNITY, "handover_id"),
                "received_at": by_id("handovers", table, "received_at", "handover_id"),
            },
        )
        for table in ("handover_items", "handover_kept")
    ),
    ("stock_movements", {MERCHANT: of_seller("stock_movements")}),
    ("reservations", {MERCHANT: of_seller("reservations")}),
    ("transfers", {COMMUNITY: of_subject("transfers")}),
    ("audit_entries", {COMMUNITY: of_subject("audit_entries")}),
    ("notices", {COMMUNITY: of_person("notices.user_id")}),
    ("jobs", {COMMUNITY: "0"}),
)
WRITTEN_ONCE = {"transfers": COMMUNITY, "audit_entries": COMMUNITY, "stock_movements": MERCHANT}


def upgrade() -> None:
    add_columns()
    commit()
    fill_keys(op.get_bind(), commit)


def commit() -> None:
    """Keep what was done so far, and let go of its locks."""
    context: Any = op.get_context()
    context._transaction.commit()
    context._transaction = context.connection.begin()


def add_columns() -> None:
    """Add what is not there yet: an interrupted run left some."""
    inspector = sa.inspect(op.get_bind())
    for table, columns in FILLED:
        there = {column["name"] for column in inspector.get_columns(table)}
        for name in columns.keys() - there:
            is_key = name in (COMMUNITY, MERCHANT)
            kind: Any = sa.BigInteger() if is_key else sa.DateTime(timezone=True)
            op.add_column(table, sa.Column(name, kind, nullable=False, server_default="0" if is_key else UNSAID_MOMENT))


def fill_keys(connection: sa.Connection, commit: Callable[[], None]) -> dict[str, int]:
    """Say to whom the rows belong that do not say it, in batches; how many were gone through in each table. Can be told again."""
    seen = {}
    for table, columns in FILLED:
        if table == "jobs" or not sa.inspect(connection).has_table(table):  # told again later, a table may have gone
            continue
        if table in WRITTEN_ONCE:
            open_for_the_key(connection, table)
            commit()
        seen[table] = fill(connection, commit, table, columns)
        if table in WRITTEN_ONCE:
            close_again(connection, table)
            commit()
    return seen


def fill(connection: sa.Connection, commit: Callable[[], None], table: str, columns: dict[str, str]) -> int:
    key = MERCHANT if MERCHANT in columns else COMMUNITY
    # A sealed entry stays in the chain it was sealed in: what no release said belongs to the city for good.
    is_sealed = table == "audit_entries" and sa.inspect(connection).has_table("audit_links")
    but = " AND NOT EXISTS (SELECT 1 FROM audit_links l WHERE l.entry_id = audit_entries.id)" if is_sealed else ""
    unsaid = [f"{key} = 0", *(f"{name} = '{UNSAID_MOMENT}'" for name in columns if name not in (COMMUNITY, MERCHANT))]
    change = sa.text(
        f"UPDATE {table} SET {', '.join(f'{name} = {value}' for name, value in columns.items())}"
        f" WHERE id > :after AND id <= :until AND ({' OR '.join(unsaid)}){but}"
    )
    count, after = 0, 0
    step = sa.text(f"SELECT MAX(id), COUNT(*) FROM (SELECT id FROM {table} WHERE id > :after ORDER BY id LIMIT {BATCH}) AS batch")
    while True:
        until, rows = connection.execute(step, {"after": after}).one()
        if not rows:
            return count
        connection.execute(change, {"after": after, "until": until})
        commit()
        count, after = count + rows, until


def open_for_the_key(connection: sa.Connection, table: str) -> None:
    """Let the key of a row be said that has none; every other change of it stays refused, and it cannot be deleted."""
    key = WRITTEN_ONCE[table]
    if connection.dialect.name == "postgresql":
        connection.execute(
            sa.text(
                f"CREATE OR REPLACE FUNCTION {table}_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                f" IF TG_OP = 'UPDATE' THEN IF OLD.{key} = 0 AND to_jsonb(NEW) - '{key}' = to_jsonb(OLD) - '{key}' THEN RETURN NEW;"
                f" END IF; END IF; RAISE EXCEPTION '{table} is append-only'; END $$"
            )
        )
        return
    others = [column["name"] for column in sa.inspect(connection).get_columns(table) if column["name"] != key]
    changed = " OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in others)
    write_sqlite_trigger(connection, table, f"WHEN OLD.{key} <> 0 OR {changed} ")


def close_again(connection: sa.Connection, table: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(
            sa.text(
                f"CREATE OR REPLACE FUNCTION {table}_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ "
                f"BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
            )
        )
        return
    write_sqlite_trigger(connection, table, "")


def write_sqlite_trigger(connection: sa.Connection, table: str, when: str) -> None:
    connection.execute(sa.text(f"DROP TRIGGER IF EXISTS {table}_no_update"))
    connection.execute(
        sa.text(f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {when}BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END")
    )


def downgrade() -> None:
    for table, columns in reversed(FILLED):
        for name in columns:
            op.drop_column(table, name)
