"""`flask catalog`: make what an earlier release did not make of the goods: pictures for links, the terms they are found by."""

from __future__ import annotations

import csv
from pathlib import Path

import click
import sqlalchemy as sa
from flask.cli import AppGroup

from shop.catalog import operations, pictures
from shop.kernel.db import perform, reading
from shop.models.catalog import Product, ProductImage, ProductState
from shop.platform.files import storage

group = AppGroup("catalog", help="What is sold.")


@group.command("pictures")
def make_pictures() -> None:
    """Make what is missing; run again, it finds nothing to do. A file that is gone or cannot be read is named and passed over."""
    kept, made, lost = storage(), 0, 0
    names = reading().scalars(sa.select(ProductImage.file).distinct().order_by(ProductImage.file)).all()
    for name in names:
        try:
            made += pictures.add_share_form(kept, name)
        except OSError:
            lost += 1
            click.echo(f"{name}: cannot be read")
    click.echo(f"{made} made, {len(names) - made - lost} were there already, {lost} cannot be read")


LIST = click.Path(exists=True, dir_okay=False, path_type=Path)
AT_ONCE = 500


@group.command("terms")
@click.argument("same", type=LIST)
@click.argument("kinds", type=LIST)
def write_terms(same: Path, kinds: Path) -> None:
    """Write anew what goods are found by, 500 at a time. SAME and KINDS are lists of words, as in demo/data: synonyms.csv, kinds.csv."""
    words = [words_in(place) for place in (same, kinds)]
    on_sale = sa.select(Product.id).where(Product.state == ProductState.ON_SALE).order_by(Product.id)
    wanted = reading().scalars(on_sale).all()
    for start in range(0, len(wanted), AT_ONCE):
        perform(operations.refresh_search_terms, wanted[start : start + AT_ONCE], *words)
    click.echo(f"{len(wanted)} products")


def words_in(place: Path) -> list[list[str]]:
    """The lines of a list of words."""
    with place.open(encoding="utf-8", newline="") as file:
        return [[word for word in line if word] for line in csv.reader(file) if line]
