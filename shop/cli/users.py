"""`flask users grant | revoke | reset-second-factor | verify`: the first administrator, staff, and who came with an identity card."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from shop.accounts import operations
from shop.communities.queries import directory
from shop.kernel.db import perform, reading
from shop.kernel.errors import ShopError
from shop.merchants import queries as merchants
from shop.models.accounts import Role
from shop.platform import parameters
from shop.platform.actor import COMMAND

group = AppGroup("users", help="People and their roles.")

ROLE = click.Choice([role.value for role in Role])


@group.command("grant")
@click.argument("phone", type=parameters.WORD)
@click.argument("role", type=ROLE)
@click.option("--merchant", "merchant_code", type=parameters.WORD, help="Code of the merchant, for merchant_owner and merchant_clerk.")
@click.option("--point", "point_slug", type=parameters.WORD, help="Slug of the pick-up point, for keeper.")
def grant(phone: str, role: str, merchant_code: str | None, point_slug: str | None) -> None:
    """Let the holder of PHONE act as ROLE; makes the account when the number is new."""
    try:
        granted = perform(operations.grant_role, COMMAND, phone, Role(role), merchant_id_of(merchant_code), point_id_of(point_slug))
    except ShopError as error:
        raise click.ClickException(str(error)) from error
    click.echo("granted" if granted.is_new else "held already")
    if granted.enrolment_uri:
        click.echo("Scan this with an authenticator app; it is shown only now:")
        click.echo(granted.enrolment_uri)


@group.command("revoke")
@click.argument("phone", type=parameters.WORD)
@click.argument("role", type=ROLE)
@click.option("--merchant", "merchant_code", type=parameters.WORD, help="Code of the merchant.")
@click.option("--point", "point_slug", type=parameters.WORD, help="Slug of the pick-up point.")
def revoke(phone: str, role: str, merchant_code: str | None, point_slug: str | None) -> None:
    """End a role at once."""
    try:
        perform(operations.revoke_role, COMMAND, phone, Role(role), merchant_id_of(merchant_code), point_id_of(point_slug))
    except ShopError as error:
        raise click.ClickException(str(error)) from error
    click.echo("revoked")


@group.command("reset-second-factor")
@click.argument("phone", type=parameters.WORD)
def reset_second_factor(phone: str) -> None:
    """A new authenticator for somebody who lost theirs; signs them out everywhere."""
    try:
        uri = perform(operations.reset_second_factor, COMMAND, phone)
    except ShopError as error:
        raise click.ClickException(str(error)) from error
    click.echo("Scan this with an authenticator app; it is shown only now:")
    click.echo(uri)


@group.command("verify")
@click.argument("phone", type=parameters.WORD)
@click.option("--level", type=click.IntRange(1, 3), required=True, help="1 name, 2 name and bank card, 3 in person.")
@click.option("--reason", type=parameters.LINE, required=True, help="Who saw which document, and where; it is put on record.")
def verify(phone: str, level: int, reason: str) -> None:
    """Write down that the identity of PHONE's holder was checked. Never lowers a level."""
    try:
        is_new = perform(operations.verify, COMMAND, phone, level, reason)
    except ShopError as error:
        raise click.ClickException(str(error)) from error
    click.echo("verified" if is_new else "held already")


def merchant_id_of(code: str | None) -> int | None:
    if code is None:
        return None
    merchant = merchants.by_code(reading(), code)
    if merchant is None:
        raise click.ClickException(f"there is no merchant {code}")
    return merchant.id


def point_id_of(slug: str | None) -> int | None:
    if slug is None:
        return None
    point = directory(reading()).points_by_slug.get(slug)
    if point is None:
        raise click.ClickException(f"there is no pick-up point {slug}")
    return point.id
