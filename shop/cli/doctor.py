"""`flask doctor`: what is unsafe about this installation, said before it hurts somebody."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from flask import Flask, current_app
from flask.cli import with_appcontext
from sqlalchemy.exc import DBAPIError

from config import VERSION, Config, is_loopback, unsafe_settings
from shop.kernel import clock, keys, resealing
from shop.kernel.db import database
from shop.kernel.db import reading as reader
from shop.platform import pauses

CLOCKS_MAY_DIFFER = timedelta(seconds=2)
SQLITE_NEEDED = (3, 35, 0)  # RETURNING
SQLITE_REPAIRED = (3, 51, 3)  # before it a checkpoint at the wrong moment could lose a write of another connection
SQLITE_RECIPE = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "recursive_triggers": 1, "trusted_schema": 0}
POSTGRESQL_RECIPE = {
    "transaction_isolation": "read committed", "TimeZone": "UTC", "server_encoding": "UTF8", "fsync": "on", "full_page_writes": "on",
    "synchronous_commit": "on",
}  # fmt: skip
PORTS = ("STRIPE_API_BASE", "BILLER_API_BASE", "SMS_API_BASE")
POSTGRESQL_LIMITS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")


class Level(StrEnum):
    """How bad it is. Only UNSAFE makes the command fail."""

    UNSAFE = "unsafe"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing that is not as it should be."""

    level: Level
    sentence: str


@click.command("doctor")
@click.option("--production", is_flag=True, help="Judge the settings as if this were production.")
@with_appcontext
def doctor(production: bool) -> None:
    """Say what is unsafe here: settings, database, migrations, clock. Exit 1 when something is."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    click.echo(f"Linli {VERSION}")
    found = list(examine(app, as_production=production or app.config["APP_ENV"] == "production"))
    colours = {Level.UNSAFE: "red", Level.WARNING: "yellow", Level.NOTE: "blue"}
    for diagnosis in sorted(found, key=lambda diagnosis: list(Level).index(diagnosis.level)):
        click.echo(click.style(f"{diagnosis.level.value:<8}", fg=colours[diagnosis.level], bold=True) + diagnosis.sentence)
    unsafe = sum(diagnosis.level is Level.UNSAFE for diagnosis in found)
    if unsafe:
        raise click.ClickException(f"{unsafe} unsafe")
    click.echo("nothing is unsafe" + (" for development" if app.config["APP_ENV"] != "production" and not production else ""))


def examine(app: Flask, *, as_production: bool) -> Iterator[Diagnosis]:
    """Everything that is not as it should be. In development, settings that only production forbids are notes."""
    for sentence in unsafe_settings(config_of(app)):
        yield Diagnosis(Level.UNSAFE, sentence) if as_production else Diagnosis(Level.NOTE, f"In production: {sentence}")
    yield from examine_process(app, as_production=as_production)
    try:
        with database.engines[None].connect() as writing, database.engines["reading"].connect() as reading:
            yield from examine_database(app, writing, reading)
    except DBAPIError as error:
        yield Diagnosis(Level.UNSAFE, f"The database does not answer: {str(error.orig).strip()}")


def config_of(app: Flask) -> Config:
    """The settings the app was made of."""
    joined = {name: ",".join(app.config[name] or []) for name in ("SECRET_KEY_FALLBACKS", "TRUSTED_HOSTS")}
    return Config(**{field.name: joined.get(field.name, app.config[field.name]) for field in fields(Config)})


def examine_process(app: Flask, *, as_production: bool) -> Iterator[Diagnosis]:
    """The process itself: its rights, its clock, its cookies, the stand-ins it talks to."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        yield Diagnosis(Level.WARNING, "This runs as root: a fault in it could change anything on the machine. Give it a user of its own.")
    if clock.shift():
        level = Level.UNSAFE if as_production else Level.WARNING
        yield Diagnosis(level, f"The clock was moved by {clock.shift()}; `flask clock set now` takes it back.")
    if not app.config["SESSION_COOKIE_HTTPONLY"] or app.config["SESSION_COOKIE_SAMESITE"] not in {"Lax", "Strict"}:
        yield Diagnosis(Level.UNSAFE, "The session cookie must be HttpOnly and SameSite.")
    simulators = [name for name in PORTS if app.config[name] and is_loopback(app.config[name])]
    if simulators and not as_production:
        yield Diagnosis(Level.NOTE, f"Simulators are on ({', '.join(simulators)}): no real money moves and no message leaves this machine.")
    if app.config["STRIPE_WEBHOOK_SECRET_PREVIOUS"]:
        yield Diagnosis(Level.NOTE, "STRIPE_WEBHOOK_SECRET_PREVIOUS is still believed; take it away once the new secret is in use.")
    for name in ("secret_key", "data_key", "lookup_key"):
        secret = os.path.join(app.instance_path, name)
        if os.path.exists(secret) and os.stat(secret).st_mode & 0o077:
            yield Diagnosis(Level.UNSAFE, f"{secret} can be read by others; `chmod 600` it and make a new key.")


