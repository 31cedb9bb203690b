"""A running shop is carried over: its rows get their keys, in batches; what is sealed stays sealed and goes on; on either engine."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy.exc import DBAPIError

from shop.cli.scale import filling
from shop.kernel.db import database, perform, reading, transaction
from shop.kernel.statements import table
from shop.models.platform import AuditEntry, AuditSeal
from shop.platform import audit_chains, audit_checks
from tests.architecture.growth import GROWS
from tests.conftest import dispose
from tests.migrations.test_sealing_rows import fresh, rows
from tests.migrations.test_shelf_rows import write
from tests.support import right_books

__all__ = ["fresh"]

BEFORE = "0017"
WRITTEN_ONCE = ("transfers", "audit_entries", "stock_movements")
ADDED = {
    "cycles", "quotes", "sub_orders", "order_lines", "payments", "provider_movements", "refunds", "bill_payments", "bill_payment_items",
    "bill_attempts", "passes", "handovers", "collectables", "stock_movements", "reservations", "transfers", "audit_entries", "notices",
}  # fmt: skip


def seal_as_before(*entry_ids: int) -> None:
    """What the release before did: one chain for everything."""
    previous = audit_checks.GENESIS_OF_FIRST
    with transaction() as session:
        for sequence, entry_id in enumerate(entry_ids, start=1):
            columns = [column for column in table(AuditEntry).c if column.name != "community_id"]
            entry = session.execute(sa.select(*columns).where(AuditEntry.id == entry_id)).one()
            previous = audit_chains.digest(previous, audit_chains.spelled(entry))
            session.execute(sa.insert(AuditSeal).values(sequence=sequence, entry_id=entry_id, hash=previous))


def wrong_keys() -> dict[str, object]:
    """Of each table that got a key the values other than that of the right books, in which all is of one community and merchant."""
    found = {table: rows(f"SELECT DISTINCT {GROWS[table][0]} FROM {table}") for table in sorted(ADDED)}
    return {table: values for table, values in found.items() if values != [(1,)]}


def test_the_rows_of_a_running_shop_get_their_keys_and_nothing_else_of_them_changes(fresh: Flask) -> None:
    upgrade()
    right_books.write()
    dispose(fresh)
    downgrade(revision=BEFORE)
    seal_as_before(1, 2)
    before = {table: rows(f"SELECT * FROM {table} ORDER BY id") for table in WRITTEN_ONCE}
    dispose(fresh)

    upgrade()
    assert wrong_keys() == {}
    assert rows("SELECT COUNT(*) FROM order_lines c JOIN sub_orders p ON p.id = c.sub_order_id WHERE c.placed_at <> p.placed_at") == [(0,)]
    for written in WRITTEN_ONCE:
        names = [column["name"] for column in sa.inspect(database.engines[None]).get_columns(written)]
        kept = [name for name in names if name not in right_books.KEYS]
        assert rows(f"SELECT {', '.join(kept)} FROM {written} ORDER BY id") == before[written]
    with pytest.raises(DBAPIError, match="append-only"):
        write("UPDATE transfers SET community_id = 2")
    assert perform(audit_chains.seal) == 1
    assert right_books.broken_but_for_what_going_back_loses() == []


def test_what_was_sealed_stays_so_and_sealing_goes_on_with_what_was_not(fresh: Flask) -> None:
    upgrade()
    right_books.write()
    dispose(fresh)
    downgrade(revision=BEFORE)
    seal_as_before(1, 3)  # 2 came late
    dispose(fresh)
    upgrade()
    assert perform(audit_chains.seal, grace=timedelta(0)) == 1
    assert rows("SELECT community_id, position, entry_id FROM audit_links") == [(1, 1, 2)]
    assert audit_checks.broken_links(reading(), whole=True) == []
    assert audit_checks.passed_over(reading(), whole=True) == []
    reading().rollback()
    forge("audit_seals", "hash = 'forged'", "sequence = 2")
    found = [(found.month, found.wrong) for found in audit_checks.broken_links(reading())]
    assert found == [("first", "entry changed"), ("first", "end lost")]


def forge(table: str, values: str, where: str) -> None:
    """Change a row as somebody does who may switch triggers off."""
    with database.engines[None].begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        else:
            connection.execute(sa.text(f"DROP TRIGGER {table}_no_update"))
        connection.execute(sa.text(f"UPDATE {table} SET {values} WHERE {where}"))


def test_rows_that_the_release_before_writes_meanwhile_are_filled_afterwards(fresh: Flask) -> None:
    upgrade()
    right_books.write()
    write(
        "INSERT INTO notices (id, user_id, kind, facts, link, dedupe_key, created_at) "
        "SELECT 90, user_id, kind, facts, link, 'old', created_at FROM notices",
        "INSERT INTO transfers (id, cause, kind, debit_account_id, credit_account_id, amount, subject_type, subject_id, at) "
        "SELECT 90, 'old', kind, debit_account_id, credit_account_id, amount, subject_type, subject_id, at FROM transfers "
        "WHERE cause = 'release-1'",
    )
    assert wrong_keys() != {}
    assert "went through" in fresh.test_cli_runner().invoke(args=["scale", "fill-keys"]).output
    assert wrong_keys() == {}
    with pytest.raises(DBAPIError, match="append-only"):
        write("UPDATE transfers SET community_id = 2")


def test_while_keys_are_filled_nothing_else_of_a_row_can_change(fresh: Flask) -> None:
    upgrade()
    right_books.write()
    migration = filling()
    with database.engines[None].begin() as connection:
        for table in WRITTEN_ONCE:
            migration.open_for_the_key(connection, table)
    for statement in ("UPDATE transfers SET amount = amount + 1", "UPDATE transfers SET community_id = 2", "DELETE FROM transfers"):
        with pytest.raises(DBAPIError, match="append-only"):
            write(statement)


def test_a_filling_that_was_interrupted_goes_on_where_it_was(fresh: Flask) -> None:
    upgrade()
    right_books.write()
    dispose(fresh)
    downgrade(revision=BEFORE)
    dispose(fresh)
    write("ALTER TABLE cycles ADD COLUMN community_id BIGINT NOT NULL DEFAULT 0")  # as far as it came
    upgrade()
    assert wrong_keys() == {}
    assert rows("SELECT COUNT(*) FROM audit_links") == [(0,)]
    assert perform(audit_chains.seal, grace=timedelta(0)) == 3
