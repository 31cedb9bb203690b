"""Probes for whoever keeps the shop running."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Flask, current_app
from sqlalchemy.exc import TimeoutError as PoolExhausted

from config import VERSION
from shop.kernel.db import database, reading, refuse_fault
from shop.kernel.errors import Busy, Unavailable
from shop.platform import pauses
from shop.platform.access import public_file

bp = Blueprint("health", __name__)

LEAST_ROOM = 64 * 1024 * 1024
"""Bytes that must be free beside an SQLite file: its write-ahead log grows by as much between two checkpoints."""

PROBE_WAITS = 1_000
"""Milliseconds that a probe waits for other writers of an SQLite file."""

GOOD_FOR = 10.0
"""Seconds for which what a probe found is told."""

LOOK_AFTER = 3.0
"""Seconds after which whoever asks has the next probe begin, without waiting for it."""

PATIENCE = 2.0
"""Seconds that somebody waits for a probe when nothing is known: a disk that does not even answer is not ready."""


class Prober:
    """Finds out in a thread of its own whether the database can be used, so that nobody who asks waits for a disk."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.found_at = float("-inf")
        self.trouble: Exception | None = None
        self.begun: threading.Thread | None = None
        self.process = os.getpid()

    def ask(self, app: Flask) -> None:
        """Return if the database could be read and written lately; raises what stood in the way, or `Unavailable`."""
        age, trouble = time.monotonic() - self.found_at, self.trouble
        if age > min(LOOK_AFTER, GOOD_FOR):
            under_way = self.begin(app)
            if age > GOOD_FOR:
                under_way.join(PATIENCE)
                if under_way.is_alive():
                    raise Unavailable() from TimeoutError("the database does not answer a probe")
                trouble = self.trouble
        if isinstance(trouble, Busy | Unavailable):
            raise type(trouble)() from trouble.__cause__  # anew: many may be told of it at once
        if trouble is not None:
            raise trouble

    def begin(self, app: Flask) -> threading.Thread:
        """The probe under way, begun now if there is none; a process that was forked has no part in its parent's."""
        with self.lock:
            if self.begun is None or not self.begun.is_alive() or self.process != os.getpid():
                self.process = os.getpid()
                self.begun = threading.Thread(target=self.look, args=(app,), name="probe", daemon=True)
                self.begun.start()
            return self.begun

    def look(self, app: Flask) -> None:
        trouble: Exception | None = None
        try:
            with app.app_context():
                probe(app)
        except Exception as error:  # told to whoever asks
            trouble = error.with_traceback(None)
        self.trouble, self.found_at = trouble, time.monotonic()


PROBER = Prober()


@bp.get("/healthz")
@public_file
def alive() -> tuple[str, int, dict[str, str]]:
    """The process answers, and says which release it is. No I/O."""
    return "ok\n", 200, {"Content-Type": "text/plain", "Linli-Version": VERSION}


@bp.get("/readyz")
@public_file
def ready() -> tuple[str, int, dict[str, str]]:
    """The database answers, has this release's schema or a later one, and takes writes: it is neither read-only nor full.

    A later one is there in the middle of a release, when the next one's migrations have run: they leave room for this code
    (docs/recipes/migration.md). Numbers of migrations sort as text. After a restore the shop serves, but says that it sends nothing yet.
    """
    PROBER.ask(current_app._get_current_object())  # type: ignore[attr-defined]
    return "ready, sending is paused\n" if pauses.paused_since(reading()) else "ready\n", 200, {"Content-Type": "text/plain"}


def probe(app: Flask) -> None:
    """Read the schema's version and write a little. Raises `Unavailable`, `Busy`, or the complaint itself where the defect is ours."""
    engine = database.engines[None]
    try:
        with database.engines["reading"].connect() as connection:
            version = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        if version is None or version < app.config["SCHEMA_HEAD"]:
            raise Unavailable() from LookupError("the schema is older than the code")
        if engine.dialect.name == "sqlite":
            write_to_sqlite(engine)
        else:
            write_to_postgresql(engine)
    except (sa.exc.DBAPIError, PoolExhausted) as error:
        refuse_fault(error, writes=True)
        raise


def write_to_sqlite(engine: sa.Engine) -> None:
    """Write some pages and take them back. Others who write meanwhile prove as much."""
    place = Path(str(engine.url.database)).resolve().parent
    room = os.statvfs(place)
    if room.f_bavail * room.f_frsize < LEAST_ROOM:
        raise Unavailable()
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        (patience,) = driver.execute("PRAGMA busy_timeout").fetchone()
        driver.execute(f"PRAGMA busy_timeout = {PROBE_WAITS}")
        try:
            connection.exec_driver_sql("CREATE TABLE room_for_more (pages BLOB)")
            connection.exec_driver_sql("INSERT INTO room_for_more VALUES (zeroblob(65536))")
        except sa.exc.DBAPIError as error:
            try:
                refuse_fault(error, writes=True)
            except Busy:
                return
            raise
        finally:  # what was written goes with the connection's return to the pool
            driver.execute(f"PRAGMA busy_timeout = {patience}")


def write_to_postgresql(engine: sa.Engine) -> None:
    """Be somebody who may write, and put some hundred kilobytes of a sort onto the server's disk."""
    with engine.connect() as connection:
        if connection.exec_driver_sql("SHOW transaction_read_only").scalar() == "on":
            raise Unavailable()
        connection.exec_driver_sql("SET LOCAL work_mem = '64kB'")
        connection.exec_driver_sql("SELECT count(*) FROM generate_series(1, 20000)")