def examine_database(app: Flask, writing: sa.Connection, reading: sa.Connection) -> Iterator[Diagnosis]:
    """Engine, recipe, schema, and its clock against ours."""
    yield from examine_sqlite(writing, reading) if writing.dialect.name == "sqlite" else examine_postgresql(writing, reading)
    version = schema_version(reading)
    newest = app.config["SCHEMA_HEAD"]
    if version is not None and newest_migration(app) == version > newest:
        yield Diagnosis(Level.UNSAFE, schema_advice(version, newest, version))
    elif version is None or version < newest:
        yield Diagnosis(Level.UNSAFE, schema_advice(version, newest, newest_migration(app)))
    elif version > newest:
        yield Diagnosis(
            Level.WARNING, f"The schema is at {version}, ahead of this code ({newest}): a newer release is being put in, or was taken back."
        )
    else:
        yield from examine_keys()
        yield from examine_pause()
    difference = abs(database_time(reading) - (clock.now() - clock.shift()))
    if difference > CLOCKS_MAY_DIFFER:
        yield Diagnosis(Level.UNSAFE, f"The database's clock and ours are {difference.total_seconds():.0f} s apart.")


def schema_advice(version: str | None, head: str, newest: str) -> str:
    """What to do about a schema that is not at the `head` that this release names; `newest` is its last migration file."""
    if head != newest:
        return f"migrations/.head says {head}, but the newest migration is {newest}: write {newest} into migrations/.head and start again."
    return f"The schema is at {version or 'nothing'}, not at {head}; run `flask db upgrade`."


def newest_migration(app: Flask) -> str:
    """The last of the migrations that are there."""
    return ", ".join(ScriptDirectory(str(Path(app.root_path).parent / "migrations")).get_heads())


def examine_keys() -> Iterator[Diagnosis]:
    """Which keys seal what is stored."""
    counts: Counter[str] = sum(resealing.versions_in_use(reader()).values(), Counter())
    known = set(map(str, keys.ring().ciphers))
    for version in sorted(set(counts) - known):
        yield Diagnosis(Level.UNSAFE, f"{counts[version]} sealed values are under version {version}, which has no key in DATA_KEYS.")
    older = sum(counts[version] for version in known - {str(keys.ring().newest)})
    if older:
        yield Diagnosis(Level.NOTE, f"{older} sealed values are under an older key; `flask keys rotate` seals them under the newest.")


def examine_pause() -> Iterator[Diagnosis]:
    """Whether this is a restored database that sends nothing yet."""
    if (since := pauses.paused_since(reader())) is not None:
        yield Diagnosis(
            Level.WARNING,
            f"Sending is paused since the restore of {clock.local(since):%Y-%m-%d %H:%M}: run `flask backup reconcile`, "
            "then `flask backup resume`.",
        )


def examine_sqlite(writing: sa.Connection, reading: sa.Connection) -> Iterator[Diagnosis]:
    library = tuple(int(part) for part in str(writing.exec_driver_sql("SELECT sqlite_version()").scalar()).split("."))
    name = ".".join(map(str, library))
    if library < SQLITE_NEEDED:
        yield Diagnosis(Level.UNSAFE, f"SQLite {name} is too old; {'.'.join(map(str, SQLITE_NEEDED))} is needed.")
    elif library < SQLITE_REPAIRED:
        yield Diagnosis(
            Level.WARNING,
            f"SQLITE {name} HAS A KNOWN FAULT that can, very rarely, damage a database several processes write to. Use "
            f"{'.'.join(map(str, SQLITE_REPAIRED))} or newer, or PostgreSQL, for anything that matters.",
        )
    for connection, recipe in ((writing, SQLITE_RECIPE), (reading, {**SQLITE_RECIPE, "query_only": 1})):
        for pragma, wanted in recipe.items():
            found = connection.exec_driver_sql(f"PRAGMA {pragma}").scalar()
            if found != wanted:
                yield Diagnosis(Level.UNSAFE, f"SQLite's {pragma} is {found}, not {wanted}.")


def examine_postgresql(writing: sa.Connection, reading: sa.Connection) -> Iterator[Diagnosis]:
    def setting(connection: sa.Connection, name: str) -> Any:
        return connection.exec_driver_sql(f"SHOW {name}").scalar()

    for name, wanted in POSTGRESQL_RECIPE.items():
        if setting(writing, name) != wanted:
            yield Diagnosis(Level.UNSAFE, f"PostgreSQL's {name} is {setting(writing, name)}, not {wanted}.")
    for name in POSTGRESQL_LIMITS:
        if setting(writing, name) == "0":
            yield Diagnosis(Level.UNSAFE, f"PostgreSQL's {name} is off: one stuck statement could stop the shop.")
    if setting(reading, "default_transaction_read_only") != "on":
        yield Diagnosis(Level.UNSAFE, "The reading connections can write.")


def schema_version(connection: sa.Connection) -> str | None:
    """Where the schema stands; None without migrations."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def database_time(connection: sa.Connection) -> datetime:
    """What the database's machine takes the time to be."""
    if connection.dialect.name == "sqlite":
        told = connection.exec_driver_sql("SELECT strftime('%Y-%m-%dT%H:%M:%f', 'now')").scalar()
        return datetime.fromisoformat(str(told)).replace(tzinfo=UTC)
    found: datetime = connection.execute(sa.select(sa.func.clock_timestamp(type_=sa.DateTime(timezone=True)))).scalar_one()
    return found
