"""Where things are: the shop's database, its settings for processes of our own, the keys that seal backups."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask

from config import ROOT, read_data_keys
from shop.cli.backup.errors import BackupTrouble
from shop.cli.backup.postgresql import PostgresqlDatabase
from shop.cli.backup.sqlite import SqliteDatabase
from shop.cli.doctor import config_of
from shop.kernel import keys
from shop.kernel.db import sqlite_file

Database = SqliteDatabase | PostgresqlDatabase
MARK_LENGTH = 16


def database_of(url: str) -> Database:
    """The database of an address. Raises `BackupTrouble` for one that lives in memory."""
    made = sa.make_url(url)
    if made.get_backend_name() != "sqlite":
        return PostgresqlDatabase(made)
    file = sqlite_file(url)
    if file is None:
        raise BackupTrouble("a database in memory is gone with its process: there is nothing to back up")
    return SqliteDatabase(file.resolve())


def backup_keys(app: Flask) -> dict[int, bytes]:
    """The keys that seal backups by version, the first one seals; none when backups are not sealed. Raises `BackupTrouble`."""
    if not app.config["BACKUP_KEY"]:
        return {}
    try:
        return read_data_keys(app.config["BACKUP_KEY"])
    except ValueError as wrong:
        raise BackupTrouble(f"BACKUP_KEY cannot be read: {wrong}") from None


def key_marks(app: Flask) -> dict[str, str]:
    """By what the keys of this shop are known, without a word about them."""
    return {
        "LOOKUP_KEY": keys.ring().find("backup", "mark")[:MARK_LENGTH],
        "SECRET_KEY": keys.fingerprint("backup", "mark")[:MARK_LENGTH],
    }


def kept_apart(app: Flask) -> dict[str, str]:
    """The keys without which a backup cannot be used, for whoever asks to have them inside."""
    return {name: str(app.config[name]) for name in ("SECRET_KEY", "DATA_KEYS", "LOOKUP_KEY")}


def environment_of(app: Flask, url: str) -> dict[str, str]:
    """The environment of a process of our own that works on another database with the same settings."""
    settings: Mapping[str, Any] = {**asdict(config_of(app)), "DATABASE_URL": url}
    told = {name: str(int(value)) if isinstance(value, bool) else str(value) for name, value in settings.items()}
    return {**os.environ, **told, "INSTANCE_PATH": app.instance_path}


def app_version() -> str:
    """The version of this checkout."""
    return str(tomllib.loads((Path(ROOT) / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


def knows_schema(revision: str) -> bool:
    """Whether this checkout has the migration a database stands at: a backup of a newer shop needs the newer shop."""
    return any(place.name.startswith(f"{revision}_") for place in (Path(ROOT) / "migrations" / "versions").glob("*.py"))
