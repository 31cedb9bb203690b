"""`flask wallet clear-pin`: what is done for the owner of a wallet who came to the counter."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from shop.accounts.queries import user_by_phone
from shop.kernel.db import perform, reading
from shop.kernel.errors import ShopError
from shop.kernel.text import phone_number
from shop.platform.actor import COMMAND
from shop.wallet import operations

group = AppGroup("wallet", help="Wallets and their PINs.")


@group.command("clear-pin")
@click.argument("phone")
@click.option("--reason", required=True, help="Who saw which document, and where; it is put on record.")
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
