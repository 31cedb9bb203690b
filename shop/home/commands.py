"""`flask bundles`: what pages load, made small."""

from __future__ import annotations

import subprocess
from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup

from shop.home import bundles, minifying

group = AppGroup("bundles", help="The style sheets and scripts of pages.")


@group.command("minify")
@click.argument("esbuild", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def minify(esbuild: Path) -> None:
    """Make the small form of every bundle with ESBUILD, the program. script/setup does this."""
    folder = Path(str(current_app.static_folder))
    parts = {name: bundles.joined(folder, name) for name in bundles.BUNDLES}
    try:
        minifying.make(parts, esbuild)
    except subprocess.CalledProcessError as failure:
        raise click.ClickException(failure.stderr.decode(errors="replace")) from None
    for name, text in parts.items():
        click.echo(f"{name}: {len(text.encode()):,} bytes, {len(minifying.kept(name, text) or b''):,} small")
