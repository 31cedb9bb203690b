"""The messages that were sent, in one SQLite file that outlives the process."""

from __future__ import annotations

import re
import sqlite3
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")
CODE = re.compile(r"(?<![0-9])[0-9]{6}(?![0-9])")
SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY, phone TEXT NOT NULL, text TEXT NOT NULL, reference TEXT NOT NULL UNIQUE, sent_at TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS messages_of_phone ON messages (phone, id);
"""


class ReferenceReused(Exception):
    """A reference came back with another phone or text; one reference names one message."""


@dataclass(frozen=True)
class Message:
    """One message as it lies in an inbox."""

    phone: str
    text: str
    sent_at: str

    @property
    def code(self) -> str | None:
        """The first group of exactly six digits in the text, or None."""
        found = CODE.search(self.text)
        return found.group() if found else None

    def as_json(self) -> dict[str, str | None]:
        """The message as the protocol sends it."""
        return {"phone": self.phone, "text": self.text, "code": self.code, "sent_at": self.sent_at}


class Messages:
    """The open message file."""

    def __init__(self, file: Path) -> None:
        """Open the file, creating it when it is not there yet."""
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=30)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(SCHEMA)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def send(self, phone: str, text: str, reference: str) -> bool:
        """Put a message into the phone's inbox; False when this reference had put it there before. Raises ReferenceReused."""
        sent_at = datetime.now(CHINA).isoformat(timespec="seconds")
        with self._lock:
            inserted = self._connection.execute(
                "INSERT INTO messages (phone, text, reference, sent_at) VALUES (?, ?, ?, ?) ON CONFLICT (reference) DO NOTHING",
                (phone, text, reference, sent_at),
            )
            if inserted.rowcount == 1:
                return True
            kept = self._connection.execute("SELECT phone, text FROM messages WHERE reference = ?", (reference,)).fetchone()
        if kept != (phone, text):
            raise ReferenceReused(reference)
        return False

    def newest(self, phone: str | None, limit: int) -> list[Message]:
        """The last messages of a phone, or of all, newest first."""
        query = "SELECT phone, text, sent_at FROM messages WHERE ?1 IS NULL OR phone = ?1 ORDER BY id DESC LIMIT ?2"
        with self._lock:
            return [Message(*row) for row in self._connection.execute(query, (phone, limit))]

    def burn(self) -> None:
        """Forget every message."""
        with self._lock:
            self._connection.execute("DELETE FROM messages")
