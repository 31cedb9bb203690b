"""`flask import products`: a sheet brought from the machine the shop runs on, in the name of a shop's owner."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup

from shop.imports import operations, queries, working
from shop.imports.saying import SENTENCES
from shop.kernel import ids
from shop.kernel.db import finish_reading, perform, reading
from shop.kernel.errors import ShopError
from shop.merchants.queries import by_code
from shop.models.imports import Choice, ImportKind, ProductImport
from shop.platform import parameters

group = AppGroup("import", help="Sheets of goods.")
SHEET = click.Path(exists=True, dir_okay=False, path_type=Path)
SHOWN = 50


@group.command("products")
@click.argument("file", type=SHEET)
@click.option("--merchant", type=parameters.WORD, required=True, help="The code of the shop.")
@click.option("--figures", is_flag=True, help="Prices and stock of listed goods only.")
@click.option("--dry-run", is_flag=True, help="Say what would happen, and leave it at that.")
@click.option("--yuan", is_flag=True, help="The prices of another shop's export are in yuan.")
@click.option("--all-or-nothing", is_flag=True, help="Apply every row or none; without it, the good rows.")
@click.option("--sure", is_flag=True, help="Prices and counts that are far off are right.")
def products(file: Path, merchant: str, figures: bool, dry_run: bool, yuan: bool, all_or_nothing: bool, sure: bool) -> None:
    """Read FILE (CSV or XLSX), say what each row means, and apply it."""
    shop = by_code(reading(), merchant)
    if shop is None:
        raise click.ClickException("no shop has this code")
    actor = working.actor_for(None, shop.id)
    assert actor is not None
    kind = ImportKind.FIGURES if figures else ImportKind.GOODS
    try:
        usual: dict[str, Any] = {"currency": "CNY" if yuan else "", "goods": {}}
        ref = perform(operations.bring, actor, shop.id, kind, file.name, file.read_bytes(), usual, ids.secret())
        found = look(shop.id, ref)
        working.check(found.id)
        found = look(shop.id, ref)
        if found.refusal:
            raise click.ClickException(found.refusal["message"] % found.refusal["facts"])
        tell(found)
        if dry_run:
            perform(operations.drop, actor, ref)
            click.echo("a dry run: nothing was changed")
            return
        if sure:
            perform(operations.say_sure, actor, ref, None)
        perform(operations.decide, actor, ref, Choice.ALL if all_or_nothing else Choice.GOOD)
        working.apply(found.id)
    except ShopError as error:
        raise click.ClickException(str(error)) from error
    found = look(shop.id, ref)
    click.echo(f"{found.rows_applied} applied, {found.rows_failed} good no more, {found.state.value}")


def look(merchant_id: int, ref: str) -> ProductImport:
    finish_reading()
    return queries.get_import(reading(), [merchant_id], ref)


def tell(found: ProductImport) -> None:
    counts = queries.counts(reading(), found.id)
    click.echo(
        f"{found.rows_total} rows ({found.layout}): {counts.new} new, {counts.changed} changed, {counts.same} the same, "
        f"{counts.wrong} wrong, {counts.asked} to be confirmed"
    )
    rows, more = queries.list_rows(reading(), found.id, "wrong", limit=SHOWN)
    for row in rows:
        for wrong in row.wrongs:
            click.echo(f"row {row.number} {wrong['column']}: {SENTENCES[wrong['code']] % wrong['facts']}")
    if more is not None:
        click.echo("…")
