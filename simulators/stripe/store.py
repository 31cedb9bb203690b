"""The objects of the account: in memory, and in a SQLite file if one was given so that a restart keeps them.

One unit of work at a time (`World.unit` holds the lock). What a unit saved becomes visible, and reaches the file, in one
step when it commits; a unit that is abandoned leaves no trace.
"""

from __future__ import annotations

import copy
import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from simulators.stripe.errors import no_such
from simulators.stripe.identifiers import new_identifier
from simulators.stripe.settings import Switches

Entry = dict[str, Any]

SCHEMA = "CREATE TABLE IF NOT EXISTS entry (kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, id))"


class Store:
    """All entries by kind and id, oldest first. Kinds starting with `_` are the simulator's own, not Stripe objects."""

    def __init__(self, path: Path | None) -> None:
        self.entries: dict[str, dict[str, Entry]] = {}
        self._connection: sqlite3.Connection | None = None
        if path is not None:
            self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=NORMAL")
            self._connection.execute(SCHEMA)
            for kind, identifier, body in self._connection.execute("SELECT kind, id, body FROM entry ORDER BY rowid"):
                self.entries.setdefault(kind, {})[identifier] = json.loads(body)

    def write(self, changes: dict[tuple[str, str], Entry | None]) -> None:
        """Keep `changes` (None removes), all or nothing, on disk first."""
        if self._connection is not None and changes:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                for (kind, identifier), entry in changes.items():
                    if entry is None:
                        self._connection.execute("DELETE FROM entry WHERE kind = ? AND id = ?", (kind, identifier))
                    else:
                        self._connection.execute(
                            "INSERT INTO entry (kind, id, body) VALUES (?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body",
                            (kind, identifier, json.dumps(entry)),
                        )
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
        for (kind, identifier), entry in changes.items():
            if entry is None:
                self.entries.get(kind, {}).pop(identifier, None)
            else:
                self.entries.setdefault(kind, {})[identifier] = entry

    def clear(self) -> None:
        """Forget everything."""
        if self._connection is not None:
            self._connection.execute("DELETE FROM entry")
        self.entries.clear()

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Unit:
    """One piece of work on the store. Entries it hands out are copies; `save` keeps them, `commit` publishes them."""

    def __init__(
        self, store: Store, moment: float, switches: Switches, *, request: dict[str, Any] | None, api_version: str, base_url: str
    ) -> None:
        self._store = store
        self.switches = switches
        self.base_url = base_url
        self._changes: dict[tuple[str, str], Entry | None] = {}
        self.moment = moment
        self.now = int(moment)
        self.request = request or {"id": None, "idempotency_key": None}
        self.api_version = api_version

    def get(self, kind: str, identifier: str | None) -> Entry | None:
        """The entry, or None."""
        if identifier is None:
            return None
        if (kind, identifier) in self._changes:
            return copy.deepcopy(self._changes[kind, identifier])
        return copy.deepcopy(self._store.entries.get(kind, {}).get(identifier))

    def need(self, kind: str, identifier: str, param: str, *, status: int = 404) -> Entry:
        """The entry, or Stripe's `resource_missing`."""
        entry = self.get(kind, identifier)
        if entry is None:
            raise no_such(kind, identifier, param, status=status)
        return entry

    def newest_first(self, kind: str) -> Iterator[Entry]:
        """Every entry of a kind, to look at and not to change."""
        committed = self._store.entries.get(kind, {})
        added = [
            entry
            for (changed_kind, identifier), entry in self._changes.items()
            if changed_kind == kind and identifier not in committed and entry is not None
        ]
        yield from reversed(added)
        for identifier in reversed(list(committed)):
            entry = self._changes.get((kind, identifier), committed[identifier])
            if entry is not None:
                yield entry

    def find(self, kind: str, wanted: Callable[[Entry], bool]) -> list[Entry]:
        """Copies of the entries that are wanted, newest first."""
        return [copy.deepcopy(entry) for entry in self.newest_first(kind) if wanted(entry)]

    def save(self, entry: Entry) -> Entry:
        """Keep the present state of `entry`, by its `object` and `id`; later changes need another save."""
        self._changes[entry["object"], entry["id"]] = copy.deepcopy(entry)
        return entry

    def remove(self, kind: str, identifier: str) -> None:
        """Forget an entry."""
        self._changes[kind, identifier] = None

    def later(self, seconds: float, action: str, target: str) -> None:
        """Have `action` done to `target` that many seconds from now (see background.py)."""
        due = self.moment + seconds
        self.save({"object": "_task", "id": new_identifier("task"), "due": due, "action": action, "target": target})

    def done_with(self, action: str, target: str) -> None:
        """Drop the planned `action` on `target`, if there is one."""
        for task in self.find("_task", lambda entry: entry["action"] == action and entry["target"] == target):
            self.remove("_task", task["id"])

    def emit(self, event_type: str, subject: Entry, previous: dict[str, Any] | None = None) -> None:
        """Record an event about `subject` as it is now; it is delivered after the unit committed."""
        data: dict[str, Any] = {"object": public(subject)}
        if previous is not None:
            data["previous_attributes"] = previous
        event = {
            "id": new_identifier("evt"),
            "object": "event",
            "api_version": self.api_version,
            "created": self.now,
            "data": data,
            "livemode": False,
            "pending_webhooks": 1,
            "request": dict(self.request),
            "type": event_type,
            "_lane": lane_of(subject),
        }
        self.save(event)

    def silence(self) -> None:
        """Drop the events this unit recorded: it happened, and nobody is told."""
        for kind, identifier in [key for key in self._changes if key[0] == "event"]:
            del self._changes[kind, identifier]

    def events(self) -> list[Entry]:
        """The events this unit recorded, in order."""
        return [entry for (kind, _), entry in self._changes.items() if kind == "event" and entry is not None]

    def abandon(self) -> None:
        """Undo everything this unit saved so far."""
        self._changes.clear()

    def commit(self) -> None:
        """Publish what was saved."""
        self._store.write(self._changes)
        self._changes = {}


def public(entry: Entry) -> Entry:
    """The entry as Stripe shows it: without the simulator's own fields."""
    return {name: copy.deepcopy(value) for name, value in entry.items() if not name.startswith("_")}


def lane_of(entry: Entry) -> str:
    """What keeps the events of one purchase in order: its session or payment."""
    if entry["object"] == "checkout.session":
        return str(entry["id"])
    return str(entry.get("_session") or entry.get("payment_intent") or entry["id"])
