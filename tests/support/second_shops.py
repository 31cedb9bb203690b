"""A second shop beside the one of the test, with a database of its own that is not there yet: where a backup is restored to."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask

from shop import create_app
from shop.cli.backup import places
from shop.kernel import db, keys, memory
from shop.platform.files import FolderStorage
from tests.conftest import dispose, execute_on_server, make_config, server_url
from tests.support.gateways import RecordingSms

NOT_KEPT_BY_FACTORIES = ("plumbing.staff_have_a_second_factor", "plumbing.audit_is_sealed")


@contextmanager
def second_shop(first: Flask, engine: str, folder: Path, **settings: Any) -> Iterator[Flask]:
    """A shop with the partners of the first one, and text messages and files of its own. Its databases go when the block ends."""
    name = f"linli_second_{uuid.uuid4().hex[:8]}"
    url = f"sqlite:///{folder / 'second.db'}"
    if engine == "postgresql":
        url = server_url().set(database=name).render_as_string(hide_password=False)
    made = create_app(make_config(url, **settings))
    for partner in ("payments", "biller"):
        made.extensions[partner] = first.extensions[partner]
    made.extensions["sms"] = RecordingSms()
    made.extensions["storage"] = FolderStorage(folder / "second-media")
    try:
        yield made
    finally:
        memory.forget()
        keys.keep(first.config["SECRET_KEY"])
        with made.app_context():
            dispose(made)
        if engine == "postgresql":
            for database in databases(name):
                execute_on_server(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")


def databases(prefix: str) -> list[str]:
    """The databases of the server whose name begins so."""
    engine = sa.create_engine(server_url(), poolclass=sa.NullPool)
    with engine.connect() as connection:
        return list(connection.scalars(sa.text("SELECT datname FROM pg_database WHERE starts_with(datname, :prefix)"), {"prefix": prefix}))


def flask_backup(app: Flask, *words: str) -> tuple[int, str]:
    """Exit code and words of one `flask backup` command of a shop."""
    with app.app_context():  # else the command would work on the shop whose context the test is in
        result = app.test_cli_runner().invoke(args=["backup", *words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def restored(app: Flask, backup: Path, *words: str) -> str:
    """Restore a backup of rows that factories made; what was said."""
    accepted = [word for name in NOT_KEPT_BY_FACTORIES for word in ("--accept", name)]
    code, said = flask_backup(app, "restore", str(backup), *accepted, *words)
    assert code == 0, said
    memory.forget()  # a process that works on another database is another process, but for these tests
    return said


def name_of(app: Flask) -> str:
    return places.database_of(app.config["DATABASE_URL"]).name


def wind_on(app: Flask) -> None:
    """Rows were written with numbers of their own: the counters go on behind them."""
    engine = db.database.engines[None]
    if engine.dialect.name == "sqlite":
        return
    with engine.begin() as connection:
        for table in db.Base.metadata.sorted_tables:
            if "id" in table.c and connection.scalar(sa.text("SELECT pg_get_serial_sequence(:name, 'id')"), {"name": table.name}):
                connection.exec_driver_sql(
                    f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), (SELECT COALESCE(MAX(id), 0) + 1 FROM {table.name}))"
                )
