"""`flask wallet clear-pin`: what is done for the owner of a wallet who came to the counter."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from shop.accounts.queries import user_by_phone
from shop.kernel.db import perform, reading
from shop.kernel.errors import ShopError
from shop.kernel.identifiers import phone_number
from shop.platform import parameters
from shop.platform.actor import COMMAND
from shop.wallet import closing, operations

group = AppGroup("wallet", help="Wallets and their PINs.")


@group.command("clear-pin")
@click.argument("phone", type=parameters.WORD)
@click.option("--reason", type=parameters.LINE, required=True, help="Who saw which document, and where; it is put on record.")
def clear_pin(phone: str, reason: str) -> None:
    """Let the holder of PHONE choose a new PIN, after a check of the identity card."""
    try:
        user = user_by_phone(reading(), phone_number(phone))
        if user is None:
            raise click.ClickException("nobody has this number")
        is_new = perform(operations.clear_pin, COMMAND, user.id, reason)
    except ShopError as error:
        raise click.ClickException(str(error)) from error
    click.echo("cleared" if is_new else "there was no PIN")


@group.command("close-day")
@click.option("--again", is_flag=True, help="Forget all closing balances first.")
def close_day(again: bool) -> None:
    """Write down what each account held when the last day was over. Balances are right meanwhile, only slower."""
    if again:
        click.echo(f"{perform(closing.forget)} closing balances forgotten")
    click.echo(f"{perform(closing.close_day)} accounts closed")
