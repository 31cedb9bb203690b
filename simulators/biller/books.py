"""The biller's books: one SQLite file that outlives the process. Every write-off is a row here."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from simulators.biller.clock import moment

SCHEMA = """
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS accounts (
    biller TEXT NOT NULL, account_no TEXT NOT NULL, opened_period TEXT NOT NULL, PRIMARY KEY (biller, account_no));
CREATE TABLE IF NOT EXISTS payments (
    id INTEGER PRIMARY KEY, biller TEXT NOT NULL, serial TEXT NOT NULL, body_digest TEXT NOT NULL, account_no TEXT NOT NULL,
    bill_refs TEXT NOT NULL, periods TEXT NOT NULL, total_fen INTEGER NOT NULL CHECK (total_fen > 0),
    surplus_fen INTEGER NOT NULL CHECK (surplus_fen BETWEEN 0 AND total_fen),
    state TEXT NOT NULL CHECK (state IN ('pending', 'posted', 'failed')),
    outcome TEXT NOT NULL CHECK (outcome IN ('posted', 'failed')),
    meanwhile TEXT NOT NULL CHECK (meanwhile IN ('processing', 'failed', 'not_found')),
    settles_at_ms INTEGER NOT NULL, received_month TEXT NOT NULL, code TEXT, message TEXT, posted_at TEXT,
    file_difference INTEGER NOT NULL DEFAULT 0, times_received INTEGER NOT NULL DEFAULT 1, acknowledgements INTEGER NOT NULL DEFAULT 0,
    UNIQUE (biller, serial));
CREATE INDEX IF NOT EXISTS payments_pending ON payments (settles_at_ms) WHERE state = 'pending';
CREATE INDEX IF NOT EXISTS payments_of_account ON payments (biller, account_no, received_month);
CREATE TABLE IF NOT EXISTS write_offs (
    biller TEXT NOT NULL, bill_ref TEXT NOT NULL, payment_id INTEGER NOT NULL REFERENCES payments (id), PRIMARY KEY (biller, bill_ref));
CREATE TABLE IF NOT EXISTS postings (
    id INTEGER PRIMARY KEY, payment_id INTEGER NOT NULL REFERENCES payments (id), biller TEXT NOT NULL, account_no TEXT NOT NULL,
    amount_fen INTEGER NOT NULL, surplus_fen INTEGER NOT NULL, posted_at TEXT NOT NULL, posted_day TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS postings_of_account ON postings (biller, account_no);
CREATE INDEX IF NOT EXISTS postings_of_day ON postings (biller, posted_day);
CREATE INDEX IF NOT EXISTS postings_of_payment ON postings (payment_id);
"""
TABLES = ("write_offs", "postings", "payments", "accounts")


class Books:
    """One open book file. Transactions are taken one at a time; each is short and never waits for anything."""

    def __init__(self, file: Path) -> None:
        """Open the file, creating it when it is not there yet."""
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=30)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._connection.executescript(SCHEMA)

    def close(self) -> None:
        """Close the file; afterwards the book answers nothing."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing: committed when the block ends, rolled back when it raises."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def kept_setting(self, name: str) -> Any:
        """A value kept before, or None."""
        with self.transaction() as book:
            row = book.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        return None if row is None else json.loads(row["value"])

    def keep_setting(self, name: str, value: Any) -> None:
        """Keep a value over a restart."""
        with self.transaction() as book:
            book.execute("INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)", (name, json.dumps(value)))

    def burn(self) -> None:
        """Forget every account, payment and write-off."""
        with self.transaction() as book:
            for table in TABLES:
                book.execute(f"DELETE FROM {table}")

    def forget_openings(self) -> None:
        """Let every account open its arrears anew; for a calendar moved backwards."""
        with self.transaction() as book:
            book.execute("DELETE FROM accounts")


def settle_due(book: sqlite3.Connection, now_ms: int, shift_days: int) -> None:
    """Bring every pending payment whose time has come to its outcome, each exactly once."""
    due = book.execute("SELECT * FROM payments WHERE state = 'pending' AND settles_at_ms <= ? ORDER BY id", (now_ms,)).fetchall()
    for payment in due:
        if payment["outcome"] == "posted":
            post(book, payment, payment["settles_at_ms"], shift_days)
        else:
            book.execute("UPDATE payments SET state = 'failed' WHERE id = ?", (payment["id"],))
            book.execute("DELETE FROM write_offs WHERE payment_id = ?", (payment["id"],))


def post(book: sqlite3.Connection, payment: sqlite3.Row, at_ms: int, shift_days: int) -> None:
    """Write a payment off. A payment written off a second time is wholly surplus: the bills were gone already."""
    at = moment(at_ms, shift_days)
    surplus = payment["surplus_fen"] if payment["state"] == "pending" else payment["total_fen"]
    book.execute(
        "INSERT INTO postings (payment_id, biller, account_no, amount_fen, surplus_fen, posted_at, posted_day)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (payment["id"], payment["biller"], payment["account_no"], payment["total_fen"], surplus, at.isoformat(), f"{at:%Y%m%d}"),
    )
    book.execute("UPDATE payments SET state = 'posted', posted_at = coalesce(posted_at, ?) WHERE id = ?", (at.isoformat(), payment["id"]))


def payment_by_serial(book: sqlite3.Connection, biller: str, serial: str) -> sqlite3.Row | None:
    """The payment the channel sent under this serial, if it ever arrived."""
    row: sqlite3.Row | None = book.execute("SELECT * FROM payments WHERE biller = ? AND serial = ?", (biller, serial)).fetchone()
    return row


def held_references(book: sqlite3.Connection, biller: str, account_no: str) -> dict[str, str]:
    """Every bill reference of the account that is paid or being paid, with the state of its payment."""
    rows = book.execute(
        "SELECT w.bill_ref, p.state FROM write_offs w JOIN payments p ON p.id = w.payment_id WHERE p.biller = ? AND p.account_no = ?",
        (biller, account_no),
    )
    return {row["bill_ref"]: row["state"] for row in rows}


def surplus_fen(book: sqlite3.Connection, biller: str, account_no: str) -> int:
    """What the account holds from payments beyond its bills."""
    held = "SELECT coalesce(sum(surplus_fen), 0) FROM postings WHERE biller = ? AND account_no = ?"
    row = book.execute(held, (biller, account_no)).fetchone()
    return int(row[0])


def bought_in_month_fen(book: sqlite3.Connection, biller: str, account_no: str, month: str) -> int:
    """What was bought for the account in a month, counting what is still being posted."""
    row = book.execute(
        "SELECT coalesce(sum(total_fen), 0) FROM payments"
        " WHERE biller = ? AND account_no = ? AND received_month = ? AND state != 'failed' AND outcome = 'posted'",
        (biller, account_no, month),
    ).fetchone()
    return int(row[0])


def opened_period(book: sqlite3.Connection, biller: str, account_no: str, first_period: str) -> str:
    """The oldest period the account was ever seen to owe, remembered when first asked."""
    book.execute("INSERT OR IGNORE INTO accounts (biller, account_no, opened_period) VALUES (?, ?, ?)", (biller, account_no, first_period))
    row = book.execute("SELECT opened_period FROM accounts WHERE biller = ? AND account_no = ?", (biller, account_no)).fetchone()
    return str(row["opened_period"])
