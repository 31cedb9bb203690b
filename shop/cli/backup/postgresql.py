"""A PostgreSQL database: dumped by the server's own tools from one snapshot, put back as a database that takes another's name."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import psycopg
import sqlalchemy as sa
from psycopg import sql

from shop.cli.backup.archive import DATABASES, Watch, ignore
from shop.cli.backup.databases import IN_USE, SCHEMA_TABLE, Dumped, growing, has_rows
from shop.cli.backup.errors import BackupTrouble, BrokenBackup

TOOL_FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin", "/usr/local/pgsql/bin")
OF_THE_URL = {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY", "host": "PGHOST"}
LONGEST_NAME = 63
WORDS_OF_A_TOOL = 300


class PostgresqlDatabase:
    """One database of a server."""

    engine = "postgresql"
    part = DATABASES["postgresql"]

    def __init__(self, url: sa.URL) -> None:
        self._url = url

    @property
    def name(self) -> str:
        return str(self._url.database)

    @property
    def url(self) -> str:
        return self._url.render_as_string(hide_password=False)

    def _named(self, name: str) -> PostgresqlDatabase:
        return PostgresqlDatabase(self._url.set(database=name))

    def _opened(self, *, autocommit: bool = True) -> psycopg.Connection:
        """A connection without the shop's own time limits: counting a large table takes its time."""
        plain = self._url.set(drivername="postgresql").render_as_string(hide_password=False)
        return psycopg.connect(plain, autocommit=autocommit, connect_timeout=5, application_name="linli backup")

    def _server(self) -> psycopg.Connection:
        return self._named("postgres")._opened()

    def version(self) -> str:
        with self._server() as connection:
            return str(connection.execute("SHOW server_version").fetchone()[0])  # type: ignore[index]  # always a row

    def size(self) -> int:
        with self._opened() as connection:
            return int(connection.execute("SELECT pg_database_size(current_database())").fetchone()[0])  # type: ignore[index]

    def exists(self) -> bool:
        with self._server() as connection:
            return connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [self.name]).fetchone() is not None

    def has_data(self) -> bool:
        return self.exists() and has_rows(self.counts())

    def dump(self, place: Path, watch: Watch = ignore) -> Dumped:
        """Dump and count one and the same snapshot, whatever is written meanwhile."""
        with self._opened(autocommit=False) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            (snapshot,) = connection.execute("SELECT pg_export_snapshot()").fetchone()  # type: ignore[misc]
            major = connection.info.server_version // 10_000
            with growing(place, watch):
                self._run("pg_dump", major, "--format=custom", "--compress=1", "--no-owner", "--no-privileges", f"--snapshot={snapshot}",
                          f"--file={place}")  # fmt: skip
            return Dumped(schema_of(connection), counts_of(connection))

    def schema(self) -> str:
        with self._opened() as connection:
            return schema_of(connection)

    def counts(self) -> dict[str, int]:
        with self._opened() as connection:
            return counts_of(connection)

    def beside(self, ref: str) -> PostgresqlDatabase:
        return self._named(_with_end(self.name, f"_restoring_{ref}"))

    def load(self, part: Path, watch: Watch = ignore) -> None:
        """Make this database from the part of a backup. Raises `BrokenBackup`, `BackupTrouble`."""
        with self._server() as connection:
            major = connection.info.server_version // 10_000
            statement = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(sql.Identifier(self.name))
            try:
                connection.execute(statement)
            except psycopg.errors.InsufficientPrivilege:
                raise BackupTrouble("the shop's user may not make databases: restore as one that may (CREATEDB)") from None
        plain = ("--no-owner", "--no-privileges", "--no-comments", "--exit-on-error")
        self._run("pg_restore", major, *plain, "--dbname", self.name, str(part))
        watch(part.stat().st_size)
        with self._opened() as connection:
            connection.execute("ANALYZE")

    def take_place_of(self, target: PostgresqlDatabase, ref: str) -> str:
        """Take the name of the shop's database; the name under which the one before is kept. Both in one transaction.

        Raises `BackupTrouble` while somebody is connected to either.
        """
        aside = _with_end(target.name, f"_before_{ref}")
        was_there = target.exists()
        renamed = sql.SQL("ALTER DATABASE {} RENAME TO {}")
        with self._server() as connection:
            try:
                with connection.transaction():
                    if was_there:
                        connection.execute(renamed.format(sql.Identifier(target.name), sql.Identifier(aside)))
                    connection.execute(renamed.format(sql.Identifier(self.name), sql.Identifier(target.name)))
            except psycopg.errors.ObjectInUse:
                raise BackupTrouble(IN_USE.format(name=target.name)) from None
        return aside if was_there else ""

    def drop(self) -> None:
        with self._server() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(self.name)))

    def _run(self, tool: str, major: int, *words: str) -> None:
        """Run one of the server's tools on this database. The password goes by the environment: no list of processes shows it."""
        command = [find_tool(tool, major), *words]
        done = subprocess.run(command, env=self._environment(), capture_output=True, text=True, check=False)  # noqa: S603  (our words)
        if done.returncode:
            # The first complaint only: what follows it may quote a row.
            said = next((line for line in done.stderr.splitlines() if "error:" in line), "no word why")[:WORDS_OF_A_TOOL]
            raise (BrokenBackup if tool == "pg_restore" else BackupTrouble)(f"{tool} failed: {said}")

    def _environment(self) -> dict[str, str]:
        """What libpq reads: where the server is, and as whom."""
        known = {
            "PGHOST": self._url.host, "PGPORT": self._url.port, "PGUSER": self._url.username, "PGPASSWORD": self._url.password,
            "PGDATABASE": self._url.database, **{name: self._url.query.get(word) for word, name in OF_THE_URL.items() if word != "host"},
        }
        if (host := self._url.query.get("host")) and not self._url.host:
            known["PGHOST"] = str(host)
        return {**os.environ, **{name: str(value) for name, value in known.items() if value}}


