"""`flask files move`: bring the files of a folder into the bucket that is set now."""

from __future__ import annotations

from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup

from shop.platform.buckets import BucketStorage, StorageAway
from shop.platform.files import KEPT_NAME, storage

group = AppGroup("files", help="Pictures and other uploads.")


FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@group.command("move")
@click.option("--from", "folder", type=FOLDER, help="Instead of the instance's own folder.")
def move(folder: Path | None) -> None:
    """Bring what is not there yet; run again, it finds nothing to do. The folder stays as it is."""
    kept = storage()
    if not isinstance(kept, BucketStorage):
        raise click.ClickException("files are kept in a folder: S3_BUCKET_URL names no bucket")
    source = folder or Path(current_app.instance_path) / "media"
    names = sorted(str(place.relative_to(source)) for place in source.rglob("*") if place.is_file())
    brought = passed_over = 0
    try:
        for name in names:
            if not KEPT_NAME.fullmatch(name):
                passed_over += 1
                click.echo(f"{name}: not one of ours")
            elif not kept.has(name):
                kept.put(name, (source / name).read_bytes())
                brought += 1
    except StorageAway as away:
        raise click.ClickException(f"the bucket does not answer ({away}); {brought} brought, run it again later") from away
    click.echo(f"{brought} brought, {len(names) - brought - passed_over} were there already")
