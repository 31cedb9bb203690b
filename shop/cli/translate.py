"""`flask translate compile`."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from shop.platform import catalogues

group = AppGroup("translate", help="Translations.")


@group.command("compile")
def compile_() -> None:
    """Join the areas' PO files into the catalogue the pages read."""
    click.echo(f"{catalogues.compile_catalogue()} sentences")
