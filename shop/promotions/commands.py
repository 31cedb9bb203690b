"""`flask offers`: what makes goods cheaper. Offers are made and ended, never changed."""

from __future__ import annotations

from datetime import datetime, timedelta

import click
import sqlalchemy as sa
from flask.cli import AppGroup

from shop.communities.queries import directory
from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound, ShopError
from shop.kernel.money import Money
from shop.merchants.queries import by_code
from shop.models.promotions import Funder, OfferKind, PriceOffer
from shop.platform.actor import COMMAND
from shop.platform.parameters import WORD, YUAN
from shop.promotions import operations

group = AppGroup("offers", help="What makes goods cheaper.")

DAYS = click.IntRange(1, 366)


@group.command("list")
def list_offers() -> None:
    """The offers that are not over, with who pays for them."""
    wanted = sa.select(PriceOffer).where(PriceOffer.ends_at > clock.now()).order_by(PriceOffer.starts_at, PriceOffer.id)
    for offer in reading().scalars(wanted):
        at_least = f"{offer.at_least} units" if offer.kind is OfferKind.LADDER else f"¥{Money(offer.at_least)}"
        said = f"{offer.code}: from {at_least} ¥{offer.off} off, paid for by the {offer.funder.value}"
        click.echo(f"{said}, {on_day(offer.starts_at)} to {on_day(offer.ends_at)}")


def on_day(moment: datetime) -> str:
    return f"{clock.local(moment):%Y-%m-%d %H:%M}"


@group.command("add")
@click.argument("code", type=WORD)
@click.argument("at_least", type=YUAN)
@click.argument("off", type=YUAN)
@click.option("--zh", required=True, type=WORD, help="What it is called, in Chinese.")
@click.option("--en", required=True, type=WORD, help="What it is called, in English.")
@click.option("--merchant", default=None, type=WORD, help="Code of the shop whose goods count. Left out, goods of all shops do.")
@click.option("--community", default=None, type=WORD, help="Slug of the only community where it counts.")
@click.option("--paid-by", type=click.Choice([funder.value for funder in Funder]), default=Funder.PLATFORM.value, show_default=True)
@click.option("--days", type=DAYS, default=30, show_default=True, help="How long it counts, from now.")
def add(
    code: str, at_least: Money, off: Money, zh: str, en: str, merchant: str | None, community: str | None, paid_by: str, days: int
) -> None:
    """Goods worth AT_LEAST yuan cost OFF yuan less."""
    moment = clock.now()
    try:
        wish = operations.Threshold(
            code, Funder(paid_by), at_least.fen, off, zh, en, moment, moment + timedelta(days=days), merchant_named(merchant),
            community_named(community),
        )
        perform(operations.make_threshold, COMMAND, wish)
    except ShopError as error:
        raise click.ClickException(str(error.message)) from error
    click.echo(f"{code} counts until {on_day(wish.ends_at)}")


def merchant_named(code: str | None) -> int | None:
    if code is None:
        return None
    found = by_code(reading(), code)
    if found is None:
        raise click.ClickException(f"there is no shop {code}")
    return found.id


def community_named(slug: str | None) -> int | None:
    if slug is None:
        return None
    found = next((one.id for one in directory(reading()).communities if one.slug == slug), None)
    if found is None:
        raise click.ClickException(f"there is no community {slug}")
    return found


@group.command("end")
@click.argument("code", type=WORD)
def end(code: str) -> None:
    """End an offer now. What was quoted with it holds for its ten minutes; orders keep what they got."""
    try:
        ended = perform(operations.end, COMMAND, code)
    except NotFound as error:
        raise click.ClickException(f"there is no offer {code}") from error
    click.echo(f"{code} is over" if ended else f"{code} was over already")
