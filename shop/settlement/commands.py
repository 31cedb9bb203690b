"""`flask payments book-movement | book-fee`: what the card provider does not say in yuan, as somebody read it there."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from shop.kernel.db import perform
from shop.kernel.errors import ShopError
from shop.kernel.money import Money
from shop.platform import parameters
from shop.platform.actor import COMMAND
from shop.settlement import operations

group = AppGroup("payments", help="Money at the card provider.")

MOST = 100_000_000_00
FEN = click.IntRange(-MOST, MOST)
REASON = click.option("--reason", type=parameters.LINE, required=True, help="Where it was read; it is put on record.")


@group.command("book-movement")
@click.argument("reference", type=parameters.WORD)
@click.option("--amount", type=FEN, required=True, help="In fen; negative where a bank took money back.")
@click.option("--fee", type=FEN, required=True, help="In fen; negative where it was given back.")
@REASON
def book_movement(reference: str, amount: int, fee: int, reason: str) -> None:
    """Book the movement REFERENCE (txn_...) that no rate explains."""
    try:
        is_new = perform(operations.book_by_hand, COMMAND, reference, Money(amount), Money(fee), reason)
    except ShopError as error:
        raise click.ClickException(str(error)) from error
    click.echo("booked" if is_new else "there is nothing to book under this reference")


@group.command("book-fee")
@click.argument("reference", type=parameters.WORD)
@click.option("--fee", type=click.IntRange(0, MOST), required=True, help="In fen.")
@REASON
def book_fee(reference: str, fee: int, reason: str) -> None:
    """Book the fee of the payment REFERENCE (P...) that the provider never told."""
    try:
        is_new = perform(operations.say_fee, COMMAND, reference, Money(fee), reason)
    except ShopError as error:
        raise click.ClickException(str(error)) from error
    click.echo("booked" if is_new else "the fee is known")
