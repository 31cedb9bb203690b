"""Phones, names, account numbers, codes and authenticator secrets are sealed, and found by keyed hashes.

Existing rows are carried over, a thousand at a time, in the one transaction of the migration: it happens whole or not at all, and may
be run again. The column that held the clear value becomes the column of its hash, so that the unique constraint on it stays where it
is and no table is rebuilt. It takes exclusive locks on the tables below for as long as it writes (a minute for a million rows): stop
the shop first. What the database keeps of the old rows is in docs/operations/personal-data.md, with how to be rid of it.

How values are sealed is written out here, as it was on this day.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask import current_app
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

BATCH = 1_000
LIVE = sa.text("state = 'live'")
IN_FLIGHT = sa.text("state IN ('created', 'funds_held', 'sending', 'unknown')")

FOUND = (
    ("users", "phone", "phone_hash", "phone"),
    ("sign_in_codes", "phone", "phone_hash", "phone"),
    ("bill_accounts", "account_no", "account_hash", "bill account"),
    ("bills", "account_no", "account_hash", "bill account"),
    ("bill_payments", "account_no", "account_hash", "bill account"),
    ("passes", "code", "code_hash", "pass code"),
)
"""Table, sealed column, column of its hash, purpose of the hash."""

KEPT = (
    ("users", "display_name"), ("users", "totp_secret"), ("bill_accounts", "label"), ("bill_accounts", "holder_masked"),
    ("bill_accounts", "address_masked"), ("bill_payments", "holder_masked"), ("idempotency_keys", "body"),
)
"""Columns that are sealed where they stand; nobody searches them."""


def data_keys() -> dict[int, bytes]:
    pairs = (part.split(":") for part in current_app.config["DATA_KEYS"].split(",") if part.strip())
    return {int(version): base64.b64decode(key) for version, key in pairs}


def seal(place: str, value: str) -> str:
    if not value:
        return ""
    keys, nonce = data_keys(), os.urandom(12)
    newest = next(iter(keys))
    return f"{newest}:{base64.b64encode(nonce + AESGCM(keys[newest]).encrypt(nonce, value.encode(), place.encode())).decode()}"


def opened(place: str, value: str) -> str:
    if not value:
        return ""
    version, _, text = value.partition(":")
    raw = base64.b64decode(text)
    return AESGCM(data_keys()[int(version)]).decrypt(raw[:12], raw[12:], place.encode()).decode()


def find(purpose: str, value: str) -> str:
    return hmac.digest(base64.b64decode(current_app.config["LOOKUP_KEY"]), f"{purpose}\0{value}".encode(), "sha256").hex()


def keyed(request_hash: str) -> str:
    """What a kept request is known by from now on: a plain hash of a body with a PIN in it is soon guessed."""
    return hmac.digest(f"idempotent request:{current_app.config['SECRET_KEY']}".encode(), request_hash.encode(), "sha256").hex()


def rows(table: sa.TableClause, column: str) -> Iterator[list[Any]]:
    """The rows that have something in a column, in batches."""
    after, connection = 0, op.get_bind()
    while found := connection.execute(
        sa.select(table.c.id, table.c[column]).where(table.c.id > after, table.c[column].is_not(None)).order_by(table.c.id).limit(BATCH)
    ).all():
        yield list(found)
        after = found[-1][0]


def rewrite(name: str, source: str, written: dict[str, Callable[[Any], Any]], kind: sa.types.TypeEngine[Any] | None = None) -> None:
    """Set columns of every row to what is made of its `source` column."""
    table = sa.table(name, sa.column("id", sa.BigInteger), *(sa.column(column, sa.Text) for column in {*written} - {source}))
    table.append_column(sa.column(source, kind or sa.Text()))
    targets = sa.table(name, sa.column("id", sa.BigInteger), *(sa.column(column, sa.Text) for column in written))
    new = {column: sa.bindparam(f"new_{column}") for column in written}
    statement = targets.update().where(targets.c.id == sa.bindparam("row_id")).values(new)
    for batch in rows(table, source):
        values = [{"row_id": row[0], **{f"new_{column}": make(row[1]) for column, make in written.items()}} for row in batch]
        op.get_bind().execute(statement, values)


def add_text(table: str, column: str) -> None:
    op.add_column(table, sa.Column(column, sa.Text(), nullable=False, server_default=""))


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("PRAGMA secure_delete = ON")  # what is written over is gone from the file
    op.drop_index("ix_bills_biller_id_account_no", table_name="bills")
    op.drop_index("uq_bill_payments_in_flight", table_name="bill_payments")
    op.drop_index("uq_passes_live_code", table_name="passes")
    add_text("users", "phone_tail_hash")
    rewrite("users", "phone", {"phone_tail_hash": lambda phone: find("phone tail", phone[-4:])})
    for table, column, hashed, purpose in FOUND:
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {column} TO {hashed}")
        add_text(table, column)
        place = f"{table}.{column}"
        rewrite(
            table, hashed,
            {column: lambda value, place=place: seal(place, value), hashed: lambda value, purpose=purpose: find(purpose, value)},
        )  # fmt: skip
    for table, column in KEPT:
        rewrite(table, column, {column: lambda value, place=f"{table}.{column}": seal(place, value)})
    rewrite("idempotency_keys", "request_hash", {"request_hash": keyed})
    op.execute("ALTER TABLE notices RENAME COLUMN facts TO facts_before")
    add_text("notices", "facts")
    document = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    rewrite("notices", "facts_before", {"facts": lambda facts: seal("notices.facts", json.dumps(facts, ensure_ascii=False))}, document)
    op.drop_column("notices", "facts_before")
    op.create_index("ix_users_phone_tail_hash", "users", ["phone_tail_hash"])
    op.create_index("ix_bills_account_hash_state", "bills", ["account_hash", "state"])
    create_unique("bill_payments", "uq_bill_payments_in_flight", ["biller_id", "account_hash"], IN_FLIGHT)
    create_unique("passes", "uq_passes_live_code", ["pickup_point_id", "code_hash"], LIVE)


def create_unique(table: str, name: str, columns: list[str], where: sa.TextClause) -> None:
    op.create_index(name, table, columns, unique=True, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    op.drop_index("uq_passes_live_code", table_name="passes")
    op.drop_index("uq_bill_payments_in_flight", table_name="bill_payments")
    op.drop_index("ix_bills_account_hash_state", table_name="bills")
    op.drop_index("ix_users_phone_tail_hash", table_name="users")
    op.drop_column("users", "phone_tail_hash")
    op.execute("ALTER TABLE notices RENAME COLUMN facts TO facts_before")
    document = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.add_column("notices", sa.Column("facts", document, nullable=False, server_default=sa.text("'{}'")))
    notices = sa.table("notices", sa.column("id", sa.BigInteger), sa.column("facts", document), sa.column("facts_before", sa.Text))
    for batch in rows(notices, "facts_before"):
        for row_id, sealed in batch:
            op.get_bind().execute(notices.update().where(notices.c.id == row_id).values(facts=json.loads(opened("notices.facts", sealed))))
    op.drop_column("notices", "facts_before")
    for table, column in KEPT:
        rewrite(table, column, {column: lambda value, place=f"{table}.{column}": opened(place, value)})
    for table, column, hashed, _ in FOUND:
        rewrite(table, column, {hashed: lambda value, place=f"{table}.{column}": opened(place, value)})
        op.drop_column(table, column)
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {hashed} TO {column}")
    op.create_index("ix_bills_biller_id_account_no", "bills", ["biller_id", "account_no", "state"])
    create_unique("bill_payments", "uq_bill_payments_in_flight", ["biller_id", "account_no"], IN_FLIGHT)
    create_unique("passes", "uq_passes_live_code", ["pickup_point_id", "code"], LIVE)