def find_tool(name: str, major: int, folders: Sequence[str] = TOOL_FOLDERS) -> str:
    """The tool of the oldest version that knows a server of this one: older tools refuse newer servers. Raises `BackupTrouble`."""
    on_path = [Path(folder) / name for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    installed = [place / name for pattern in folders for place in Path("/").glob(pattern.lstrip("/"))]
    versions = {str(tool): version for tool in (*on_path, *installed) if (version := version_of(tool)) >= major}
    if not versions:
        raise BackupTrouble(
            f"{name} of PostgreSQL {major} or newer is not on this machine: install the server's client tools "
            f"(Debian: postgresql-client-{major}) or put them on the PATH"
        )
    return min(versions, key=lambda tool: versions[tool])


def version_of(tool: Path) -> int:
    """The major version a tool says it is of; 0 when it is not there or does not say."""
    if not os.access(tool, os.X_OK):
        return 0
    said = subprocess.run([str(tool), "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603  (a place of our list)
    found = re.search(r"\) ([0-9]{1,3})", said)
    return int(found[1]) if found else 0


def _with_end(name: str, end: str) -> str:
    return name[: LONGEST_NAME - len(end)] + end


def schema_of(connection: psycopg.Connection) -> str:
    """The newest migration; empty without any."""
    if connection.execute("SELECT to_regclass(%s)", [SCHEMA_TABLE]).fetchone() == (None,):
        return ""
    found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(found[0]) if found else ""


def counts_of(connection: psycopg.Connection) -> dict[str, int]:
    """The rows of every table, as this connection sees them; partitions are counted by the table they belong to."""
    names = connection.execute(
        "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY relname"
    ).fetchall()
    counted = sql.SQL("SELECT COUNT(*) FROM {}")
    return {name: connection.execute(counted.format(sql.Identifier(name))).fetchone()[0] for (name,) in names}  # type: ignore[index]
