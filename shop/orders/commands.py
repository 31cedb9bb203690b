"""`flask orders sum-days`: the sums statements are read from."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from shop.kernel.db import perform
from shop.orders import settled_days

group = AppGroup("orders", help="Orders and their sums.")


@group.command("sum-days")
@click.option("--again", is_flag=True, help="Forget all sums first.")
def sum_days(again: bool) -> None:
    """Sum the days that are over and have no sum. Statements are right meanwhile, only slower."""
    if again:
        click.echo(f"{perform(settled_days.forget_sums)} sums forgotten")
    opened, counted = perform(settled_days.open_days), 0
    while summed := perform(settled_days.count_days):
        counted += summed
    click.echo(f"{opened} days opened, {counted} summed; one that was opened just now is summed in ten minutes")
