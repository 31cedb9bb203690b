"""`flask backup create | restore | drill | reconcile | resume | keys`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from flask import Flask, current_app
from flask.cli import AppGroup

from shop.cli.backup import adopting, creating, drilling, places, reconciling, restoring
from shop.cli.backup.archive import Watch
from shop.cli.backup.errors import BackupTrouble
from shop.cli.backup.manifest import Manifest, moment_of
from shop.cli.verify.command import show
from shop.kernel.db import perform
from shop.kernel.errors import ShopError
from shop.platform import parameters, pauses

group = AppGroup("backup", help="Backups: made while the shop runs, restored without sending anything twice.")

FILE = click.Path(path_type=Path, dir_okay=True)
MEBIBYTE = 1024 * 1024


def with_sentences(command: Callable[..., Any]) -> Callable[..., Any]:
    """Tell what is wrong as one sentence, exit 1."""

    @functools.wraps(command)
    def run(*args: Any, **options: Any) -> Any:
        try:
            return command(*args, **options)
        except BackupTrouble as trouble:
            raise click.ClickException(str(trouble)) from trouble
        except ShopError as refusal:
            raise click.ClickException(str(refusal.message)) from refusal

    return run


@contextmanager
def progress(label: str, length: int) -> Iterator[Watch]:
    """A bar, where somebody looks."""
    with click.progressbar(length=max(length, 1), label=label) as bar:
        yield lambda done: bar.update(done)


def moment(made: Manifest) -> str:
    """The moment of a backup, as both the operator's log and the provider's lists tell it."""
    return f"{made.made_at:%Y-%m-%d %H:%M:%S} UTC"


def here() -> Flask:
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    return app


@group.command("create")
@click.argument("place", type=FILE)
@click.option("--keep", type=click.IntRange(min=1), help="PLACE is a folder: keep so many of the newest backups in it.")
@click.option("--with-keys", is_flag=True, help="Put SECRET_KEY, DATA_KEYS and LOOKUP_KEY inside; only into a sealed backup.")
@click.option("--without-files", is_flag=True, help="Leave uploaded files out, where their storage has backups of its own.")
@with_sentences
def create(place: Path, keep: int | None, with_keys: bool, without_files: bool) -> None:
    """Write a backup to the file PLACE, or into the folder PLACE under a name of its own. The shop goes on meanwhile."""
    if keep is not None and not place.is_dir():
        raise click.UsageError("--keep needs a folder")
    app = here()
    with progress("backing up", places.database_of(app.config["DATABASE_URL"]).size()) as watch:
        written, made = creating.create(app, place, creating.Wish(with_keys=with_keys, with_files=not without_files), watch)
    rows, size = sum(made.counts.values()), written.stat().st_size
    click.echo(f"{written}: {rows} rows and {len(made.parts) - 1} other parts, {size / MEBIBYTE:.1f} MiB, as of {moment(made)}")
    if not places.backup_keys(app):
        click.secho("It is not sealed: whoever can read the file can read what residents did. Set BACKUP_KEY.", fg="yellow")
    needed = [*([] if with_keys else ["SECRET_KEY", "DATA_KEYS", "LOOKUP_KEY"]), *(["BACKUP_KEY"] if places.backup_keys(app) else [])]
    click.echo(f"Keep elsewhere, or it cannot be used: {', '.join(needed)}")
    if keep is not None:
        for name in creating.rotate(place, keep):
            click.echo(f"taken away: {name}")


@group.command("restore")
@click.argument("place", type=FILE)
@click.option("--replace", type=parameters.LINE, default="", metavar="NAME", help="The name of the database that may be replaced.")
@click.option("--accept", "accepted", type=parameters.LINE, multiple=True, metavar="INVARIANT", help="Need not hold.")
@with_sentences
def restore(place: Path, replace: str, accepted: tuple[str, ...]) -> None:
    """Put a backup back. It is checked beside the shop's database before it takes its place; sending is paused afterwards."""
    app = here()
    size = place.stat().st_size if place.is_file() else 0
    with progress("reading", size) as watch:
        done = restoring.restore(app, place, replace=replace, accepted=accepted, say=click.echo, watch=watch)
    made = done.manifest
    click.echo(f"restored as of {moment(made)}: {sum(made.counts.values())} rows, {done.files_put_back} files put back")
    if done.kept_aside:
        click.echo(f"what was there before is kept as {done.kept_aside}")
    click.secho("Sending is paused. Start the shop, run `flask backup reconcile`, read it, then `flask backup resume`.", bold=True)


@group.command("drill")
@click.argument("place", type=FILE, required=False)
@click.option("--folder", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Where there is room for it.")
@with_sentences
def drill(place: Path | None, folder: Path | None) -> None:
    """Rehearse: back up, restore into a scratch database, check everything, leave nothing. With PLACE that backup is tried."""
    done = drilling.drill(here(), place, folder=folder, say=click.echo)
    click.echo(
        f"the backup is good: {done.rows} rows, {done.files} files, {done.size / MEBIBYTE:.1f} MiB; "
        f"{done.seconds_to_back_up:.1f} s to back up, {done.seconds_to_restore:.1f} s to restore and check"
    )


@group.command("reconcile")
@with_sentences
def reconcile() -> None:
    """After a restore: ask the card provider and the billers what happened since the backup. Nothing is sent."""
    try:
        asked = reconciling.reconcile()
    except reconciling.NobodyAnswers as silence:
        raise click.ClickException("the card provider does not answer; sending stays paused. Try again later") from silence
    gap = asked.gap
    click.echo(f"card payments that have an end now: {gap.settled}")
    click.echo(f"payments whose refunds are as the provider has them: {gap.refunds}; after ours that still wait: {gap.waiting}")
    click.echo(f"bill payments that perhaps were sent: {asked.bills_doubted}; answered about: {asked.bills_answered}")
    if asked.bills_silent:
        click.secho(f"no answer yet about {', '.join(asked.bills_silent)}: they are asked about first, nothing is sent", fg="yellow")
    for one in gap.strangers:
        click.secho(f"money for a payment that is not in our books: {one.intent} ({one.our_ref or '?'}), {one.amount}", fg="yellow")
    if gap.strangers:
        click.echo("Give it back at the provider, or write the orders anew with their buyers.")


@group.command("resume")
@with_sentences
def resume() -> None:
    """After `reconcile`: send again, and do what has waited."""
    perform(pauses.resume)
    click.echo("sending is resumed")


@group.command("keys")
@click.argument("place", type=FILE)
@with_sentences
def keys(place: Path) -> None:
    """Show the keys that were put into a backup made with --with-keys, as settings. Only on a screen that nobody else sees."""
    for name, value in restoring.keys_inside(here(), place).items():
        click.echo(f"{name}={value}")


@group.command("adopt", hidden=True)
@click.option("--ref", type=parameters.WORD, required=True)
@click.option("--made-at", type=parameters.ID, required=True, help="Microseconds since 1970.")
@click.option("--accept", "accepted", type=parameters.LINE, multiple=True)
def adopt(ref: str, made_at: int, accepted: tuple[str, ...]) -> None:
    """Check a database that was just restored, and have it send nothing: a step of `restore` and `drill`."""
    findings = adopting.adopt_if_right(ref, moment_of(made_at), accepted)
    for finding in findings:
        show(finding)
    if findings:
        raise SystemExit(1)
