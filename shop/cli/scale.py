"""`flask scale fill-keys`: after a release, say to whom the rows belong that a process of the release before wrote meanwhile."""

from __future__ import annotations

from typing import Any

import click
from alembic.script import ScriptDirectory
from flask import current_app
from flask.cli import AppGroup

from shop.kernel.db import database

group = AppGroup("scale", help="Keys of tables that grow.")


def filling() -> Any:
    """The migration that fills keys: what it can do once it can do again."""
    scripts = ScriptDirectory.from_config(current_app.extensions["migrate"].migrate.get_config())
    return next(script.module for script in scripts.walk_revisions() if hasattr(script.module, "fill_keys"))


@group.command("fill-keys")
def fill_keys() -> None:
    """Fill the keys that are not said, in batches, while the shop runs. Can be run again at any time."""
    release, engine = filling(), database.engines[None]
    try:
        with engine.connect() as connection:
            seen = release.fill_keys(connection, connection.commit)
    except BaseException:  # what is written once stays so, also when the shop was too busy for this
        with engine.begin() as connection:
            for table in release.WRITTEN_ONCE:
                release.close_again(connection, table)
        raise
    click.echo(f"went through {sum(seen.values())} rows of {len(seen)} tables")
